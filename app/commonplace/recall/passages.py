"""What recall returns: passages, each with the reasons why it was chosen."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Passage:
    """Some lines of one file that may answer a question.

    `start_line` and `end_line` count from 1 and are inclusive; `path` is
    relative to the project with ``/`` between its parts. `kind` is what the
    lines are (``function``, ``class``, ``section``, ``block``, …), `symbol` the
    name they define, dotted, or empty. `score` orders the passages of one
    question and means nothing across questions.
    """

    path: str
    start_line: int
    end_line: int
    text: str
    score: float
    kind: str
    symbol: str
    reasons: tuple[str, ...]

    @property
    def place(self) -> str:
        """The passage as people write it: ``path:start-end``."""
        return f"{self.path}:{self.start_line}-{self.end_line}"

    def to_wire(self) -> dict[str, Any]:
        """Return the passage as plain JSON data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_wire(cls, data: dict[str, Any]) -> Passage:
        """Rebuild a passage from `to_wire`'s data."""
        return cls(**{**data, "reasons": tuple(data["reasons"])})


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of one search.

    `shape` is what the question looked like (see `recall.shapes`), `ms` the
    time recall took in milliseconds, `note` what the user should know about
    these results, for instance that the index is still being built.
    """

    query: str
    shape: str
    ms: float
    passages: tuple[Passage, ...]
    note: str = ""

    def to_wire(self) -> dict[str, Any]:
        """Return the outcome as plain JSON data."""
        return {
            "query": self.query,
            "shape": self.shape,
            "ms": self.ms,
            "note": self.note,
            "passages": [passage.to_wire() for passage in self.passages],
        }

    @classmethod
    def from_wire(cls, data: dict[str, Any]) -> Found:
        """Rebuild an outcome from `to_wire`'s data."""
        passages = tuple(Passage.from_wire(item) for item in data["passages"])
        return cls(data["query"], data["shape"], data["ms"], passages, data["note"])
