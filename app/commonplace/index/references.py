"""Which identifiers some lines of code hold, outside comments and strings.

An identifier is kept as a number of 32 bits, its CRC: a chunk refers to some
twenty names, and all that is ever asked is whether it refers to a given one.
Two names rarely share a number; what is shown to people is checked against the
text.
"""

from __future__ import annotations

import re
import zlib
from array import array
from collections.abc import Sequence

IDENTIFIER = re.compile(rb"[A-Za-z_\x80-\xff][\w\x80-\xff]+")
STRINGS = re.compile(rb'"(?:[^"\\\n]|\\.)*"')
QUOTED = re.compile(rb""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""")
APOSTROPHES = frozenset({"rust", "haskell", "scala"})
"""Languages in which an apostrophe stands alone, in lifetimes or names."""
NOT_CODE = frozenset(
    {"plain", "markdown", "rst", "text", "yaml", "toml", "json", "html", "css", "sql", "make"}
)
# Words of many languages that never name anything of a project.
KEYWORDS = frozenset(
    (
        b"abstract alias and as assert async await begin bool boolean break byte case catch char "
        b"class const continue crate def default defer defmodule defp del delete do done double "
        b"elif else elseif elsif end endif enum except export extends extern false False fi final "
        b"finally float fn for foreach from fun func function global go goto guard if ifdef ifndef "
        b"impl implements import in include inline instanceof int interface internal is lambda let "
        b"local long loop match mod module mut namespace new nil None nonlocal not null nullptr of "
        b"operator or override package pass private protected protocol pub public raise readonly "
        b"ref require required rescue return sealed self Self short signed sizeof static string "
        b"struct super switch template then this throw throws trait true True try type typedef "
        b"typename typeof undef union unless unsafe unsigned until use using val var virtual void "
        b"volatile when where while with yield"
    ).split()
)


def number_of(identifier: str) -> int:
    """Return the number that stands for an identifier."""
    return zlib.crc32(identifier.encode("utf-8", "surrogatepass"))


def without_comments(source: bytes, comments: Sequence[tuple[int, int]]) -> bytes:
    """Return `source` with its comments (byte ranges) cut out, line ends kept."""
    if not comments:
        return source
    pieces: list[bytes] = []
    position = 0
    for start, end in comments:
        if start >= position:
            pieces += [source[position:start], b"\n" * source.count(b"\n", start, end)]
            position = end
    pieces.append(source[position:])
    return b"".join(pieces)


def without_strings(code: bytes, language: str) -> bytes:
    """Return `code` with what stands in quotes on one line cut out."""
    return (STRINGS if language in APOSTROPHES else QUOTED).sub(b'""', code)


def references_in(code: bytes) -> bytes:
    """Return the numbers of all identifiers in `code` but keywords: four bytes each, ascending."""
    if not code:
        return b""
    return array("I", sorted(map(zlib.crc32, {*IDENTIFIER.findall(code)} - KEYWORDS))).tobytes()


def numbers(data: bytes) -> memoryview:
    """Return the numbers that `references_in` packed."""
    return memoryview(data).cast("I")
