"""Places in code as values: what the reading side of the index gives to a window."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class CodePlace:
    """One line that defines or uses a name.

    `line` counts from 1, `text` is the line, `kind` and `symbol` say what the
    lines around it are.
    """

    path: str
    line: int
    text: str
    kind: str
    symbol: str


@dataclass(frozen=True, slots=True)
class NamePlaces:
    """Where a name is defined and used; `more` says that there are further usages."""

    name: str
    definitions: tuple[CodePlace, ...]
    usages: tuple[CodePlace, ...]
    more: bool = False

    def to_wire(self) -> dict[str, Any]:
        """Return the places as plain JSON data."""
        return dataclasses.asdict(self)

    @classmethod
    def from_wire(cls, data: dict[str, Any]) -> NamePlaces:
        """Rebuild the places from `to_wire`'s data."""
        definitions = tuple(CodePlace(**item) for item in data["definitions"])
        usages = tuple(CodePlace(**item) for item in data["usages"])
        return cls(data["name"], definitions, usages, data["more"])
