"""Nothing is written outside the project, nor where writing means running."""

from __future__ import annotations

import ctypes
import os
import shutil
import threading

import pytest
from edit_trees import tree
from hypothesis import given
from hypothesis import strategies as st

from commonplace.edits.changes import EditPlan, Write
from commonplace.edits.guard import asks_twice, checked_parts
from commonplace.edits.room import Edits
from commonplace.errors import EditChangedError, EditError, UserError

HERE, EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE
ESCAPES = [
    "", "/", "//", ".", "..", "./a", "a/", "a//b", "../a", "a/../../b", "a/./b", "a/..", "../..",
    "/etc/passwd", "//server/share/a", "~/a", "~root/a", "\\a", "a\\b", "..\\a", "\\\\server\\a",
    "C:/a", "C:a", "c:\\a", "file:///etc/passwd", "a:b", "a.txt:stream", "a.txt::$DATA", "a/b:c/d",
    ".git/config", ".git/hooks/pre-commit", ".GIT/config", ".Git/hooks/x", "sub/.git/config",
    ".git",
    ".gIt ", ".git./config", ".git /config", "git~1/config", "GIT~1/hooks/x", "git~2/x",
    ".g\u200cit/config", ".gi\u00adt/config", ".\u200bgit/config", "\uff0egit/config",
    ".g\u0131t\u200e/config", ".\u24d6\u24d8\u24e3/config", "\ufeff.git/config",
    ".hg/hgrc", ".svn/x", ".bzr/x", ".jj/x", "_darcs/x", ".commonplace/notes/x.md",
    ".Commonplace/x",
    "con", "CON", "nul", "NUL.txt", "aux.c", "prn", "com1", "COM9.log", "lpt1", "com\u00b9",
    "src/con/a", "CONIN$", "conout$", "a/nul.tar.gz", "com0",
    "a.", "a ", " a", "a./b", "a /b", "a...", "dir. /x",
    "a\0b", "a\nb", "a\rb", "a\tb", "a\x1bb", "a\x7fb", "a\u202eb", "a\u2066b", "a\u200bb",
    "a\ufeffb",
    "a\u2028b", "a\ud800b", "\udce9", "a" * 300, "a/" * 100 + "a", "b" * 3000, "\ufe0f/x",
]  # fmt: skip


@pytest.mark.parametrize("path", ESCAPES)
def test_escapes_are_refused_by_their_spelling(path):
    with pytest.raises(EditError) as caught:
        checked_parts(path)
    assert caught.value.remedy


@pytest.mark.parametrize("path", ESCAPES)
def test_escapes_are_refused_by_a_plan_too(path, both, root, tmp_path):
    (root / ".git").mkdir()
    before = tree(tmp_path)
    with pytest.raises(EditError):
        both.apply(EditPlan((Write(path, None, b"evil"),), ("yes",)), confirmed=True)
    assert {k: v for k, v in tree(tmp_path).items() if "evil" in str(v)} == {}
    assert tree(root) == {".git": b"<folder>"} or before == tree(tmp_path)


@pytest.mark.parametrize(
    "path",
    ["a", "src/a.py", "Makefile", "[slug].tsx", "a b/c d", "ä/ö.md", ".gitignore", "console.c",
     "nullable.py", "com.py/x", "git/x", "..a/b", "a..b", "-x", "日本/語.txt", "@types/a+b.d.ts"],
)  # fmt: skip
def test_ordinary_paths_are_not(path, both, root):
    checked_parts(path)
    both.apply(EditPlan((Write(path, None, b"x\n"),)))
    assert (root / path).read_bytes() == b"x\n"
    both.undo()
    assert tree(root) == {}


@given(st.lists(st.sampled_from(["..", ".", "", "a", ".git", "\u200b", "/", "\\", "C:", "nul"])))
def test_no_mixture_of_parts_leads_out(parts):
    path = "/".join(parts)
    try:
        checked = checked_parts(path)
    except EditError:
        return
    assert set(checked) == {"a"}
    assert os.path.normpath(f"/root/{path}") == f"/root/{path}"


@pytest.mark.parametrize(
    "path",
    [".github/workflows/ci.yml", ".GitHub/x", ".gitlab-ci.yml", ".GITLAB-CI.YML", "Jenkinsfile",
     ".circleci/config.yml", ".vscode/settings.json", "sub/.vscode/tasks.json", ".idea/x.xml",
     "a.code-workspace", ".envrc", ".env", ".env.local", ".gitattributes", ".gitmodules", ".npmrc",
     ".pre-commit-config.yaml", ".husky/pre-commit", ".devcontainer/devcontainer.json", ".vimrc",
     "AGENTS.md"],
)  # fmt: skip
def test_what_runs_by_itself_asks_twice(path, both, root):
    assert asks_twice(path)
    writes = (Write(path, None, b"x\n"),)
    with pytest.raises(EditError, match="second yes"):
        both.apply(EditPlan(writes, asks_twice=("this one",)))
    with pytest.raises(EditError, match="second yes"):
        both.apply(EditPlan(writes), confirmed=True)  # a plan that forgot to ask
    assert tree(root) == {}
    both.apply(EditPlan(writes, asks_twice=("this one",)), confirmed=True)
    assert (root / path).read_bytes() == b"x\n"


@pytest.mark.parametrize("path", ["Makefile", "setup.py", "package.json", "src/github/x", "env"])
def test_what_a_person_runs_does_not(path):
    assert not asks_twice(path)


# ---- what only the disk knows


@pytest.fixture
def outside(tmp_path):
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.txt").write_bytes(b"secret\n")
    return folder


def refused(edits: Edits, path: str, before: bytes | None = None) -> str:
    """Both the proposal and a plan made elsewhere are refused; returns the reason."""
    proposal = edits.propose(f"FILE {path}\n<<<<<<< SEARCH\n=======\nevil\n>>>>>>> REPLACE")
    assert not proposal.files
    with pytest.raises(UserError) as caught:
        edits.apply(EditPlan((Write(path, before, b"evil\n"),)))
    return caught.value.message


def test_links_are_not_followed(both, root, outside):
    (root / "folder").symlink_to(outside, target_is_directory=True)
    (root / "file.txt").symlink_to(outside / "secret.txt")
    (root / "dangling.txt").symlink_to(outside / "new.txt")
    (root / "inside").mkdir()
    (root / "inside/loop").symlink_to(root)
    (root / "up").symlink_to("..")
    assert "link" in refused(both, "folder/secret.txt", b"secret\n")
    assert "link" in refused(both, "folder/new.txt")
    assert "link" in refused(both, "file.txt", b"secret\n")
    assert "link" in refused(both, "dangling.txt")
    assert "link" in refused(both, "inside/loop/x.txt")
    assert "link" in refused(both, "up/outside/secret.txt", b"secret\n")
    assert tree(outside) == {"secret.txt": b"secret\n"}
    assert (root / "file.txt").is_symlink()


def test_files_with_a_second_name_are_refused(both, root, outside):
    os.link(outside / "secret.txt", root / "hard.txt")
    assert "second name" in refused(both, "hard.txt", b"secret\n")
    assert (outside / "secret.txt").read_bytes() == b"secret\n"


def test_devices_pipes_and_folders_are_refused(both, root):
    os.mkfifo(root / "pipe")
    (root / "folder").mkdir()
    (root / "file").write_bytes(b"x\n")
    assert "regular" in refused(both, "pipe")
    assert refused(both, "folder")
    assert "no folder" in refused(both, "file/below.txt")


def test_names_that_are_the_same_to_some_file_systems_are_refused(both, root):
    (root / "Readme.md").write_bytes(b"x\n")
    (root / "Stra\u00dfe").mkdir()
    assert "Readme.md" in refused(both, "README.MD")
    assert "Readme.md" in refused(both, "readme.md")
    assert "Stra\u00dfe" in refused(both, "STRASSE/x")


def test_gits_own_folder_is_known_by_what_it_holds(both, root):
    for name in ("HEAD", "objects", "refs"):
        (root / "meta").mkdir(exist_ok=True)
        (root / "meta" / name).mkdir()
    assert "git's own" in refused(both, "meta/config")
    assert "git's own" in refused(both, "meta/hooks/pre-commit")


def test_our_own_state_is_out_of_reach(tmp_path, monkeypatch):
    from commonplace.paths import StatePaths

    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.setenv("COMMONPLACE_HOME", str(root / "state"))
    edits = Edits(root, StatePaths.from_environment())
    edits.apply(EditPlan((Write("a", None, b"x"),)))
    edits = Edits(root, StatePaths.from_environment())
    assert "own state" in refused(edits, "state/data/x")


def test_read_only_files_stay(both, root):
    (root / "a").write_bytes(b"x\n")
    (root / "a").chmod(0o444)
    proposal = both.propose("FILE a\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE")
    assert "read-only" in proposal.problems[0].reason
    with pytest.raises(EditError, match="read-only"):
        both.apply(EditPlan((Write("a", b"x\n", b"y\n"),)))


def test_a_project_that_was_exchanged_is_not_written(both, root, tmp_path, outside):
    root.rename(tmp_path / "away")
    root.symlink_to(outside, target_is_directory=True)
    with pytest.raises(EditError):
        both.apply(EditPlan((Write("new.txt", None, b"evil"),)))
    assert tree(outside) == {"secret.txt": b"secret\n"}


def test_a_folder_exchanged_for_a_link_at_any_moment_leads_nowhere(root, state, outside):
    """A thread exchanges the folder and a link to the outside as fast as it can."""
    exchange = getattr(ctypes.CDLL(None), "renameat2", None)
    if exchange is None:
        pytest.skip("this system cannot exchange two names")
    (root / "sub").mkdir()
    (root / "sub/secret.txt").write_bytes(b"secret\n")
    (root / "link").symlink_to(outside, target_is_directory=True)
    edits = Edits(root, state)
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            exchange(HERE, bytes(root / "sub"), HERE, bytes(root / "link"), EXCHANGE)

    thread = threading.Thread(target=swap)
    thread.start()
    done = refusals = 0
    try:
        for number in range(150):
            name = "secret.txt" if number % 2 else f"new{number}.txt"
            before = b"secret\n" if number % 2 else None
            try:
                edits.apply(EditPlan((Write(f"sub/{name}", before, b"secret\n!"),)))
                done += 1
                edits.undo()
            except UserError:
                refusals += 1
    finally:
        stop.set()
        thread.join()
    if (root / "sub").is_symlink():
        exchange(HERE, bytes(root / "sub"), HERE, bytes(root / "link"), EXCHANGE)
    assert tree(outside) == {"secret.txt": b"secret\n"}
    assert refusals, "the race never happened"
    edits.recover()
    assert tree(outside) == {"secret.txt": b"secret\n"}
    # Where clearing up met the link twice, a temporary file may stay, but inside the project.
    left = [p for p in (root / "sub").iterdir() if p.name.startswith(".commonplace-edit")]
    assert len(left) <= refusals


def test_a_file_saved_by_an_editor_meanwhile_is_never_overwritten(both, root):
    (root / "a").write_bytes(b"one\n")
    (root / "b").write_bytes(b"two\n")
    plan = EditPlan((Write("a", b"one\n", b"1\n"), Write("b", b"two\n", b"2\n")))
    (root / "b").write_bytes(b"mine\n")
    with pytest.raises(EditChangedError, match=r"b was changed"):
        both.apply(plan)
    assert tree(root) == {"a": b"one\n", "b": b"mine\n"}
    (root / "b").unlink()
    with pytest.raises(EditChangedError, match=r"b is gone"):
        both.apply(plan)
    shutil.rmtree(root)
    with pytest.raises(UserError):
        both.apply(plan)
