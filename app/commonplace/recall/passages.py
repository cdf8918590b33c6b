"""What recall returns: passages, each with the reasons why it was chosen."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

Tier = Literal["note", "rules", "docs", "code"]


@dataclass(frozen=True, slots=True)
class Passage:
    """Some lines of one file that may answer a question.

    `start_line` and `end_line` count from 1 and are inclusive; `path` is
    relative to the project with ``/`` between its parts. `kind` is what the
    lines are (``function``, ``class``, ``section``, ``block``, …), `symbol` the
    name they define, dotted, or empty. `score` orders the passages of one
    question and means nothing across questions. `tier` says how far the words
    can be trusted. A note has the kind ``note``, its title as `symbol`, its id
    in `note` and in `state` what became of the code that it speaks of.
    `defines` are the dotted names its lines define, `importers` the first few
    of the `imported_by` files that import this one.
    """

    path: str
    start_line: int
    end_line: int
    text: str
    score: float
    kind: str
    symbol: str
    reasons: tuple[str, ...]
    tier: Tier = "code"
    note: str = ""
    state: str = ""
    defines: tuple[str, ...] = ()
    importers: tuple[str, ...] = ()
    imported_by: int = 0

    @property
    def stale(self) -> bool:
        """Whether this was written for an earlier version of the code."""
        return self.state in {"changed", "gone"}

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
        lists = ("reasons", "defines", "importers")
        return cls(**{**data, **{name: tuple(data.get(name, ())) for name in lists}})


@dataclass(frozen=True, slots=True)
class Standing:
    """Words that stand in every prompt of a project: a rule file or a pinned note.

    `tier` is ``rules`` or ``note``; `stale` as for a passage.
    """

    title: str
    path: str
    text: str
    tier: Tier
    note: str = ""
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of one search.

    `shape` is what the question looked like (see `recall.shapes`), `ms` the
    time recall took in milliseconds, `note` what the user should know about
    these results, for instance that the index is still being built. `standing`
    is what the project says to every question.
    """

    query: str
    shape: str
    ms: float
    passages: tuple[Passage, ...]
    note: str = ""
    standing: tuple[Standing, ...] = ()

    def to_wire(self) -> dict[str, Any]:
        """Return the outcome as plain JSON data."""
        return {
            "query": self.query,
            "shape": self.shape,
            "ms": self.ms,
            "note": self.note,
            "passages": [passage.to_wire() for passage in self.passages],
            "standing": [dataclasses.asdict(item) for item in self.standing],
        }

    @classmethod
    def from_wire(cls, data: dict[str, Any]) -> Found:
        """Rebuild an outcome from `to_wire`'s data."""
        passages = tuple(Passage.from_wire(item) for item in data["passages"])
        standing = tuple(Standing(**item) for item in data.get("standing", ()))
        return cls(data["query"], data["shape"], data["ms"], passages, data["note"], standing)
