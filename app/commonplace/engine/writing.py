"""The tokens of an answer, one after the other; those that copy, several at once.

An answer that repeats what stands in the prompt, as an edit of code does, can
be foretold: what followed the last three tokens before will follow them again.
The foretold tokens are read in one batch, which costs less than writing them
one by one, and each is kept only if it is what the model draws itself. Whether
that is sooner depends on the machine and is measured when a model is first
loaded (see `tuning`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from commonplace.engine.llama import Draw, Llama

KEY = 3
"""Tokens that must have occurred before for those after them to be foretold."""


class Foretelling:
    """Knows what followed the last tokens before, in the prompt and the answer."""

    def __init__(self, tokens: Sequence[int] = ()) -> None:
        self._tokens: list[int] = []
        self._seen: dict[tuple[int, ...], int] = {}
        for token in tokens:
            self.add(token)

    def add(self, token: int) -> None:
        """Take in the next token."""
        if len(self._tokens) >= KEY:  # not the last three themselves: nothing follows them yet
            self._seen[tuple(self._tokens[-KEY:])] = len(self._tokens)
        self._tokens.append(token)

    def next(self, count: int) -> list[int]:
        """Return at most `count` tokens that followed the last three when they last occurred."""
        at = self._seen.get(tuple(self._tokens[-KEY:]))
        return [] if at is None else self._tokens[at : at + count]


class Writer:
    """Draws the tokens of one answer behind a prompt that is partly read."""

    def __init__(
        self, llama: Llama, draw: Draw, prompt: list[int], unread: list[int], *, ahead: int = 0
    ) -> None:
        """`ahead` tokens are foretold at most; 0 writes one by one."""
        self._llama = llama
        self._draw = draw
        self._pending = unread
        self._count = ahead
        self._foretelling = Foretelling(prompt) if ahead else None
        self._ahead: list[int] = []
        self._index = -1

    def next(self, stopped: Callable[[], bool], most: int) -> int | None:
        """Return the next token, None once stopped; at most `most` will be wanted."""
        if not self._ahead and self._pending:
            if stopped() or not self._read(stopped, most):
                return None
        elif stopped():
            return None
        token = self._draw(self._index)
        if self._foretelling is not None:
            self._foretelling.add(token)
        if self._ahead and token == self._ahead[0]:
            self._ahead.pop(0)  # it is read already
            self._index += 1
            self._pending = []
        else:
            self.close()
            self._pending = [token]
        return token

    def close(self) -> None:
        """Take back what was read and turned out otherwise."""
        if self._ahead:
            self._llama.cut(len(self._ahead))
            self._ahead = []

    def _read(self, stopped: Callable[[], bool], most: int) -> bool:
        """Read what was drawn and what is foretold; False once stopped."""
        writing = self._foretelling is not None and len(self._pending) == 1
        foretold: list[int] = []
        if writing and self._foretelling is not None:
            room = self._llama.context - len(self._llama.live) - 1
            foretold = self._foretelling.next(min(self._count, most - 1, room))
        if not foretold:
            self._index = -1
            return self._llama.evaluate(self._pending, stopped)
        self._llama.evaluate_all(self._pending + foretold)
        self._ahead, self._index = foretold, 0
        return True
