"""Staged changes are read from git's objects, and nothing of the folder is run."""

import shutil
import subprocess

import pytest

from commonplace.errors import QuestionError
from commonplace.memory.staged import staged_changes

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def repository(tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    return tmp_path


def git(root, *args):
    subprocess.run(["git", "-C", str(root), *args], check=True)


def test_only_what_is_staged(repository):
    (repository / "a.py").write_text("staged = 1\n")
    (repository / "b.py").write_text("unstaged = 1\n")
    git(repository, "add", "a.py")
    assert "+staged = 1" in staged_changes(repository)
    assert "unstaged" not in staged_changes(repository)


def test_nothing_staged_and_no_repository(repository, tmp_path_factory):
    with pytest.raises(QuestionError, match="Nothing is staged"):
        staged_changes(repository)
    with pytest.raises(QuestionError, match="git says"):
        staged_changes(tmp_path_factory.mktemp("plain"))


def test_nothing_the_folder_names_is_run(repository):
    marker = repository / "ran"
    script = repository / "run.sh"
    script.write_text(f"#!/bin/sh\ntouch '{marker}'\ncat\n")
    script.chmod(0o755)
    (repository / "a.py").write_text("x = 1\n")
    git(repository, "add", "a.py")
    (repository / ".gitattributes").write_text("* filter=evil diff=evil\n")
    for key in ("filter.evil.clean", "filter.evil.process", "diff.evil.textconv",
                "diff.evil.command", "diff.external", "core.fsmonitor", "core.pager"):  # fmt: skip
        git(repository, "config", key, str(script))
    assert "+x = 1" in staged_changes(repository)
    assert not marker.exists()
