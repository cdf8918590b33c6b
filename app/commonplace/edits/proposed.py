"""Edits as they are proposed, before anybody looked at the files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Replace:
    """Put `new` where the lines `old` stand. Empty `old` makes a new file."""

    path: str
    old: str
    new: str
    text: str


@dataclass(frozen=True, slots=True)
class Whole:
    """Let the file hold `content`. A `fresh` one is only meant if there is no such file."""

    path: str
    content: str
    text: str
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class PatchHunk:
    """Lines of a unified diff: at line `start` (from 1; 0 if it does not say), `old` to `new`."""

    start: int
    old: str
    new: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Patch:
    """A unified diff of one file; an empty path stands for no file."""

    old_path: str
    path: str
    hunks: tuple[PatchHunk, ...]
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that means to be an edit and cannot be read as one."""

    path: str
    reason: str
    text: str


Edit = Replace | Whole | Patch | Unreadable
