"""What a file imports, includes, requires or uses, as it says so itself.

Statements are found by patterns in code whose comments were cut out: they are
simple everywhere, and a pattern costs a tenth of a walk over the tree. Names
are brought to one form, the target: parts with ``/`` between them, beginning
with ``./`` or ``../`` where they are relative to the file, ending in ``/*``
where all of a package is meant. `modules` says what a target may stand for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MAX_IMPORTS = 400
"""Statements of one file that are kept; generated code has thousands."""
MAX_TARGET = 200


@dataclass(frozen=True, slots=True)
class Import:
    """One thing a file imports. Lines count from 1.

    Up to `hops` parts may be dropped from the end of `target` when nothing
    answers to it: they may name something inside a file.
    """

    line: int
    target: str
    hops: int = 0


@dataclass(frozen=True, slots=True)
class Declared:
    """A package, namespace or module that a file says it is. Lines count from 1."""

    line: int
    name: str


Found = Iterator[tuple[str, int]]
"""Targets with their hops."""

DOTTED = re.compile(r"[\w.$']+")


def find_imports(language: str, code: str) -> list[Import]:
    """Return what `code` imports, in order; nothing in a language that we do not know."""
    found: dict[Import, None] = {}
    for pattern, lead, read in READERS.get(language, ()):
        for match in pattern.finditer(code):
            if lead is not None and not _stands_after(lead, code, match.start()):
                continue
            line = code.count("\n", 0, match.start()) + 1
            for target, hops in read(match):
                if 0 < len(target) <= MAX_TARGET:
                    found[Import(line, target, hops)] = None
            if len(found) >= MAX_IMPORTS:
                break
    return sorted(found, key=lambda item: item.line)[:MAX_IMPORTS]


def imports_anything(language: str) -> bool:
    """Whether we know how files of `language` import others."""
    return language in READERS


def _stands_after(lead: re.Pattern[str], code: str, position: int) -> bool:
    """Whether what stands before `position` in its line is such a `lead`."""
    return lead.fullmatch(code, code.rfind("\n", 0, position) + 1, position) is not None


def find_declared(language: str, code: str) -> list[Declared]:
    """Return the packages, namespaces or modules that `code` says it is."""
    pattern = DECLARED.get(language)
    if pattern is None:
        return []
    return [
        Declared(
            code.count("\n", 0, match.start(1)) + 1,
            match[1] if language == "go.mod" else slashed(match[1]),
        )
        for match in pattern.finditer(code)
    ][:MAX_IMPORTS]


def slashed(dotted: str) -> str:
    r"""Return a dotted, ``\``- or ``::``-separated name with slashes instead."""
    return dotted.replace("::", "/").replace("\\", "/").replace(".", "/").strip("/")


def _plain_name(item: str) -> str:
    """Return what is imported in ``name as other`` or ``name => other``."""
    words = re.split(r"\s+as\s+|\s*=>\s*|\s+", item.strip(), maxsplit=1)
    return words[0].strip()


def _python_import(match: re.Match[str]) -> Found:
    for item in match[1].split(","):
        yield slashed(_plain_name(item)), 0


def _python_from(match: re.Match[str]) -> Found:
    dots = len(match[1])
    base = ("./" if dots == 1 else "../" * (dots - 1)) + slashed(match[2])
    for item in (match[3] or match[4]).replace("\\\n", " ").split(","):
        name = _plain_name(item)
        if name == "*":
            yield base or "./", 0
        elif name.isidentifier():
            yield f"{base.rstrip('/')}/{name}" if base else name, 1


def _literal(match: re.Match[str]) -> Found:
    yield match[match.lastindex or 1], 0


def _script(match: re.Match[str]) -> Found:
    target = match[1].partition("?")[0]
    if target in {".", ".."}:
        target += "/"
    yield target, 0


def _go_block(match: re.Match[str]) -> Found:
    for path in re.findall(r'"([^"\n]+)"', match[1]):
        yield path, 0


def _c_include(match: re.Match[str]) -> Found:
    yield (_next_to(match[1]) if match[1] else match[2]), 0


def _rust_use(match: re.Match[str]) -> Found:
    for path in _expanded(match[1], 0):
        parts = [part for part in path.split("::") if part]
        if parts and parts[-1] in {"*", "self"}:
            parts.pop()
        if parts:
            yield "/".join(parts), 2


def _expanded(tree: str, depth: int) -> Iterator[str]:
    """Yield the paths of ``a::{b, c::{d, e as f}}``."""
    tree = tree.strip()
    head, brace, rest = tree.partition("{")
    if not brace or depth > 8:
        yield _plain_name(tree)
        return
    inner, level, start = rest.rpartition("}")[0], 0, 0
    for position, letter in enumerate(f"{inner},"):
        if letter == "," and level == 0:
            item = inner[start:position]
            start = position + 1
            if item.strip():
                yield from (head.strip() + path for path in _expanded(item, depth + 1))
        level += (letter == "{") - (letter == "}")


def _rust_mod(match: re.Match[str]) -> Found:
    yield f"self/{match[1]}", 0


def _jvm(match: re.Match[str]) -> Found:
    name = slashed(match[1])
    yield (f"{name}/*", 0) if match[2] else (name, 1)


def _scala(match: re.Match[str]) -> Found:
    for item in re.findall(r"([\w.]+?)\.(?:\{([^}]*)\}|(_|\*)|(\w+))(?:\s+as\s+\w+)?(?=[,\s]|$)",
                           match[1]):  # fmt: skip
        base, many, wild, one = slashed(item[0]), item[1], item[2], item[3]
        names = [_plain_name(name) for name in many.split(",")] if many else [wild or one]
        for name in names:
            yield (f"{base}/*", 0) if name in {"_", "*", ""} else (f"{base}/{name}", 1)


def _csharp(match: re.Match[str]) -> Found:
    name = slashed(match[2])
    yield (name, 1) if match[1] else (f"{name}/*", 0)


def _php_use(match: re.Match[str]) -> Found:
    if match[2] is None:
        yield slashed(match[1]), 0
        return
    for name in match[2].split(","):
        if name.strip():
            yield f"{slashed(match[1])}/{slashed(_plain_name(name))}", 0


def _beside(match: re.Match[str]) -> Found:
    yield _next_to(match[1]), 0


def _next_to(path: str) -> str:
    """Return a path as one relative to the file; what stood before it was a variable."""
    path = path.lstrip("/")
    return path if path.startswith("../") else f"./{path.removeprefix('./')}"


def _shell(match: re.Match[str]) -> Found:
    plain = re.sub(r"\$\([^)]*\)|\$\{[^}]*\}|\$\w+|[\"']", "", match[1]).strip()
    path = re.search(r"[\w./+@-]+$", plain)
    if path is not None:
        yield _next_to(path[0]), 0


def _lua(match: re.Match[str]) -> Found:
    yield slashed(match[1]), 0


def _elixir(match: re.Match[str]) -> Found:
    base = slashed(match[1])
    if match[2] is None:
        yield base, 0
        return
    for name in match[2].split(","):
        if name.strip():
            yield f"{base}/{slashed(name.strip())}", 0


def _module(match: re.Match[str]) -> Found:
    yield slashed(match[1]), 0


def _zig(match: re.Match[str]) -> Found:
    if match[1].endswith(".zig"):
        yield _next_to(match[1]), 0


Reader = tuple[re.Pattern[str], re.Pattern[str] | None, Callable[[re.Match[str]], Found]]
INDENT = r"[ \t]*"


def _reader(
    pattern: str, read: Callable[[re.Match[str]], Found], lead: str | None = None
) -> Reader:
    """Return a reader; `lead` is what may stand before a match in its line.

    A pattern that begins with letters is searched five times as fast as one
    that begins with the lead.
    """
    before = None if lead is None else re.compile(lead)
    return re.compile(pattern, re.MULTILINE), before, read


_SCRIPT = (
    _reader(r"\bfrom\s*['\"]([^'\"\n]+)['\"]", _script),
    _reader(r"\b(?:require|import)\s*\(?\s*['\"]([^'\"\n]+)['\"]", _script),
)
_C = (
    _reader(r"#[ \t]*(?:include|import)[ \t]*(?:\"([^\"\n]+)\"|<([^>\n]+)>)", _c_include, INDENT),
)

_VISIBLE = r"[ \t]*(?:pub(?:\([^)\n]*\))?\s+)?"

READERS: dict[str, tuple[Reader, ...]] = {
    "python": (
        _reader(r"import[ \t]+([^\n#;()]+)", _python_import, INDENT),
        _reader(
            r"from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]*"
            r"(?:\(([^)]*)\)|((?:[^\n(;\\]|\\\n)+))",
            _python_from,
            INDENT,
        ),
    ),
    "javascript": _SCRIPT,
    "typescript": _SCRIPT,
    "tsx": _SCRIPT,
    "html": _SCRIPT,  # Vue and Svelte
    "go": (
        _reader(r"^import\s+(?:[\w.]+\s+)?\"([^\"\n]+)\"", _literal),
        _reader(r"^import\s*\(([^)]*)\)", _go_block),
    ),
    "rust": (
        _reader(r"use\s+([^;]+);", _rust_use, _VISIBLE),
        _reader(r"mod\s+(\w+)\s*;", _rust_mod, _VISIBLE),
    ),
    "java": (_reader(r"import\s+(?:static\s+)?([\w.]+?)(\.\*)?\s*;", _jvm, INDENT),),
    "kotlin": (_reader(r"import\s+([\w.]+?)(\.\*)?(?:\s+as\s+\w+)?[ \t;]*$", _jvm, INDENT),),
    "scala": (_reader(r"import[ \t]+((?:[^\n{]|\{[^}]*\})+)", _scala, INDENT),),
    "c": _C,
    "cpp": _C,
    "csharp": (
        _reader(
            r"using\s+(static\s+|\w+\s*=\s*)?([A-Za-z_][\w.]*)\s*;",
            _csharp,
            r"[ \t]*(?:global\s+)?",
        ),
    ),
    "php": (
        _reader(r"use\s+(?:function\s+|const\s+)?([\\\w]+)(?:\\?\{([^}]*)\})?", _php_use, INDENT),
        _reader(r"\b(?:require|include)(?:_once)?\b[^;'\"\n]*['\"]([^'\"\n]+)['\"]", _beside),
    ),
    "ruby": (
        _reader(r"\brequire_relative\s*\(?\s*['\"]([^'\"\n]+)['\"]", _beside),
        _reader(r"\b(?:require|load)\s*\(?\s*['\"]([^'\"\n]+)['\"]", _literal),
        _reader(r"\bautoload\s*\(?\s*:\w+\s*,\s*['\"]([^'\"\n]+)['\"]", _literal),
    ),
    "swift": (
        _reader(
            r"^[ \t]*(?:@\w+[ \t]+)*import[ \t]+"
            r"(?:(?:class|struct|enum|protocol|func|var|let|typealias)[ \t]+)?(\w+)",
            _literal,
        ),
    ),
    "bash": (_reader(r"^[ \t]*(?:source|\.)[ \t]+([^;&|\n]+)", _shell),),
    "lua": (_reader(r"\brequire\s*\(?\s*['\"]([^'\"\n]+)['\"]", _lua),),
    "elixir": (
        _reader(
            r"^[ \t]*(?:alias|import|use|require)[ \t(]+([A-Z][\w.]*?)"
            r"(?:\.\{([^}]*)\})?(?=[\s,)]|$)",
            _elixir,
        ),
    ),
    "haskell": (
        _reader(
            r"^import\s+(?:safe\s+)?(?:qualified\s+)?(?:\"[^\"\n]*\"\s+)?([A-Z][\w.']*)", _module
        ),
    ),
    "zig": (_reader(r"@import\(\s*\"([^\"\n]+)\"\s*\)", _zig),),
}

DECLARED = {
    language: re.compile(pattern, re.MULTILINE)
    for language, pattern in {
        "java": r"^[ \t]*package\s+([\w.]+)",
        "kotlin": r"^[ \t]*package\s+([\w.]+)",
        "scala": r"^package\s+(?!object\b)([\w.]+)",
        "csharp": r"^[ \t]*namespace\s+([\w.]+)",
        "php": r"^[ \t]*(?:<\?php\s+)?namespace\s+([\w\\]+)",
        "elixir": r"^[ \t]*defmodule\s+([A-Z][\w.]*)",
        "haskell": r"^module\s+([A-Z][\w.']*)",
        "go.mod": r"^module\s+\"?([^\s\"]+)",
    }.items()
}
