"""Notices when a small model goes round in circles."""

from __future__ import annotations

from collections import Counter, deque

RUN = 8
"""Tokens in a row that count as one phrase."""
TIMES = 4
"""How often one phrase may occur in an answer; the answer ends there."""


class LoopGuard:
    """Counts the phrases of one answer, token by token."""

    def __init__(self) -> None:
        self._last: deque[int] = deque(maxlen=RUN)
        self._seen: Counter[tuple[int, ...]] = Counter()

    def circles(self, token: int) -> bool:
        """Take in the next token; returns whether the answer now repeats itself."""
        self._last.append(token)
        if len(self._last) < RUN:
            return False
        phrase = tuple(self._last)
        self._seen[phrase] += 1
        return self._seen[phrase] >= TIMES
