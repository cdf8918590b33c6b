"""Anchors over real history, against what Python's own parser says.

Every function and class of a tree gets an anchor; then the commits that follow
are replayed one by one. What the truth is comes from `ast`, which shares
nothing with the fingerprints: two versions of a definition are the same if
their trees are, without docstrings and positions. A commit that leaves all
trees of a file alike only formats it.

* missed: the truth changed or went, and the anchor says fresh;
* false alarm: the truth is the same, and the anchor says changed or gone.
"""

from __future__ import annotations

import ast
import subprocess
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.recall.tables import Table
from commonplace.book.checking import Checker
from commonplace.book.note import Anchor
from commonplace.index.fingerprints import Source

MAX_ANCHORS = 200
EVERY = 40
"""Commits after which anchors are set anew, so that not all of them are gone."""


@dataclass
class Tally:
    """What was counted for one repository."""

    commits: int = 0
    checks: int = 0
    stale: int = 0
    missed: int = 0
    touched: int = 0
    alarms: int = 0
    formatted: int = 0
    format_alarms: int = 0
    moved: int = 0
    examples: list[str] = field(default_factory=list)


class Tree:
    """The Python files of one commit, as a check sees a project."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        self._names: dict[str, list[str]] | None = None

    def read(self, path: str) -> str | None:
        """Return the text of a file."""
        return self._files.get(path)

    def version(self, path: str) -> str:
        """Return nothing: everything is checked."""
        return self._files.get(path, "")

    def files(self) -> Collection[str]:
        """Return the paths of all files."""
        return self._files

    def named(self, name: str) -> Sequence[str]:
        """Return the files that define something of that last name."""
        last = name.rpartition(".")[2]
        return [p for p, text in self._files.items() if f" {last}(" in text or f" {last}:" in text]

    def generation(self) -> str:
        """Return nothing: everything is checked."""
        return ""


def tables(repos: Sequence[Path], count: int) -> Iterator[Table]:
    """Replay the last `count` commits of each repository that touch Python."""
    rows, notes = [], []
    for repo in repos:
        tally = replay(repo, count)
        rows.append(
            [
                f"{name_of(repo)} ({tally.commits})", f"{tally.checks:,}", str(tally.stale),
                str(tally.missed), f"{tally.touched:,}", str(tally.alarms),
                _share(tally.alarms, tally.touched), str(tally.formatted),
                str(tally.format_alarms), _share(tally.format_alarms, tally.formatted),
                str(tally.moved),
            ]
        )  # fmt: skip
        notes += [f"{name_of(repo)}: {example}" for example in tally.examples[:6]]
    header = [
        "repository (commits)", "checks", "stale", "missed", "same, in a changed file",
        "false alarms", "", "only formatted", "false alarms", "", "followed",
    ]  # fmt: skip
    yield Table("Anchors over history, against Python's own syntax trees", header, rows, notes)


def replay(repo: Path, count: int) -> Tally:
    """Walk through history, oldest first."""
    commits = _git(repo, "rev-list", "--first-parent", "--reverse", "HEAD", "--", "*.py").split()
    commits = commits[-count:]
    tally = Tally(commits=len(commits))
    before = _files(repo, commits[0])
    anchors = _anchors(before)
    for number, commit in enumerate(commits[1:], start=1):
        if number % EVERY == 0:
            anchors = _anchors(before)
        after = _files(repo, commit)
        changed = {p for p in before if before[p] != after.get(p)}
        _compare(anchors, before, after, changed, tally, commit)
        before = after
    return tally


@dataclass(frozen=True, slots=True)
class Set:
    """An anchor, its fingerprint, the code and its tree when it was set."""

    anchor: Anchor
    mark: str
    text: str
    tree: str


def _anchors(files: Mapping[str, str]) -> list[Set]:
    found = []
    for path, text in sorted(files.items()):
        trees = definitions(text)
        if not trees:
            continue
        source = Source(path, text)
        counts = Counter(symbol.name for symbol in source.symbols)
        for symbol in source.symbols:
            # Of several definitions of one name nobody can say which was meant.
            if symbol.name in trees and counts[symbol.name] == 1:
                anchor = Anchor(path, symbol.name)
                body = source.text(symbol.start_line, symbol.end_line)
                mark = str(source.of_symbol(symbol))
                found.append(Set(anchor, mark, body, trees[symbol.name]))
    step = max(1, len(found) // MAX_ANCHORS)
    return found[::step]


def _compare(
    anchors: list[Set],
    before: Mapping[str, str],
    after: Mapping[str, str],
    changed: set[str],
    tally: Tally,
    commit: str,
) -> None:
    checker = Checker(Tree(after))
    gone: list[Set] = []
    truths = {path: definitions(after.get(path, "")) for path in changed}
    earlier = {path: definitions(before[path]) for path in changed}
    for item in anchors:
        path, name = item.anchor.path, item.anchor.symbol
        if path not in changed or truths[path] is None:
            continue
        check = checker.check(item.anchor, item.mark, item.text)
        now = (truths[path] or {}).get(name)
        tally.checks += 1
        tally.moved += check.state == "moved"
        same = now == item.tree
        if not same:
            tally.stale += 1
            if now is None:
                gone.append(item)  # looked for once; it does not come back
            if check.state == "fresh":
                tally.missed += 1
                tally.examples.append(f"missed {commit[:9]} {path}::{name}")
            continue
        tally.touched += 1
        alarm = check.stale
        tally.alarms += alarm
        if alarm:
            tally.examples.append(f"alarm {commit[:9]} {path}::{name}")
        # The text differs and the tree does not: this commit only formatted it.
        source = Source(path, after[path])
        symbols = source.named(name)
        text = source.text(symbols[0].start_line, symbols[0].end_line) if symbols else ""
        if text != item.text and (earlier[path] or {}).get(name) == now:
            tally.formatted += 1
            tally.format_alarms += alarm
    for item in gone:
        anchors.remove(item)


def definitions(text: str) -> dict[str, str] | None:
    """Return the tree of every function and class by dotted name; None for what is no Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    found: dict[str, str] = {}
    twice: set[str] = set()

    def visit(node: ast.AST, scope: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{scope}.{child.name}" if scope else child.name
                if name in found:
                    twice.add(name)
                found[name] = ast.dump(_bare(child))
                if isinstance(child, ast.ClassDef):
                    visit(child, name)
            elif isinstance(child, ast.If | ast.Try | ast.With | ast.ExceptHandler):
                visit(child, scope)

    visit(module, "")
    return {name: tree for name, tree in found.items() if name not in twice}


def _bare(node: ast.AST) -> ast.AST:
    """Return a copy without docstrings and without the letter before a plain string."""
    copy = ast.parse(ast.unparse(node))
    for inner in ast.walk(copy):
        if isinstance(inner, ast.Constant):
            inner.kind = None
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = inner.body[0]
            said = first.value if isinstance(first, ast.Expr) else None
            if isinstance(said, ast.Constant) and isinstance(said.value, str):
                del inner.body[0]
    return copy


def _files(repo: Path, commit: str) -> dict[str, str]:
    """Return the Python files of a commit."""
    listing = _git(repo, "ls-tree", "-r", commit).splitlines()
    blobs = {}
    for line in listing:
        about, _, path = line.partition("\t")
        if path.endswith(".py") and about.split()[1] == "blob":
            blobs[path] = about.split()[2]
    return {path: _blob(repo, blob) for path, blob in blobs.items()}


_blobs: dict[tuple[Path, str], str] = {}


def _blob(repo: Path, blob: str) -> str:
    if (repo, blob) not in _blobs:
        data = subprocess.run(
            ["git", "-C", str(repo), "cat-file", "blob", blob], capture_output=True, check=True
        ).stdout
        _blobs[repo, blob] = data.decode("utf-8", "replace").replace("\r\n", "\n")
    return _blobs[repo, blob]


def name_of(repo: Path) -> str:
    """Return what people call the repository."""
    path = repo.resolve()
    name = path.parent.name if path.name in {"repo", ".git", "repo.git"} else path.name
    return name.removesuffix(".git").rpartition("+")[2]


def _git(repo: Path, *args: str) -> str:
    done = subprocess.run(["git", "-C", str(repo), *args], capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace")


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else "–"
