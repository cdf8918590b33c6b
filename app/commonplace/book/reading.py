"""From the bytes of a file to a note, whatever the file holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, TypeVar

from commonplace.book import header as headers
from commonplace.book.header import Header
from commonplace.book.ids import path_id
from commonplace.book.note import (
    ORIGINS,
    STATUSES,
    Anchor,
    Note,
    Origin,
    Problem,
    Shelf,
    Status,
)
from commonplace.index.rows import content_hash

CONFLICT = re.compile(r"^(?:<{7}|>{7})(?: .*)?$", re.MULTILINE)
FORM_KEY, FORM = "note-format", 1
"""The form of a note, where it is not the first, and the last that this program knows.

Notes belong to people and travel in git, so none is ever migrated by itself: each form
is read as it is, and a newer one is shown, and neither trusted nor changed.
"""
SEARCHED = 256 * 1024
"""Characters of a note that are searched; what stands behind is shown and not found."""
MAX_TITLE = 300
MAX_TAGS = 50
MAX_ANCHORS = 200
T = TypeVar("T")
ID = re.compile(r"[A-Za-z0-9][\w.-]{0,63}")


def read_note(data: bytes, shelf: Shelf, file: str) -> Note:
    """Return the note that `data` holds; what is wrong with it is in its problems."""
    text = headers.text_of(data)
    parts = headers.split(text)
    header = headers.read(parts)
    body = headers.LINE.sub("\n", text[parts.body :])
    fields = _Fields(header)
    conflict = CONFLICT.search(headers.LINE.sub("\n", text))
    problems = list(header.problems)
    newer = is_newer(header)
    if newer:
        line = header.lines.get(FORM_KEY, 0)
        problems.append(Problem(line, "a newer version of Commonplace wrote this note"))
    if conflict:
        line = 1 + headers.LINE.sub("\n", text).count("\n", 0, conflict.start())
        problems.insert(0, Problem(line, "a merge conflict stands here; settle it in an editor"))
    if any("\ud800" <= c <= "\udfff" for c in body):
        problems.append(Problem(0, "some bytes are not UTF-8"))
        body = body.encode("utf-8", "replace").decode()
    if len(body) > SEARCHED:
        message = f"it is long: only its first {SEARCHED >> 10} KiB are searched"
        problems.append(Problem(0, message))
    note = Note(
        id=fields.read("id", _identity, "") or path_id(shelf, file),
        title=fields.read("title", _words, "") or _title_of(body, file),
        text=body,
        shelf=shelf,
        file=file,
        # What cannot be understood is not trusted: it waits in the inbox.
        status=fields.read("status", _status, "kept", "inbox"),
        origin=fields.read("origin", _origin, "person", "draft"),
        pinned=fields.read("pinned", _flag, default=False),
        author=fields.read("author", _words, ""),
        created=fields.read("created", _time, ""),
        tags=fields.read("tags", _tags, ()),
        anchors=fields.anchors(),
        evidence=fields.read("evidence", _words, ""),
        body_line=parts.body_line,
        hash=content_hash(data).hex(),
        broken=header.broken or conflict is not None or newer,
        size=len(data),
    )
    return _with_problems(note, [*problems, *fields.problems])


def is_newer(header: Header) -> bool:
    """Whether a note with this header has a form that this program does not know."""
    form = header.values.get(FORM_KEY)
    return isinstance(form, int) and not isinstance(form, bool) and form > FORM


def _with_problems(note: Note, problems: list[Problem]) -> Note:
    return replace(note, problems=tuple(problems)) if problems else note


class _Fields:
    """The fields of a header, each checked, with the problems found."""

    def __init__(self, header: Header) -> None:
        self._values: Mapping[str, Any] = header.values
        self._lines = header.lines
        self.problems: list[Problem] = []

    def read(self, key: str, check: Callable[[Any], T], default: T, wrong: T | None = None) -> T:
        """Return a field, `default` if it is absent, `wrong` (or that) if it is wrong."""
        value = self._values.get(key)
        if value is None:
            return default
        try:
            return check(value)
        except (TypeError, ValueError) as error:
            self.problems.append(Problem(self._lines.get(key, 0), f"{key} {error}"))
            return default if wrong is None else wrong

    def anchors(self) -> tuple[Anchor, ...]:
        """Return the anchors that can be understood."""
        value = self._values.get("anchors")
        if value is None:
            return ()
        found: list[Anchor] = []
        items = value if isinstance(value, list) else [value]
        for item in items[:MAX_ANCHORS]:
            try:
                found.append(_anchor(item))
            except (TypeError, ValueError) as error:
                self.problems.append(Problem(self._lines.get("anchors", 0), f"anchors: {error}"))
        if len(items) > MAX_ANCHORS:
            line = self._lines.get("anchors", 0)
            self.problems.append(Problem(line, f"only the first {MAX_ANCHORS} anchors are used"))
        return tuple(dict.fromkeys(found))


def _anchor(item: object) -> Anchor:
    if isinstance(item, Mapping):
        at, mark = item.get("at"), item.get("fingerprint", "")
        if not isinstance(at, str):
            raise TypeError("each has 'at: FILE' or 'at: FILE::SYMBOL'")
        return Anchor.parse(at, mark if isinstance(mark, str) else "")
    if not isinstance(item, str):
        raise TypeError("each is a text like FILE or FILE::SYMBOL")
    return Anchor.parse(item)


def _words(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError("is not a text")
    text = " ".join(str(value).split())
    return text.encode("utf-8", "replace").decode()[:MAX_TITLE]


def _identity(value: Any) -> str:
    text = _words(value)
    if not ID.fullmatch(text):
        raise ValueError("is not made of letters, digits, '-', '_' and '.'")
    return text


def _status(value: Any) -> Status:
    if value not in STATUSES:
        raise ValueError(f"is one of {', '.join(STATUSES)}")
    return value  # type: ignore[no-any-return]


def _origin(value: Any) -> Origin:
    if value not in ORIGINS:
        raise ValueError(f"is one of {', '.join(ORIGINS)}")
    return value  # type: ignore[no-any-return]


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("is true or false")
    return value


def _time(value: Any) -> str:
    text = headers.as_time(value)
    if not text:
        raise TypeError("is not a date")
    return " ".join(text.split())[:40]


def _tags(value: Any) -> tuple[str, ...]:
    items = re.split(r"[,\s]+", value) if isinstance(value, str) else value
    if not isinstance(items, list):
        raise TypeError("is not a list of words")
    return tuple(dict.fromkeys(filter(None, (_words(item) for item in items[:MAX_TAGS]))))


def _title_of(body: str, file: str) -> str:
    """Return what a note without a title is called: its first line, or its file."""
    for line in body[:4000].split("\n"):
        text = line.strip().strip("#*_ ").strip()
        if text and not CONFLICT.match(line) and not text.startswith("---"):
            return text[:100]
    return PurePosixPath(file).stem
