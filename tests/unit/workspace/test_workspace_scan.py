"""What the walk takes, what it leaves out, and the reasons it gives."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from commonplace.errors import CancelledError, ProjectError
from commonplace.workspace import MAX_FILE_BYTES, FileStat, Skipped, Snapshot, Workspace

Write = Callable[..., Path]

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="a POSIX file system")


def names(root: Path) -> set[str]:
    return set(Workspace(root).scan().files)


def reasons(root: Path) -> dict[str, str]:
    return {skipped.path: skipped.reason for skipped in Workspace(root).scan().skipped}


def test_empty_folder(root: Path) -> None:
    assert Workspace(root).scan() == Snapshot({}, (), frozenset({""}))


def test_every_kind_of_text_file_counts(root: Path, write: Write) -> None:
    wanted = {"Makefile", "a.py", ".github/workflows/ci.yml", "vendor/v.go", "build/b.c", "empty"}
    for path in wanted:
        write(path, "" if path == "empty" else "x")
    snapshot = Workspace(root).scan()
    assert set(snapshot.files) == wanted
    assert snapshot.folders == {"", ".github", ".github/workflows", "vendor", "build"}


def test_a_file_is_described_as_the_disk_has_it(root: Path, write: Write) -> None:
    info = write("src/a.py", "hello").stat()
    found = Workspace(root).scan().files["src/a.py"]
    assert found == FileStat("src/a.py", 5, info.st_mtime_ns, info.st_ctime_ns, info.st_ino)


def test_junk_is_left_out(root: Path, write: Write) -> None:
    for folder in (".git", ".hg", "node_modules", "a/__pycache__", "site-packages", ".tox", ".vs"):
        write(f"{folder}/x.py")
    write("env/pyvenv.cfg")
    write("env/lib/x.py")
    write("rust/Cargo.toml")
    write("rust/target/x.rs")
    write("target/kept.py")
    write(".DS_Store")
    write("x.egg-info/PKG-INFO")
    assert names(root) == {"rust/Cargo.toml", "target/kept.py"}


def test_own_rules_bring_junk_and_ignored_files_back(root: Path, write: Write) -> None:
    write(".gitignore", "*.gen\n/out/\n")
    write(
        ".commonplaceignore", "!node_modules/\n!*.gen\n!env/\n!target/\n!.git/\nsecret*\n!/out/\n"
    )
    write("sub/.commonplaceignore", "b.gen\n")
    write("sub/b.gen")
    for path in ("node_modules/m.js", "a.gen", "env/pyvenv.cfg", "target/t", ".git/x", "out/o"):
        write(path)
    write("Cargo.toml")
    write("secrets.txt")
    expected = {".gitignore", ".commonplaceignore", "sub/.commonplaceignore", "Cargo.toml"}
    expected |= {"node_modules/m.js", "a.gen", "env/pyvenv.cfg", "target/t", "out/o"}
    assert names(root) == expected


def test_a_negation_for_git_does_not_bring_junk_back(root: Path, write: Write) -> None:
    write(".gitignore", "*\n!*/\n!*.py\n")
    write("node_modules/x.py")
    write("src/x.py")
    assert names(root) == {"src/x.py"}


@pytest.mark.parametrize("inside", ["pyvenv.cfg", "Cargo.toml"])
def test_a_root_is_walked_whatever_it_is(tmp_path: Path, inside: str) -> None:
    root = tmp_path / "node_modules" / "site-packages"
    root.mkdir(parents=True)
    (root / inside).touch()
    assert names(root) == {inside}


def test_what_is_left_out_without_a_read(root: Path, write: Write) -> None:
    os.truncate(write("large.txt"), MAX_FILE_BYTES + 1)
    os.truncate(write("limit.txt"), MAX_FILE_BYTES)
    write("picture.PNG")
    write(".png")
    assert reasons(root) == {"large.txt": "larger than 2 MiB", "picture.PNG": "binary (.png)"}
    assert names(root) == {"limit.txt", ".png"}


@posix_only
def test_special_files(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(root / "pipe")
    monkeypatch.chdir(root)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        assert reasons(root) == {"pipe": "named pipe", "socket": "socket"}
    workspace = Workspace(root)
    assert workspace.stat("pipe") is None
    with pytest.raises(OSError, match="not a regular file"):
        workspace.read("pipe")


@posix_only
def test_links(root: Path, write: Write, tmp_path: Path) -> None:
    write("real/file.py")
    outside = tmp_path / "project-too"
    outside.mkdir()
    (outside / "secret").write_text("s")
    links = {
        "inside": ("real/file.py", "symbolic link; its target is indexed"),
        "folder": ("real", "symbolic link to a folder; its target is walked"),
        "up": ("..", "symbolic link out of the folder"),
        "out": ("../project-too/secret", "symbolic link out of the folder"),
        "self": (".", "symbolic link to a folder; its target is walked"),
        "broken": ("nowhere", "symbolic link to nothing"),
    }
    for name, (target, _) in links.items():
        (root / name).symlink_to(target)
    (root / "loop").symlink_to("loop")
    found = reasons(root)
    assert found.pop("loop").startswith("symbolic link that cannot be followed")
    assert found == {name: reason for name, (_, reason) in links.items()}
    assert names(root) == {"real/file.py"}
    workspace = Workspace(root)
    for path in ("inside", "folder/file.py", "out", "up/project-too/secret", "loop", "self/inside"):
        assert workspace.stat(path) is None
        with pytest.raises(OSError):  # noqa: PT011 - the number depends on the system
            workspace.read(path)


@posix_only
def test_an_ignore_file_that_is_no_file_is_no_danger(root: Path, write: Write) -> None:
    os.mkfifo(root / ".gitignore")
    (root / ".commonplaceignore").symlink_to("/dev/zero")
    write("sub/.gitignore/x")
    write("a")
    assert names(root) == {"a", "sub/.gitignore/x"}


@posix_only
def test_difficult_names(root: Path, write: Write) -> None:
    wanted = {"new\nline", "quo'te\"s", "back\\slash", "tab\t", "ünï/cödé", " lead", "-dash", "*"}
    for path in wanted:
        write(path, path)
    workspace = Workspace(root)
    snapshot = workspace.scan()
    assert set(snapshot.files) == wanted
    for path in wanted:
        assert workspace.read(path).decode() == path
        assert workspace.stat(path) == snapshot.files[path]


@pytest.mark.skipif(sys.platform != "linux", reason="names are any bytes on Linux only")
def test_names_that_are_not_utf8(root: Path) -> None:
    (root / os.fsdecode(b"caf\xe9")).touch()
    (root / os.fsdecode(b"dir\xff")).mkdir()
    (root / os.fsdecode(b"dir\xff") / "x").touch()
    reason = "name is not valid UTF-8"
    snapshot = Workspace(root).scan()
    assert snapshot.skipped == (Skipped("caf\\xe9", reason), Skipped("dir\\xff", reason))
    assert not snapshot.files
    assert Workspace(root).stat(os.fsdecode(b"dir\xff/x")) is None


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_unreadable_folder(root: Path, write: Write) -> None:
    write("closed/x")
    (root / "closed").chmod(0)
    try:
        assert reasons(root) == {"closed": "cannot be read: Permission denied"}
    finally:
        (root / "closed").chmod(0o700)


def test_an_unreadable_folder_is_named(
    root: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("closed/x")
    write("open/x")
    scandir = os.scandir

    def refusing(path: str) -> os.ScandirIterator[str]:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    workspace = Workspace(root)
    monkeypatch.setattr(os, "scandir", refusing)
    snapshot = workspace.scan()
    assert snapshot.skipped == (Skipped("closed", "cannot be read: Permission denied"),)
    assert set(snapshot.files) == {"open/x"}
    assert snapshot.folders == {"", "open"}


def test_a_root_that_may_not_be_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(path: str) -> os.ScandirIterator[str]:
        raise PermissionError(13, "Permission denied", path)

    workspace = Workspace(root)
    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(ProjectError, match="may not be read"):
        Workspace(root)
    with pytest.raises(ProjectError, match="Permission denied"):
        workspace.scan()


def test_roots_that_cannot_be_opened(root: Path, write: Write) -> None:
    with pytest.raises(ProjectError, match="does not exist"):
        Workspace(root / "missing")
    with pytest.raises(ProjectError, match="not a folder"):
        Workspace(write("file"))
    with pytest.raises(ProjectError, match="null"):
        Workspace(Path("a\0b"))


@posix_only
def test_a_root_behind_a_link_is_resolved(root: Path, write: Write, tmp_path: Path) -> None:
    write("a")
    (tmp_path / "link").symlink_to(root)
    assert Workspace(tmp_path / "link").root == root
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ProjectError, match="cannot be opened"):
        Workspace(tmp_path / "loop")


def test_a_root_removed_while_open(root: Path, write: Write) -> None:
    write("a")
    workspace = Workspace(root)
    root.rename(root.with_name("moved"))
    with pytest.raises(ProjectError, match="is gone") as caught:
        workspace.scan()
    assert caught.value.remedy
    assert workspace.stat("a") is None
    with pytest.raises(FileNotFoundError):
        workspace.read("a")
    root.mkdir()
    write("b")
    assert set(workspace.scan().files) == {"b"}


def test_a_root_removed_during_a_scan(root: Path, write: Write) -> None:
    write("sub/a")
    moved = root.with_name("moved")

    def stop() -> bool:
        if root.exists():
            root.rename(moved)
        return False

    with pytest.raises(ProjectError, match="is gone"):
        Workspace(root).scan(stop)


def test_a_scan_can_be_stopped(root: Path, write: Write) -> None:
    for number in range(3):
        write(f"{number}/a")
    calls: list[None] = []

    def stop() -> bool:
        calls.append(None)
        return len(calls) > 2

    with pytest.raises(CancelledError):
        Workspace(root).scan(stop)
    assert len(calls) == 3


def test_very_deep_folders(root: Path, write: Write) -> None:
    depth = 300
    write("d/" * depth + "leaf")
    assert names(root) == {"d/" * depth + "leaf"}


def test_a_hostile_pattern_costs_no_time(root: Path, write: Write) -> None:
    write(".gitignore", "*a" * 40 + "b\n" + "**/a/" * 20 + "*b\n" + "[" * 5000 + "\n")
    write("a" * 200)
    write("a/" * 100 + "x")
    assert len(names(root)) == 3
