"""From the bytes of tokens to text that may be shown."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class TextStream:
    """Decodes UTF-8 split anywhere, and withholds what may become a stop string.

    `stopped` is True once a stop string was complete; nothing from its first
    character on is ever let through.
    """

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.stopped = False

    def feed(self, data: bytes) -> str:
        """Add the bytes of one token and return the text that is now certain."""
        if self.stopped:
            return ""
        self._held += self._decoder.decode(data)
        found = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if found:
            self.stopped = True
            return self._release(min(found))
        return self._release(len(self._held) - self._doubtful())

    def flush(self) -> str:
        """Return what was withheld, at the end; half a character is dropped."""
        return "" if self.stopped else self._release(len(self._held))

    def _doubtful(self) -> int:
        """Return the length of the longest end that begins a stop string."""
        longest = max((len(stop) for stop in self._stops), default=1) - 1
        for length in range(min(longest, len(self._held)), 0, -1):
            tail = self._held[-length:]
            if any(stop.startswith(tail) for stop in self._stops):
                return length
        return 0

    def _release(self, count: int) -> str:
        text, self._held = self._held[:count], self._held[count:]
        return text


class ThoughtFilter:
    """Keeps what a model writes for itself apart from its answer.

    A thought stands between ``<think>`` and ``</think>`` at the very beginning,
    or begins with the answer where the prompt has opened it already (`open`).
    """

    OPEN, CLOSE = "<think>", "</think>"

    def __init__(self, *, opened: bool = False) -> None:
        self._held = ""
        self._inside = opened
        self._outside = False
        self._thought: list[str] = []

    @property
    def thought(self) -> str:
        """What the model thought so far."""
        return "".join(self._thought).strip()

    def feed(self, text: str) -> str:
        """Add a piece of what was written and return what belongs to the answer."""
        if self._outside:
            return text
        self._held += text
        if not self._inside:
            start = self._held.lstrip()
            if len(start) < len(self.OPEN) and self.OPEN.startswith(start):
                return ""
            if not start.startswith(self.OPEN):
                return self._leave(self._held)
            self._inside = True
            self._held = start[len(self.OPEN) :]
        thought, closed, rest = self._held.partition(self.CLOSE)
        if closed:
            self._thought.append(thought)
            return self._leave(rest.lstrip())
        safe = max(0, len(self._held) - len(self.CLOSE) + 1)
        self._thought.append(self._held[:safe])
        self._held = self._held[safe:]
        return ""

    def flush(self) -> str:
        """Return what was withheld, at the end."""
        if self._inside:
            self._thought.append(self._held)
            self._held = ""
        return self._leave(self._held)

    def _leave(self, rest: str) -> str:
        """Go on outside; only white space after a thought is still withheld."""
        self._outside = bool(rest) or not self._inside
        self._inside, self._held = False, ""
        return rest
