"""A project's past, read through git: what is there, and nothing that its folder wants run."""

import shutil
import subprocess
import sys

import pytest

from commonplace.memory import commits
from commonplace.memory.commits import HALF_LIFE, Commit, read_commits, recent_changes

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
WHO = ("-c", "user.name=A", "-c", "user.email=a@b")


def git(root, *arguments):
    subprocess.run(["git", "-C", str(root), *WHO, *arguments], check=True, capture_output=True)


@pytest.fixture
def project(make_project):
    root = make_project({"a.py": "a\n", "sub/b é.py": "b\n"})
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "Begin\n\nWith two files.")
    (root / "sub/b é.py").write_text("c\n")
    git(root, "commit", "-qam", "Change one")
    return root


def test_commits_come_newest_first_with_their_words_and_paths(project):
    newest, oldest = read_commits(project)
    assert (newest.text, newest.paths) == ("Change one", ("sub/b é.py",))
    assert (oldest.text, oldest.paths) == ("Begin\n\nWith two files.", ("a.py", "sub/b é.py"))
    assert [c.text for c in read_commits(project, limit=1)] == ["Change one"]
    assert [c.text for c in read_commits(project, start="HEAD~1")] == [oldest.text]


def test_paths_are_those_of_the_folder_that_is_open(project):
    assert [c.paths for c in read_commits(project / "sub")] == [("b é.py",), ("b é.py",)]


def test_a_folder_without_a_history_has_none(tmp_path, project, monkeypatch):
    (tmp_path / "bare").mkdir()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert read_commits(tmp_path / "bare") == []
    monkeypatch.setattr(commits.shutil, "which", lambda _name: None)
    assert read_commits(project) == []


def test_the_environment_does_not_lead_elsewhere(project, tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    assert len(read_commits(project)) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="the program to be run is a shell script")
def test_nothing_that_a_folder_names_is_run(project, tmp_path):
    mark = tmp_path / "was-run"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    program.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "diff.external", "gpg.program", "core.sshCommand",
                "diff.x.textconv", "diff.x.command", "core.alternateRefsCommand"):  # fmt: skip
        git(project, "config", key, str(program))
    git(project, "config", "log.showSignature", "true")
    git(project, "config", "pager.log", str(program))
    git(project, "config", "diff.orderFile", str(tmp_path / "missing"))
    (project / ".gitattributes").write_text("* diff=x\n")
    hooks = project / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-index-change", "reference-transaction"):
        shutil.copy(program, hooks / name)
    before = sorted((project / ".git").iterdir())
    assert len(read_commits(project)) == 2
    assert not mark.exists()
    assert sorted((project / ".git").iterdir()) == before


def test_a_history_that_takes_too_long_or_is_too_large_is_cut_short(project, monkeypatch):
    assert read_commits(project, stop=lambda: True) == []
    monkeypatch.setattr(commits, "MAX_BYTES", 1)
    assert len(read_commits(project)) <= 2


def test_the_later_a_change_the_more_it_counts():
    many = tuple(f"f{n}.py" for n in range(40))
    found = recent_changes(
        [
            Commit("3", int(10 * HALF_LIFE), "", ("a",)),
            Commit("2", int(9 * HALF_LIFE), "", ("a", "b")),
            Commit("1", int(9 * HALF_LIFE), "", many),
            Commit("0", 0, "", ("old",)),
        ]
    )
    assert found == {"a": 1.5, "b": 0.5} | ({"old": 0.001} if "old" in found else {})
    assert recent_changes([]) == {}
