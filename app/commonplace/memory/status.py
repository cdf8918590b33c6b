"""What the memory of a project is doing, as the window shows it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

Phase = Literal["opening", "scanning", "reading", "embedding", "ready", "paused", "failed"]


@dataclass(frozen=True, slots=True)
class Status:
    """One picture of the memory of a project.

    `done` and `total` count what `phase` works on: files while reading, texts
    while embedding. `files`, `chunks` and `vectors` are what can be searched
    now. `watching` is ``events`` or ``polling``. `note` is a sentence for the
    user, with its remedy, when something is not as it should be. `adapter` is
    what fitting to the project's own words found (`Figures.to_wire`), if it was tried.
    """

    phase: Phase = "opening"
    done: int = 0
    total: int = 0
    files: int = 0
    chunks: int = 0
    vectors: int = 0
    skipped: int = 0
    watching: str = ""
    note: str = ""
    adapter: dict[str, Any] = field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        """Return the status as plain JSON data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_wire(cls, data: dict[str, Any]) -> Status:
        """Rebuild a status from `to_wire`'s data."""
        return cls(**data)
