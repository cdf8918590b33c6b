"""What a note is: values, and nothing that touches a disk."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["inbox", "kept", "archived"]
Origin = Literal["person", "draft"]
Shelf = Literal["shared", "private"]
AnchorState = Literal["fresh", "changed", "moved", "gone", "unchecked"]

STATUSES: tuple[Status, ...] = ("inbox", "kept", "archived")
ORIGINS: tuple[Origin, ...] = ("person", "draft")
SHELVES: tuple[Shelf, ...] = ("shared", "private")
RANGE = re.compile(r"(?P<path>.+?):(?P<start>[0-9]{1,7})(?:-(?P<end>[0-9]{1,7}))?")


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a note speaks of: a file, a symbol in it, or some of its lines.

    `path` is relative to the project with ``/`` between its parts, `symbol` is
    dotted, lines count from 1 and are inclusive; 0 means none. `fingerprint`
    is what the code said when the note was written, empty where nobody noted it.
    """

    path: str
    symbol: str = ""
    start_line: int = 0
    end_line: int = 0
    fingerprint: str = ""

    @classmethod
    def parse(cls, text: str, fingerprint: str = "") -> Anchor:
        """Read ``FILE``, ``FILE::SYMBOL`` or ``FILE:FIRST-LAST``; raises `ValueError`."""
        text = text.strip().replace("\\", "/")
        path, _, symbol = text.partition("::")
        if symbol:
            return cls(_checked(path), symbol.strip().removesuffix("()"), fingerprint=fingerprint)
        if match := RANGE.fullmatch(path):
            start = int(match["start"])
            end = int(match["end"] or start)
            if not 1 <= start <= end:
                raise ValueError(f"{text} has lines that are none")
            return cls(_checked(match["path"]), "", start, end, fingerprint)
        return cls(_checked(path), fingerprint=fingerprint)

    @property
    def target(self) -> str:
        """The anchor as people write it."""
        if self.symbol:
            return f"{self.path}::{self.symbol}"
        if self.start_line:
            return f"{self.path}:{self.start_line}-{self.end_line}"
        return self.path


def _checked(path: str) -> str:
    parts = path.strip().removeprefix("./").split("/")
    if any(part in {"", ".", ".."} or not part.isprintable() for part in parts):
        raise ValueError(f"{path!r} is not a path inside the project")
    return "/".join(parts)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a note's file, with its line, from 1; 0 where none fits."""

    line: int
    message: str

    def __str__(self) -> str:
        """Return the problem as it is shown."""
        return f"line {self.line}: {self.message}" if self.line else self.message


@dataclass(frozen=True, slots=True)
class Note:
    """One note as its file says it.

    `file` is the path below its shelf's folder; `body_line` the line, from 1,
    on which `text` begins; `hash` the content address of the file's bytes.
    `broken` means that its header cannot be trusted, so that it is shown and
    not recalled; `long` that only its beginning is searched.
    """

    id: str
    title: str
    text: str
    shelf: Shelf
    file: str
    status: Status = "kept"
    origin: Origin = "person"
    pinned: bool = False
    author: str = ""
    created: str = ""
    tags: tuple[str, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    problems: tuple[Problem, ...] = ()
    body_line: int = 1
    hash: str = ""
    broken: bool = False
    evidence: str = ""
    size: int = field(default=0)

    @property
    def recallable(self) -> bool:
        """Whether a search may find it: a person kept it, and its header can be trusted."""
        return self.status == "kept" and self.origin == "person" and not self.broken


@dataclass(frozen=True, slots=True)
class AnchorCheck:
    """What became of an anchor.

    `path` and the lines say where the code is now (0: nowhere), `symbol` what
    it is called now, `what` is a sentence for the user, `before` and `after`
    the text then, where it is known, and now.
    """

    target: str
    state: AnchorState
    what: str = ""
    path: str = ""
    symbol: str = ""
    start_line: int = 0
    end_line: int = 0
    before: str = ""
    after: str = ""

    @property
    def stale(self) -> bool:
        """Whether the note may no longer be true."""
        return self.state in {"changed", "gone"}

    def to_wire(self) -> dict[str, Any]:
        """Return the check as plain JSON data."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, slots=True)
class Listed:
    """A note as lists show it: everything but its text.

    `state` is that of its worst anchor, empty without any; `uses` counts the
    answers that it helped, `last_use` is a time in seconds since 1970 or 0.
    """

    id: str
    title: str
    shelf: Shelf
    path: str
    status: Status
    origin: Origin
    pinned: bool
    author: str
    created: str
    tags: tuple[str, ...]
    anchors: tuple[str, ...]
    problems: tuple[str, ...]
    broken: bool
    state: str = ""
    uses: int = 0
    last_use: float = 0.0

    @property
    def stale(self) -> bool:
        """Whether the code it speaks of changed or went."""
        return self.state in {"changed", "gone"}

    def to_wire(self) -> dict[str, Any]:
        """Return the row as plain JSON data."""
        return dataclasses.asdict(self)
