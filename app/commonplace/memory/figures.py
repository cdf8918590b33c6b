"""Figures of an index as values: what the memory process gives to a window."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Details:
    """Figures of one index.

    `files` and `chunks` are what was read so far, `disk` is bytes on disk, `newest`
    when a file was last read (seconds since 1970, 0 for never), `embedder` what
    vectors come from, `reasons` and `languages` (reason or language, number of
    files) with the most first.
    """

    files: int = 0
    chunks: int = 0
    folder: str = ""
    disk: int = 0
    newest: float = 0.0
    embedder: str = ""
    reasons: tuple[tuple[str, int], ...] = ()
    languages: tuple[tuple[str, int], ...] = ()

    def to_wire(self) -> dict[str, Any]:
        """Return the figures as plain JSON data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_wire(cls, data: dict[str, Any]) -> Details:
        """Rebuild the figures from `to_wire`'s data; what a newer worker adds is left out."""
        known = {field.name for field in dataclasses.fields(cls)}
        plain = {name: value for name, value in data.items() if name in known}
        for name in ("reasons", "languages"):
            plain[name] = tuple((str(of), int(count)) for of, count in plain.get(name, ()))
        return cls(**plain)
