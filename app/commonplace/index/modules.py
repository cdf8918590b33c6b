"""What an import may stand for: the names files offer, and the names imports want.

Both sides are pure functions of a path and of what a file says. A name has
``/`` between its parts; files are found by the last part, the key. So a file
that comes or goes can only concern the imports that want one of its keys.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

How = Literal["exact", "suffix", "rooted", "declared", "go"]

INDEX_STEMS = {
    "python": frozenset({"__init__"}),
    "javascript": frozenset({"index"}),
    "typescript": frozenset({"index"}),
    "tsx": frozenset({"index"}),
    "html": frozenset({"index"}),
    "rust": frozenset({"mod", "lib", "main"}),
    "lua": frozenset({"init"}),
}
"""Files that stand for their folder."""
FAMILIES = {
    **dict.fromkeys(("javascript", "typescript", "tsx", "html"), "script"),
    **dict.fromkeys(("java", "kotlin", "scala"), "jvm"),
    **dict.fromkeys(("c", "cpp"), "c"),
}
"""Languages that import each other's files; every other one is a family of its own."""
SCRIPT_SUFFIXES = frozenset({".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts"})
PACKAGED = frozenset({"java", "kotlin", "scala", "csharp", "php"})
"""Languages whose files declare a package; what they define is imported by its name."""
GO_MODULE = "go.mod"
ANCHORS = {"__init__.py": "python", GO_MODULE: "go"}
"""Files whose presence decides how imports of a whole language are read."""


@dataclass(frozen=True, slots=True, order=True)
class Offer:
    """A name under which a file can be imported; `declared` says that its text gives it."""

    name: str
    declared: bool = False

    @property
    def key(self) -> str:
        """The last part of the name."""
        return key_of(self.name)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A name an import may mean, and how a file's name must relate to it.

    ``exact`` is a path from the project's root, ``suffix`` the end of one,
    ``rooted`` the end of one that begins in a folder of sources, ``declared``
    what a file says, ``go`` a Go package. Where `literal` is set the file's
    path must be that, or end with it.
    """

    name: str
    how: How
    literal: str = ""


def key_of(name: str) -> str:
    """Return the part of a name by which it is looked up."""
    if name.endswith("/*"):
        return f"{name[:-2].rpartition('/')[2]}/*"
    return name.rpartition("/")[2] or "."


def offers_of(
    path: str, language: str, declared: Sequence[str], defines: Iterable[str]
) -> set[Offer]:
    """Return every name under which the file at `path` can be imported.

    `declared` are the packages it says it is, `defines` the dotted names of its
    definitions.
    """
    folder, _, name = path.rpartition("/")
    if name == GO_MODULE:
        return {Offer(module, declared=True) for module in declared}
    stem = posixpath.splitext(path)[0]
    found = {Offer(stem)}
    if posixpath.basename(stem) in INDEX_STEMS.get(language, ()):
        found.add(Offer(folder))
    if language == "go" and not name.endswith("_test.go"):
        found.add(Offer(folder))
    if language in PACKAGED:
        found.update(_declared_offers(language, declared, defines))
    else:
        found |= {Offer(module, declared=True) for module in declared}
    return found


def _declared_offers(
    language: str, declared: Sequence[str], defines: Iterable[str]
) -> Iterator[Offer]:
    packages = ["/".join(declared)] if language == "scala" and declared else declared
    names = list(defines)
    for package in packages:
        yield Offer(f"{package}/*", declared=True)
        lead = package.replace("/", ".") + "."
        inside = {name.removeprefix(lead).partition(".")[0] for name in names}
        for name in inside:
            yield Offer(f"{package}/{name}", declared=True)


def wanted_by(path: str, language: str, target: str, hops: int) -> Iterator[Wanted]:
    """Yield what an import in the file at `path` may mean, the likeliest first."""
    for dropped in range(hops + 1):
        yield from _wanted(path, language, target)
        shorter = target.rpartition("/")[0]
        if dropped == hops or not shorter.strip("./"):
            # ``from . import x`` may mean the package itself.
            if dropped < hops and shorter in {".", ".."} | {"../" * n + ".." for n in range(1, 9)}:
                yield from _wanted(path, language, f"{shorter}/")
            return
        target = shorter


def keys_wanted(path: str, language: str, target: str, hops: int) -> set[str]:
    """Return the keys of all files that an import may lead to."""
    wanted = list(wanted_by(path, language, target, hops))
    keys = {key_of(item.name) for item in wanted}
    return keys | {"."} if any(item.how == "go" for item in wanted) else keys


def _wanted(path: str, language: str, target: str) -> Iterator[Wanted]:
    family = FAMILIES.get(language, language)
    folder = path.rpartition("/")[0]
    if language == "rust":
        yield from _wanted_by_rust(path, target)
    elif language == "go":
        yield Wanted(target, "go")
    elif language in {"elixir", "haskell"} or (
        language in PACKAGED and not target.startswith(("./", "../"))
    ):
        yield Wanted(target, "declared")
    elif target.startswith(("./", "../")):
        yield from _relative(folder, family, target)
    elif family == "script":
        if target.startswith(("@/", "~/")):
            yield Wanted(f"src/{_stem(target[2:])}", "suffix")
    elif family == "c":
        yield Wanted(_stem(target), "rooted", target)
    elif language in {"python", "lua", "ruby"}:
        name = target.removesuffix(".rb") if language == "ruby" else target
        yield Wanted(name, "suffix")


def _relative(folder: str, family: str, target: str) -> Iterator[Wanted]:
    full = posixpath.normpath(posixpath.join(folder, target))
    if full.startswith(".."):
        return
    full = "" if full == "." else full
    stem, suffix = posixpath.splitext(full)
    if family in {"c", "zig", "bash", "php"}:
        yield Wanted(stem, "exact", full)
        loose = target.lstrip("./")
        if family != "zig" and loose:
            yield Wanted(_stem(loose), "suffix", loose)
        return
    yield Wanted(full, "exact")
    if suffix:
        yield Wanted(stem, "exact", full)
    if suffix in SCRIPT_SUFFIXES or (family == "ruby" and suffix == ".rb"):
        yield Wanted(stem, "exact")  # ``./x.js`` is written for x.ts


def _wanted_by_rust(path: str, target: str) -> Iterator[Wanted]:
    stem = posixpath.splitext(path)[0]
    inner = stem.rpartition("/")[0] if posixpath.basename(stem) in INDEX_STEMS["rust"] else stem
    first, _, rest = target.partition("/")
    if first == "crate":
        parts = path.split("/")
        last = max((n for n, part in enumerate(parts) if part == "src"), default=-1)
        source = "/".join(parts[: last + 1])
        for name in (rest,) if rest else ("lib", "main"):
            yield Wanted(f"{source}/{name}".lstrip("/"), "exact")
        return
    base = inner
    while first == "super":
        base = base.rpartition("/")[0]
        first, _, rest = rest.partition("/")
        target = f"{first}/{rest}".strip("/")
    if first == "self":
        target = rest
    if not target:
        yield Wanted(base, "exact")
    else:
        yield Wanted(f"{base}/{target}".lstrip("/"), "exact")
        yield Wanted(f"{first}/src/{rest or 'lib'}", "suffix")


def _stem(path: str) -> str:
    return posixpath.splitext(path)[0]
