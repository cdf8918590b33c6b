"""Search-and-replace blocks, and the paths that people and models write near code.

A block is what `engine.grammars.edits_grammar` makes a small model write, and
what larger ones write by themselves::

    FILE src/config.py
    <<<<<<< SEARCH
    lines as they are
    =======
    lines as they shall be
    >>>>>>> REPLACE
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from commonplace.edits.proposed import Edit, Replace, Unreadable

SEARCH = re.compile(r"\s*<{5,9} ?(?:SEARCH|ORIGINAL)\s*", re.IGNORECASE)
DIVIDER = re.compile(r"\s*={7}\s*")
LOOSE_DIVIDER = re.compile(r"\s*={5,9}\s*")
REPLACE = re.compile(r"\s*>{5,9} ?(?:REPLACE|UPDATED)?\s*", re.IGNORECASE)
FILE_LINE = re.compile(r"\s*FILE:?\s+(?P<path>\S.*?)\s*")
LABEL = re.compile(r"^(?:file|path)(?:name)?:\s*", re.IGNORECASE)
PATH = re.compile(r"(?:\./)?[\w@.+\[\](){}$~-]+(?:/[\w@.+\[\](){}$~ -]+)*")
SUFFIX = re.compile(r"\.[A-Za-z][\w+-]*\Z|/")
BARE_NAMES = frozenset({"makefile", "dockerfile", "jenkinsfile", "rakefile", "gemfile", "license"})
MEDIA_TYPE = re.compile(r"(?:text|application|image)/")
LANGUAGES = frozenset({"asp.net", "vb.net", "node.js", "vue.js", "react.js", "d3.js", "three.js"})
NEW_WORDS = re.compile(r"\b(?:create|add|new file|neue|nouveau)\b", re.IGNORECASE)
QUOTED = re.compile(r"`([^`\n]+)`")
DECORATION = re.compile(r"^[\s#>*_`-]+|[\s*_`:]+$")

NO_PATH = "it does not say which file it changes"
NO_END = "the block does not end, so the answer may have been cut off"
NO_DIVIDER = "it has no line ======= between the old lines and the new"
MANY_DIVIDERS = "it has several lines =======, so where the old lines end cannot be told"


def is_search(line: str) -> bool:
    """Return whether `line` opens a search-and-replace block."""
    return SEARCH.fullmatch(line) is not None


def read_block(lines: Sequence[str], at: int, path: str) -> tuple[Edit, int]:
    """Read the block that begins at line `at`; return it and the line after it."""
    end = at + 1
    while end < len(lines) and not REPLACE.fullmatch(lines[end]) and not is_search(lines[end]):
        end += 1
    closed = end < len(lines) and not is_search(lines[end])
    after = end + 1 if closed else end
    body, text = lines[at + 1 : end], "\n".join(lines[at:after])
    if not closed:
        return Unreadable(path, NO_END, text), after
    dividers = [n for n, line in enumerate(body) if DIVIDER.fullmatch(line)]
    if not dividers:
        dividers = [n for n, line in enumerate(body) if LOOSE_DIVIDER.fullmatch(line)]
    if len(dividers) != 1:
        return Unreadable(path, MANY_DIVIDERS if dividers else NO_DIVIDER, text), after
    if not path:
        return Unreadable("", NO_PATH, text), after
    old, new = body[: dividers[0]], body[dividers[0] + 1 :]
    return Replace(path, _joined(old), _joined(new), text), after


def path_in_info(info: str) -> str:
    """Return the path that the first line of a code fence names, or nothing.

    Understood are ``python src/a.py``, ``src/a.py``, ``python:src/a.py`` and
    ``python title="src/a.py"`` (also ``path``, ``file``, ``filename``).
    """
    named = re.search(r"""\b(?:path|file|filename|title)\s*=\s*["']?([^"'\s]+)""", info)
    if named:
        return _path(named[1], sure=True)
    words = info.split()
    for position, word in enumerate(words):
        language, _, rest = word.partition(":")
        tagged = bool(rest) and "/" not in language and "." not in language
        found = _path(rest if tagged else word, sure=False)
        if found and (position or tagged or word.lower() not in LANGUAGES):
            return found
    return ""


def path_in_line(line: str) -> str:
    """Return the path in a line of its own above a block, or in a sentence that ends with ``:``."""
    found = FILE_LINE.fullmatch(line)
    if found:
        path = _path(DECORATION.sub("", found["path"]), sure=True)
        if path:
            return path
    bare = DECORATION.sub("", LABEL.sub("", DECORATION.sub("", line)))
    path = _path(bare, sure=False)
    if path and " " not in path:
        return path
    quoted = [_path(text, sure=False) for text in QUOTED.findall(line)]
    quoted = [text for text in quoted if text]
    if len(set(quoted)) == 1 and line.rstrip().rstrip("*").endswith(":"):
        return quoted[0]
    return ""


def means_new_file(line: str) -> bool:
    """Return whether the line above a block says that the file is to be made."""
    return NEW_WORDS.search(line) is not None


def _path(text: str, *, sure: bool) -> str:
    """Return `text` as a path, if it looks like one; `sure` takes it as it is."""
    text = text.strip("`*\"'").removeprefix("./")
    if sure:
        return text
    if not PATH.fullmatch(text) or "//" in text or MEDIA_TYPE.match(text):
        return ""
    name = text.rpartition("/")[2].lower()
    return text if SUFFIX.search(text) or name in BARE_NAMES else ""


def _joined(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
