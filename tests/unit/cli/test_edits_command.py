"""The commands that show, write, list and take back changes."""

from __future__ import annotations

import io
import json

import pytest

from commonplace.cli.commands import run

PATCH = "--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+2\u202e\n"


@pytest.fixture
def project(make_project):
    return make_project({"a.txt": "one\ntwo\n", "b.txt": "b\n"})


@pytest.fixture
def patch(tmp_path):
    file = tmp_path / "a.patch"
    file.write_text(PATCH, encoding="utf-8")
    return file


def told(capsys):
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_a_patch_is_shown_then_written_then_taken_back(project, patch, capsys):
    assert run(["apply", str(project), str(patch)]) == 0
    out, _ = told(capsys)
    assert "-two" in out
    assert "+2⟨U+202E⟩" in out
    assert "--yes" in out
    assert (project / "a.txt").read_bytes() == b"one\ntwo\n"
    assert run(["apply", str(project), str(patch), "--yes"]) == 0
    assert (project / "a.txt").read_bytes() == "one\n2\u202e\n".encode()
    assert run(["edits", "list", str(project)]) == 0
    out, _ = told(capsys)
    assert "a.patch" in out
    assert run(["edits", "show", str(project)]) == 0
    assert "+2⟨U+202E⟩" in told(capsys)[0]
    assert run(["edits", "undo", str(project)]) == 0
    assert (project / "a.txt").read_bytes() == b"one\ntwo\n"
    assert "Undone: a.patch" in told(capsys)[0]
    assert run(["edits", "redo", str(project), "--json"]) == 0
    assert json.loads(told(capsys)[0])["applied"] is True
    assert (project / "a.txt").read_bytes() == "one\n2\u202e\n".encode()


def test_the_path_may_come_first(project, patch, capsys):
    run(["apply", str(project), str(patch), "--yes"])
    assert run(["edits", str(project), "undo", "--json"]) == 0
    assert (project / "a.txt").read_bytes() == b"one\ntwo\n"
    assert run(["edits", str(project), "nonsense"]) == 2


def test_json_says_everything(project, patch, capsys):
    assert run(["apply", str(project), str(patch), "--json", "--yes"]) == 0
    data = json.loads(told(capsys)[0])
    [change] = data["changes"]
    assert (change["path"], change["kind"]) == ("a.txt", "modify")
    assert (change["added"], change["removed"]) == (1, 1)
    assert data["applied"]
    assert run(["edits", "list", str(project), "--json"]) == 0
    listed = json.loads(told(capsys)[0])["changes"]
    assert [c["files"] for c in listed] == [["a.txt"]]
    assert run(["edits", "show", str(project), listed[0]["id"], "--json"]) == 0
    assert "-two" in json.loads(told(capsys)[0])["changes"][0]["diff"]


def test_undo_shows_the_difference_where_it_is_refused(project, patch, capsys):
    run(["apply", str(project), str(patch), "--yes"])
    (project / "a.txt").write_bytes(b"one\nmine\n")
    told(capsys)
    assert run(["edits", "undo", str(project)]) == 1
    _, err = told(capsys)
    assert "-mine" in err
    assert "+two" in err
    assert "changed since" in err
    assert (project / "a.txt").read_bytes() == b"one\nmine\n"


def test_a_part_that_cannot_be_placed_holds_up_all(project, tmp_path, capsys):
    file = tmp_path / "half.patch"
    file.write_text(PATCH + "--- a/b.txt\n+++ b/b.txt\n@@ -1 +1 @@\n-nothing\n+x\n")
    assert run(["apply", str(project), str(file), "--yes"]) == 1
    _, err = told(capsys)
    assert "b.txt: the old lines do not stand in the file" in err
    assert (project / "a.txt").read_bytes() == b"one\ntwo\n"


def test_settings_need_a_second_yes(project, tmp_path, capsys):
    file = tmp_path / "ci.md"
    file.write_text("```yaml .gitlab-ci.yml\njob: {}\n```\n")
    assert run(["apply", str(project), str(file), "--yes"]) == 1
    assert "second yes" in told(capsys)[1]
    assert not (project / ".gitlab-ci.yml").exists()
    assert run(["apply", str(project), str(file), "--yes", "--settings-too"]) == 0
    assert (project / ".gitlab-ci.yml").read_text() == "job: {}\n"


def test_a_patch_may_come_from_standard_input(project, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(PATCH.encode())))
    assert run(["apply", str(project), "-", "--yes"]) == 0
    assert "2\u202e" in (project / "a.txt").read_text()


@pytest.mark.parametrize(
    "words",
    [
        ["apply", "{project}", "{project}/missing.patch"],
        ["apply", "{project}", "{project}"],
        ["apply", "{project}", "{project}/b.txt"],
        ["apply", "{project}/nowhere", "{project}/b.txt"],
        ["edits", "undo", "{project}"],
        ["edits", "redo", "{project}"],
        ["edits", "show", "{project}"],
        ["edits", "show", "{project}", "zzz"],
        ["edits", "list", "{project}/nowhere"],
    ],
)
def test_bad_input_is_one_line_with_a_remedy(words, project, capsys):
    assert run([word.format(project=project) for word in words]) == 1
    _, err = told(capsys)
    assert len(err.strip().splitlines()) == 1
    assert "Traceback" not in err


def test_an_empty_journal_says_so(project, capsys):
    assert run(["edits", "list", str(project)]) == 0
    assert "No changes yet" in told(capsys)[0]
