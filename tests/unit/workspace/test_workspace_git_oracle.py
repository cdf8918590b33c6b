"""Our reading of ignore files against git's own, on the same trees."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commonplace.workspace import Workspace

GIT = shutil.which("git")
pytestmark = pytest.mark.skipif(GIT is None, reason="git is the oracle")

TREE = (
    "a",
    "b.c",
    "ab",
    "#hash",
    "!bang",
    "sp ace",
    "trail ",
    "[x]",
    "back\\slash",
    "a.log",
    "keep.log",
    "build/out.c",
    "build/deep/a",
    "src/a",
    "src/b.c",
    "src/ab",
    "src/build/out.c",
    "src/gen/a.c",
    "src/gen/keep.c",
    "src/gen/deep/x.c",
    "foo/a",
    "foo/bar/a",
    "foo/bar/baz/b.c",
    "foo/x/bar/ab",
    "doc/foo/bar/a",
    "doc/a.log",
    "doc/keep.log",
)

CASES: dict[str, dict[str, str]] = {
    "plain name": {".gitignore": "a\n"},
    "suffix and negation": {".gitignore": "*.log\n!keep.log\n"},
    "folder only": {".gitignore": "build/\na/\n"},
    "anchored": {".gitignore": "/build\n/a\n"},
    "slash in the middle anchors": {".gitignore": "src/gen\nfoo/bar/a\n"},
    "leading double star": {".gitignore": "**/bar\n**/gen/*.c\n"},
    "middle double star": {".gitignore": "foo/**/a\n"},
    "trailing double star": {".gitignore": "foo/**\n!foo/a\n"},
    "double star alone": {".gitignore": "**\n!*/\n!*.c\n"},
    "stars that are not double": {".gitignore": "src/**b\n**.log\n"},
    "everything but": {".gitignore": "/*\n!/src\n/src/*\n!/src/gen\n"},
    "parent excluded, child not": {".gitignore": "foo/\n!foo/bar/a\n"},
    "child of a folder brought back": {".gitignore": "foo/*\n!foo/bar\n"},
    "escapes": {".gitignore": "\\#hash\n\\!bang\n\\[x\\]\nback\\\\slash\n"},
    "comment": {".gitignore": "#hash\n# *\n"},
    "trailing spaces": {".gitignore": "a   \nsp ace  \ntrail\\ \n"},
    "trailing space unescaped": {".gitignore": "trail \n"},
    "carriage returns": {".gitignore": "a\r\n*.log\r\n"},
    "byte order mark": {".gitignore": "\ufeffa\n"},
    "brackets": {".gitignore": "[ab]\n[!b].c\nsrc/[^a]*\n[[:lower:]]b\n"},
    "odd brackets": {".gitignore": "[]x]*\n[a-\n[z-a]\n[\\#]hash\n[[:nope:]]\n[a-]\n[[:]\n"},
    "question mark": {".gitignore": "?\nb?c\nsrc?a\n"},
    "nested overrides": {".gitignore": "*.c\n", "src/.gitignore": "!b.c\n", "doc/.gitignore": "*"},
    "nested anchored": {"src/.gitignore": "/a\ngen/*\n!gen/deep\n"},
    "nested ignores itself": {"foo/.gitignore": "*\n"},
    "no newline at the end": {".gitignore": "*.log\nab"},
    "nonsense": {".gitignore": "/\n!\n//\na//b\n\\\n!!a\n   \nfoo\\/\n"},
    "info exclude": {".git/info/exclude": "*.c\n", ".gitignore": "!b.c\n"},
}


def listed_by_git(top: Path) -> set[str]:
    assert GIT is not None
    command = [GIT, "-C", str(top), "ls-files", "-z", "--others", "--exclude-standard"]
    done = subprocess.run(command, check=True, capture_output=True, timeout=60)
    return {os.fsdecode(name) for name in done.stdout.split(b"\0") if name}


def make_tree(top: Path, files: dict[str, str]) -> None:
    assert GIT is not None
    subprocess.run([GIT, "init", "-q", str(top)], check=True, timeout=60, capture_output=True)
    for path in (*TREE, *files):
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_bytes(files.get(path, "").encode())


@pytest.mark.parametrize("files", CASES.values(), ids=CASES.keys())
def test_same_as_git(root: Path, files: dict[str, str]) -> None:
    make_tree(root, files)
    scanned = Workspace(root).scan()
    assert set(scanned.files) == listed_by_git(root)
    assert not scanned.skipped


@pytest.mark.parametrize("files", CASES.values(), ids=CASES.keys())
def test_stat_agrees_with_scan(root: Path, files: dict[str, str]) -> None:
    make_tree(root, files)
    workspace = Workspace(root)
    scanned = workspace.scan()
    everything = {os.fspath(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}
    assert everything > set(scanned.files)
    for path in everything:
        assert workspace.stat(path) == scanned.files.get(path), path


@pytest.fixture(scope="module")
def fuzz_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("fuzz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        make_tree(top, {})
    return top


PIECES = ["a", "b", "*", "**", "?", "/", "**/", "/**", "foo", "bar", "src", "gen", ".c", ".log"]
PIECES += ["[ab]", "[!a]", "\\a", "build", "deep", "*/"]
LINES = st.lists(
    st.builds(
        "".join,
        st.tuples(
            st.sampled_from(["", "", "!", "/"]),
            st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join),
            st.sampled_from(["", "", "/", " "]),
        ),
    ),
    min_size=1,
    max_size=5,
)


def is_undocumented(line: str) -> bool:
    """Return whether git treats ``**`` in a way its documentation rules out.

    Git cuts the literal start off a pattern before it looks for ``**``, so
    that ``a**/b`` means ``a`` followed by ``**/b``.
    """
    pattern = line.strip().removeprefix("!").removeprefix("/")
    star = pattern.find("**")
    return star > 0 and pattern[star - 1] != "/" and not set(pattern[:star]) & set("*?[\\")


@settings(
    max_examples=120,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(outer=LINES, inner=LINES)
def test_same_as_git_for_any_rules(fuzz_tree: Path, outer: list[str], inner: list[str]) -> None:
    outer, inner = ([line for line in x if not is_undocumented(line)] for x in (outer, inner))
    (fuzz_tree / ".gitignore").write_text("\n".join(outer))
    (fuzz_tree / "src" / ".gitignore").write_text("\n".join(inner))
    assert set(Workspace(fuzz_tree).scan().files) == listed_by_git(fuzz_tree)
