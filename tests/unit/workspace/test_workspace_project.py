"""Single files, single folders, reading, and rules that change or lie outside."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from commonplace.workspace import MAX_FILE_BYTES, Workspace
from commonplace.workspace.gitplaces import find_git_places

Write = Callable[..., Path]


def make_repository(top: Path, config: str = "") -> None:
    (top / ".git" / "info").mkdir(parents=True)
    (top / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (top / ".git" / "config").write_text(config)


def test_scan_under_walks_only_what_was_asked(root: Path, write: Write) -> None:
    write(".gitignore", "*.log\n")
    for path in ("a/x", "a/deep/y", "a/z.log", "b/x", "ab/x", "node_modules/m/x"):
        write(path)
    workspace = Workspace(root)
    whole = workspace.scan()
    part = workspace.scan_under({"a", "a/deep", "gone", "node_modules/m"})
    assert part.files == {p: s for p, s in whole.files.items() if p.startswith("a/")}
    assert part.folders == {"a", "a/deep"}
    assert workspace.scan_under({"b", ""}) == whole
    assert workspace.scan_under(()).folders == frozenset()


def test_scan_under_sees_that_a_folder_became_junk(root: Path, write: Write) -> None:
    write("env/lib/x.py")
    workspace = Workspace(root)
    assert workspace.scan_under({"env"}).files
    write("env/pyvenv.cfg")
    assert not workspace.scan_under({"env"}).folders
    assert not workspace.scan_under({"env/lib"}).folders
    assert workspace.stat("env/lib/x.py") is None


def test_changed_rules_hold_at_once(root: Path, write: Write) -> None:
    write("a.log")
    workspace = Workspace(root)
    assert "a.log" in workspace.scan().files
    write(".gitignore", "*.log\n")
    assert workspace.stat("a.log") is None
    assert "a.log" not in workspace.scan().files
    (root / ".gitignore").unlink()
    assert workspace.stat("a.log") is not None


@pytest.mark.parametrize("path", ["", ".", "..", "../x", "a/../a", "/etc/passwd", "a//b", "a\0"])
def test_paths_that_leave_the_root(root: Path, write: Write, path: str) -> None:
    write("a")
    workspace = Workspace(root)
    assert workspace.stat(path) is None
    with pytest.raises(PermissionError):
        workspace.read(path)


def test_reading(root: Path, write: Write) -> None:
    write("sub/a", b"\x00bytes\r\n")
    os.truncate(write("large"), MAX_FILE_BYTES + 1)
    workspace = Workspace(root)
    assert workspace.read("sub/a") == b"\x00bytes\r\n"
    with pytest.raises(FileNotFoundError):
        workspace.read("sub/b")
    with pytest.raises(OSError, match=r"not a regular file|denied"):
        workspace.read("sub")
    with pytest.raises(OSError, match="too large"):
        workspace.read("large")


def test_stat_of_what_is_no_file(root: Path, write: Write) -> None:
    write("sub/a")
    workspace = Workspace(root)
    assert workspace.stat("sub") is None
    assert workspace.stat("sub/a/b") is None
    assert workspace.stat("gone") is None


def test_what_matters(root: Path, write: Write) -> None:
    write(".gitignore", "*\n!*.py\n")
    workspace = Workspace(root)
    assert workspace.matters("", "gone.py", False)
    assert not workspace.matters("", "a.log", False)
    assert not workspace.matters("", "node_modules", True)
    assert workspace.matters("", ".gitignore", False)
    assert not workspace.matters("gone", "a.py", False)


@pytest.mark.parametrize(
    "config",
    ["[core]\n\texcludesFile = ~/rules", '[CORE] excludesfile="~/ru"les ; why\n', None],
    ids=["plain", "quoted", "default place"],
)
def test_global_rules(root: Path, write: Write, home: Path, config: str | None) -> None:
    (home / ".config" / "git").mkdir(parents=True)
    place = home / "rules" if config else home / ".config" / "git" / "ignore"
    place.write_text("*.tmp\n")
    if config:
        (home / ".gitconfig").write_text(config)
    write("a.tmp")
    write("a.py")
    assert set(Workspace(root).scan().files) == {"a.py"}


def test_configuration_is_read_as_git_reads_it(
    root: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "more").write_text("[core]\nexcludesfile = rules # here\n\tignorecase\n")
    (home / "chosen").write_text('[include]\npath = more\n[core "x"]\nexcludesfile = no\n')
    (home / ".gitconfig").write_text("[core]\nexcludesfile = not-this\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / "chosen"))
    make_repository(root)
    places = find_git_places(root)
    assert places.excludes_file == root / "rules"
    assert places.ignore_case
    assert places.top == root
    (root / ".git" / "config").write_text("[core]\n\texcludesfile =\n\tignorecase = false\n")
    assert find_git_places(root).excludes_file is None
    assert not find_git_places(root).ignore_case


def test_configuration_that_includes_itself(root: Path, home: Path) -> None:
    (home / ".gitconfig").write_text("[include]\npath = .gitconfig\n[core]\nignorecase = yes\n")
    assert find_git_places(root).ignore_case


def test_case_is_ignored_where_git_ignores_it(root: Path, write: Write) -> None:
    make_repository(root, "[core]\n\tignorecase = true\n")
    write(".gitignore", "*.LOG\nReadme\nDoc/*.TXT\n")
    for path in ("a.log", "README", "doc/a.txt", "b"):
        write(path)
    assert set(Workspace(root).scan().files) == {".gitignore", "b"}


def test_rules_above_the_root_hold(root: Path, write: Write) -> None:
    make_repository(root)
    (root / ".git" / "info" / "exclude").write_text("*.private\n")
    write(".gitignore", "*.log\n/a/sub/only\n/only\n")
    write("a/.gitignore", "!keep.log\n")
    for name in ("x.log", "keep.log", "only", "deep/only", "x.private", "x"):
        write(f"a/sub/{name}")
    assert set(Workspace(root / "a" / "sub").scan().files) == {"keep.log", "deep/only", "x"}


@pytest.mark.parametrize("rule", ["*", "/out/", "out/inner", "/out/**", "out/inner/*"])
def test_rules_above_the_root_cannot_empty_it(root: Path, write: Write, rule: str) -> None:
    make_repository(root)
    write(".gitignore", f"{rule}\n")
    write("out/inner/.gitignore", "*.log\n")
    write("out/inner/a.py")
    write("out/inner/a.log")
    assert "a.py" in Workspace(root / "out" / "inner").scan().files
    assert "a.log" not in Workspace(root / "out" / "inner").scan().files


def test_a_repository_within_keeps_its_own_rules(root: Path, write: Write) -> None:
    make_repository(root)
    write(".gitignore", "*.log\n")
    make_repository(root / "inner")
    (root / "inner" / ".git" / "info" / "exclude").write_text("*.tmp\n")
    for path in ("a.log", "a.tmp", "inner/a.log", "inner/a.tmp"):
        write(path)
    assert set(Workspace(root).scan().files) == {".gitignore", "a.tmp", "inner/a.log"}


@pytest.mark.skipif(shutil.which("git") is None, reason="git makes the work tree")
def test_a_linked_work_tree_shares_the_exclude_file(root: Path, tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        command = ["git", "-C", str(root), "-c", "user.name=n", "-c", "user.email=e", *arguments]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "m")
    git("worktree", "add", "-q", str(tmp_path / "linked"))
    (root / ".git" / "info").mkdir(exist_ok=True)
    (root / ".git" / "info" / "exclude").write_text("*.tmp\n")
    (tmp_path / "linked" / "a.tmp").touch()
    (tmp_path / "linked" / "a").touch()
    assert set(Workspace(tmp_path / "linked").scan().files) == {"a"}
