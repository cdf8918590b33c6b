"""The front matter of a note: read leniently, changed one field at a time.

People write these headers by hand, so whatever is wrong becomes a `Problem`
with its line and the rest is used. A change replaces the lines of its own
field; unknown keys, their order, comments, line ends and a byte order mark
stay as they are.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from commonplace.book.note import Problem

FENCE = re.compile(r"---[ \t]*(?:\r\n|\r|\n|\Z)")
END = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\r\n|\r|\n|\Z)", re.MULTILINE)
LINE = re.compile(r"\r\n|\r|\n")
MAX_HEADER = 64 * 1024
DEEP = re.compile(r"(?:[\[{][^\[{]*?){40}|(?:- ){20}|(?:\? ){20}| {120}")
"""Nesting that libyaml would follow until its stack ends: read by the careful parser."""
PLAIN = re.compile(r"[\w./][\w ./+()@:-]*", re.ASCII)
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")

Value = str | bool | Sequence[str] | Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Header:
    """A header as it was read: plain values, and the line of each key, from 1."""

    values: Mapping[str, Any]
    lines: Mapping[str, int]
    problems: tuple[Problem, ...] = ()
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Parts:
    """Where things stand in a note's text: offsets in characters.

    Without a header `start` and `end` are 0; `body` is where the body begins.
    """

    text: str
    start: int = 0
    end: int = 0
    body: int = 0
    unclosed: bool = False

    @property
    def newline(self) -> str:
        """The line end this file uses."""
        found = LINE.search(self.text)
        return found[0] if found else "\n"

    @property
    def body_line(self) -> int:
        """The line on which the body begins, from 1."""
        return 1 + len(LINE.findall(self.text, 0, self.body))


class HeaderError(ValueError):
    """A header that cannot be changed field by field; the message says why."""


def text_of(data: bytes) -> str:
    """Return the text of a note's file; bytes that are no UTF-8 survive a round trip."""
    return data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")


def bytes_of(text: str, like: bytes) -> bytes:
    """Return `text` as the bytes of a file, with the byte order mark that `like` has."""
    mark = codecs.BOM_UTF8 if like.startswith(codecs.BOM_UTF8) else b""
    return mark + text.encode("utf-8", "surrogateescape")


def split(text: str) -> Parts:
    """Find the header and the body."""
    fence = FENCE.match(text)
    if fence is None:
        return Parts(text)
    end = END.search(text, fence.end(), fence.end() + MAX_HEADER)
    if end is None:
        return Parts(text, unclosed=True)
    return Parts(text, fence.end(), end.start(), end.end())


def read(parts: Parts) -> Header:
    """Read the header of `parts`; what is wrong is told, not raised."""
    if parts.unclosed:
        message = "the header that begins here has no end ('---' on a line of its own)"
        return Header({}, {}, (Problem(1, message),), broken=True)
    if parts.end == parts.start:
        return Header({}, {})
    source = UNPRINTABLE.sub(_readable, parts.text[parts.start : parts.end])
    try:
        node, values = _parse(source)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 2 + (mark.line if mark else 0)
        return _broken(line, error.problem or "not valid YAML")
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        return _broken(2, _first_line(error))
    if node is None:
        return Header({}, {})
    if not isinstance(node, yaml.MappingNode) or not isinstance(values, dict):
        return _broken(2, "the header is no list of 'key: value' lines")
    lines = {str(key.value): 2 + key.start_mark.line for key, _ in node.value}
    return Header({str(k): v for k, v in values.items()}, lines)


def changed(text: str, changes: Mapping[str, Value | None]) -> str:
    """Return `text` with some fields of its header changed; None removes a field.

    A note without a header gets one. Raises `HeaderError` for a header that
    is broken or not written as one key per line.
    """
    for key, value in changes.items():
        text = _with_field(text, key, value)
    return text


def with_body(text: str, body: str) -> str:
    """Return `text` with another body, in the file's own line ends."""
    parts = split(text)
    own = LINE.sub(parts.newline, body)
    if parts.end == parts.start:
        return own
    head = parts.text[: parts.body]
    return head + own if LINE.search(head[-2:]) else head + parts.newline + own


def new_text(fields: Mapping[str, Value], body: str) -> str:
    """Return the text of a new note."""
    head = "".join(f"{key}:{_dumped(value, newline=chr(10))}\n" for key, value in fields.items())
    return f"---\n{head}---\n{body.rstrip()}\n"


def _text_of(loader: Any, node: yaml.ScalarNode) -> Any:
    return loader.construct_scalar(node)


class _Careful(yaml.SafeLoader):  # type: ignore[misc]
    """Reads plain data only, in Python."""


class _Fast(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads plain data only, in C where that is there."""


for _loader in (_Careful, _Fast):
    # A date that is none would stop the reading of everything else.
    _loader.add_constructor("tag:yaml.org,2002:timestamp", _text_of)


def _with_field(text: str, key: str, value: Value | None) -> str:
    parts = split(text)
    if parts.unclosed:
        raise HeaderError("the header has no end")
    if parts.body == 0:
        if value is None:
            return text
        newline = parts.newline
        return f"---{newline}{key}:{_dumped(value, newline)}{newline}---{newline}{text}"
    start, end, comment = _place_of(parts, key)
    if start < 0:
        if value is None:
            return text
        start = end = parts.end
    newline = parts.newline
    if value is None:
        return text[:start] + text[end:]
    # A comment behind a value on one line stays.
    tail = f"  {comment}" if comment else ""
    return f"{text[:start]}{key}:{_dumped(value, newline)}{tail}{newline}{text[end:]}"


def _place_of(parts: Parts, key: str) -> tuple[int, int, str]:
    """Return the offsets of a field's lines, line end included, and a comment behind it.

    Without the field both offsets are -1.
    """
    source = UNPRINTABLE.sub(_readable, parts.text[parts.start : parts.end])
    try:
        node, _ = _parse(source)
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        raise HeaderError(_first_line(error)) from error
    if node is None:
        return -1, -1, ""
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        raise HeaderError("the header is not written as one key per line")
    found = [(k, v) for k, v in node.value if str(k.value) == key]
    if not found:
        return -1, -1, ""
    name, value = found[-1]
    last = value.end_mark.index
    # A block ends where the next token begins; comments and blanks before that stay.
    used = source[:last].rstrip()
    while (cut := max(used.rfind("\n"), used.rfind("\r")) + 1) and (
        used[cut:].lstrip().startswith("#") and cut > name.start_mark.index
    ):
        used = used[:cut].rstrip()
    stop = LINE.search(source, max(len(used), name.end_mark.index))
    end = stop.end() if stop else len(source)
    behind = source[value.end_mark.index : end].strip()
    comment = behind if isinstance(value, yaml.ScalarNode) and behind.startswith("#") else ""
    return parts.start + name.start_mark.index, parts.start + end, comment


def _parse(source: str) -> tuple[yaml.Node | None, Any]:
    # libyaml recurses without a bound and would take the process with it.
    loader = (_Careful if DEEP.search(source) else _Fast)(source)
    try:
        node = loader.get_single_node()
        return node, None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _broken(line: int, message: str) -> Header:
    return Header({}, {}, (Problem(line, f"the header cannot be read: {message}"),), broken=True)


def _first_line(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return (str(error).splitlines() or ["not valid YAML"])[0][:200]


def _readable(match: re.Match[str]) -> str:
    return match[0] if match[0] in "\t\n\r" else "\ufffd"


def _dumped(value: Value, newline: str) -> str:
    """Return a value as YAML that follows ``key:``."""
    if isinstance(value, bool):
        return " true" if value else " false"
    if isinstance(value, str):
        return f" {scalar(value)}"
    if all(isinstance(item, str) for item in value):
        return " [" + ", ".join(scalar(str(item)) for item in value) + "]"
    rows = []
    for item in value:
        assert isinstance(item, Mapping)
        pairs = [f"{key}: {scalar(text)}" for key, text in item.items()]
        rows.append("  - " + f"{newline}    ".join(pairs))
    return newline + newline.join(rows)


def scalar(text: str) -> str:
    """Return `text` as one YAML scalar on one line, bare where that is safe."""
    if PLAIN.fullmatch(text) and text == text.strip():
        try:
            if _parse(text)[1] == text:
                return text
        except (yaml.YAMLError, ValueError):
            pass
    quoted = json.dumps(text, ensure_ascii=False)
    return UNPRINTABLE.sub(lambda m: f"\\u{ord(m[0]):04x}", quoted)


def as_time(value: object) -> str:
    """Return a date or time of a header as it was written, or nothing."""
    return value if isinstance(value, str) and value[:1].isdigit() else ""
