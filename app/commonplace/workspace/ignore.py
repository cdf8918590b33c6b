"""Which entries are ignored: git's rules, junk, and the user's own rules.

The strongest voice first: the object stores of version control are always
ignored; then ``.commonplaceignore`` decides, which can also bring back what
the others ignore; then built-in junk; then git's files as git ranks them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from commonplace.workspace import junk
from commonplace.workspace.files import join
from commonplace.workspace.gitplaces import (
    GitPlaces,
    find_git_places,
    info_exclude_of,
    is_repository,
)
from commonplace.workspace.patterns import Chain, Layer, NameRules, parse_layer
from commonplace.workspace.reading import read_small

_GIT_FILE = ".gitignore"
# Entries that can change which others count.
RULE_FILES = frozenset({_GIT_FILE, junk.OWN_RULES_FILE, junk.INSIDE_MARKER, ".git"})
# Names no project has, to ask whether outer rules leave anything of the root.
_PROBE = "commonplace-probe\x01"


@dataclass(frozen=True, slots=True)
class Scope:
    """The rules for the entries of one folder, and what its subfolders inherit.

    `has` tells whether the folder holds an entry of a name.
    """

    git: Chain
    own: Chain
    git_names: NameRules
    own_names: NameRules
    has: Callable[[str], bool]

    def ignores(self, name: str, is_dir: bool) -> bool:
        """Return whether the entry is left out of the project."""
        if name in junk.VERSION_CONTROL:
            return True
        wanted = self.own_names.decide(name, is_dir)
        if wanted is not None:
            return wanted
        return junk.is_junk(name, is_dir, self.has) or self.git_names.decide(name, is_dir) is True

    def insists_on(self, name: str) -> bool:
        """Return whether the user's own rules bring this folder back by name."""
        return self.own_names.decide(name, True) is False


class IgnoreRules:
    """All the rules for one root. Folders are named relative to the root."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._parsed: dict[Path, tuple[tuple[int, ...], Layer]] = {}
        self.refresh()

    def refresh(self) -> None:
        """Look again at what lies outside the root: repository, configuration, outer rules."""
        self._places = find_git_places(self._root)
        self._prefix = _prefix(self._places, self._root)
        self._git = self._outer_chain(self._places, self._prefix)
        self._own = Chain()

    def enter(self, parent: Scope | None, folder: str, has: Callable[[str], bool]) -> Scope:
        """Return the rules inside `folder`, given those of the folder it lies in.

        `parent` is None for the root.
        """
        git, own = (parent.git, parent.own) if parent else (self._git, self._own)
        full = self._full(folder)
        if parent and has(".git") and is_repository(self._root / folder):
            git = self._nested_repository(folder, full)
        if has(_GIT_FILE):
            git = git.with_layer(self._layer(self._root / folder / _GIT_FILE, full))
        if has(junk.OWN_RULES_FILE):
            own = own.with_layer(self._layer(self._root / folder / junk.OWN_RULES_FILE, full))
        return Scope(git, own, git.in_folder(full), own.in_folder(full), has)

    def _full(self, folder: str) -> str:
        """Return `folder` relative to the top of the repository."""
        return join(self._prefix, folder) if folder else self._prefix

    def _nested_repository(self, folder: str, full: str) -> Chain:
        """Return the rules at the top of a repository within the project.

        Git does not carry an outer repository's rules into an inner one.
        """
        chain = Chain(ignore_case=self._places.ignore_case)
        files = (self._places.excludes_file, info_exclude_of(self._root / folder))
        for path in files:
            if path is not None:
                chain = chain.with_layer(self._layer(path, full))
        return chain

    def _outer_chain(self, places: GitPlaces, prefix: str) -> Chain:
        """Return the rules that hold at the root before its own ignore file.

        When they would ignore the root or all that is in it, the user who
        opened it means something else: only the global rules are kept.
        """
        chain = Chain(ignore_case=places.ignore_case)
        if places.excludes_file is not None:
            chain = chain.with_layer(self._layer(places.excludes_file, ""))
        everywhere = chain
        if places.info_exclude is not None:
            chain = chain.with_layer(self._layer(places.info_exclude, ""))
        if places.top is None or not prefix:
            return chain
        above, base = places.top, ""
        for part in prefix.split("/"):
            chain = chain.with_layer(self._layer(above / _GIT_FILE, base))
            if chain.in_folder(base).decide(part, True):
                return everywhere
            above, base = above / part, join(base, part)
        inside = chain.in_folder(prefix)
        if inside.decide(_PROBE, True) and inside.decide(_PROBE, False):
            return everywhere
        return chain

    def _layer(self, path: Path, base: str) -> Layer:
        """Return the rules of an ignore file, parsed once per version of the file."""
        try:
            info = path.lstat()
        except OSError:
            return Layer(base, ())
        version = (info.st_mtime_ns, info.st_ctime_ns, info.st_size, info.st_ino)
        known = self._parsed.get(path)
        if known is not None and known[0] == version and known[1].base == base:
            return known[1]
        data = read_small(path) or b""
        layer = parse_layer(data, base, ignore_case=self._places.ignore_case)
        self._parsed[path] = (version, layer)
        return layer


def _prefix(places: GitPlaces, root: Path) -> str:
    if places.top is None or places.top == root:
        return ""
    return os.fspath(root.relative_to(places.top)).replace(os.sep, "/")
