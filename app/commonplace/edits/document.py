"""A text file as lines that turn back into exactly its bytes."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from commonplace.errors import EditError

LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
END = re.compile(r"(?:\r\n|\n|\r)\Z")
UNDECODED = re.compile("[\udc80-\udcff]")
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, which begins alike
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def split_lines(text: str) -> tuple[str, ...]:
    """Return the lines of `text`, each with its end: LF, CR LF, CR or none."""
    return tuple(LINE.findall(text))


def end_of(line: str) -> str:
    """Return the line end of `line`, empty if it has none."""
    found = END.search(line)
    return found[0] if found else ""


def body_of(line: str) -> str:
    """Return `line` without its end."""
    return END.sub("", line)


@dataclass(frozen=True, slots=True)
class Document:
    """The lines of a file, its byte order mark and its encoding.

    Bytes that are no UTF-8 stand in the lines as lone surrogates and come back
    as they were.
    """

    lines: tuple[str, ...] = ()
    mark: bytes = b""
    encoding: str = "utf-8"

    @classmethod
    def of(cls, data: bytes) -> Document:
        """Read `data`; raises `EditError` for a file that is no text."""
        marks = (pair for pair in MARKS if data.startswith(pair[0]))
        mark, encoding = next(marks, (b"", "utf-8"))
        errors = "surrogateescape" if encoding == "utf-8" else "strict"
        try:
            text = data[len(mark) :].decode(encoding, errors)
        except UnicodeDecodeError:
            raise _binary() from None
        document = cls(split_lines(text), mark, encoding)
        if "\0" in text or document.encoded() != data:
            raise _binary()
        return document

    @property
    def foreign(self) -> bool:
        """Whether there are bytes that are not UTF-8, so that the encoding is not known."""
        return any(UNDECODED.search(line) for line in self.lines)

    @property
    def usual_end(self) -> str:
        """The line end that most lines have."""
        ends = Counter(filter(None, map(end_of, self.lines)))
        return ends.most_common(1)[0][0] if ends else "\n"

    def with_lines(self, lines: Iterable[str]) -> Document:
        """Return the same file with other lines."""
        return replace(self, lines=tuple(lines))

    def encoded(self) -> bytes:
        """Return the bytes of the file; raises `EditError` for text it cannot hold."""
        errors = "surrogateescape" if self.encoding == "utf-8" else "strict"
        try:
            return self.mark + "".join(self.lines).encode(self.encoding, errors)
        except UnicodeEncodeError as error:
            raise EditError(
                f"The new text holds a character that {self.encoding} cannot write.",
                "Make this change in an editor.",
            ) from error


def _binary() -> EditError:
    return EditError("This file is not text.", "Change it with the program that made it.")
