"""Notes are no source, and their folders are watched whatever the rules say."""

import pytest

from commonplace.workspace.project import Workspace


@pytest.fixture
def root(tmp_path):
    notes = tmp_path / ".commonplace" / "notes" / "deep"
    notes.mkdir(parents=True)
    (notes / "a.md").write_text("# A\n")
    (tmp_path / ".commonplace" / "other.txt").write_text("other\n")
    (tmp_path / "code.py").write_text("x = 1\n")
    return tmp_path


FOLDERS = {".commonplace", ".commonplace/notes", ".commonplace/notes/deep"}


@pytest.mark.parametrize("rules", ["", ".commonplace/\n", ".commonplace/notes\n", "*\n!code.py\n"])
def test_notes_are_watched_and_are_no_source(root, rules):
    (root / ".gitignore").write_text(rules)
    snapshot = Workspace(root).scan()
    assert not any(".commonplace/notes" in path for path in snapshot.files)
    assert "code.py" in snapshot.files
    assert snapshot.folders >= FOLDERS


def test_other_files_beside_the_notes_are_source(root):
    assert ".commonplace/other.txt" in Workspace(root).scan().files


@pytest.mark.parametrize("folder", sorted(FOLDERS))
def test_a_partial_scan_keeps_watching_the_notes(root, folder):
    (root / ".gitignore").write_text(".commonplace/\n")
    snapshot = Workspace(root).scan_under([folder])
    assert snapshot.folders >= FOLDERS
    assert not snapshot.files


def test_changes_of_notes_matter_though_they_are_ignored(root):
    (root / ".gitignore").write_text(".commonplace/\n")
    workspace = Workspace(root)
    assert workspace.matters("", ".commonplace", True)
    assert workspace.matters(".commonplace", "notes", True)
    assert workspace.matters(".commonplace/notes", "a.md", False)
    assert not workspace.matters(".commonplace/notes", ".note-x.tmp", False)
    assert workspace.stat(".commonplace/notes/deep/a.md") is None


def test_a_linked_notes_folder_is_not_followed(root, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret").mkdir()
    (root / ".commonplace" / "notes" / "link").symlink_to(outside, target_is_directory=True)
    assert ".commonplace/notes/link/secret" not in Workspace(root).scan().folders
