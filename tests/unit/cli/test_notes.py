"""``commonplace notes``: what it promises to print."""

import json
from pathlib import Path

import pytest

from commonplace.cli import commands
from commonplace.memory.project import Memory
from commonplace.settings import save

FILES = {
    "src/app.py": "def load_config(path):\n    '''Read the configuration.'''\n    return path\n",
    "README.md": "# App\n\nReads a configuration.\n",
    "AGENTS.md": "Use tabs.\n",
}


@pytest.fixture
def project(make_project, state):
    save(state.settings_file, {"recall.embedder": "hash"})
    return str(make_project(FILES))


def run_json(capsys, *args):
    assert commands.run([*args, "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def added(project, capsys):
    return run_json(
        capsys, "notes", "add", project, "--title", "Why the budget is ten",
        "--text", "The latency budget is ten milliseconds since customers notice eleven.",
        "--anchor", "src/app.py::load_config", "--tag", "speed",
    )  # fmt: skip


def test_add_prints_the_note_with_its_id(added):
    assert added["id"]
    assert added["status"] == "kept"
    assert added["anchors"] == ["src/app.py::load_config"]
    assert added["path"] == ".commonplace/notes/why-the-budget-is-ten.md"


def test_list_and_show(project, capsys, added):
    (listed,) = run_json(capsys, "notes", "list", project)["notes"]
    assert (listed["id"], listed["kind"]) == (added["id"], "note")
    assert run_json(capsys, "notes", "list", project, "nothing")["notes"] == []
    shown = run_json(capsys, "notes", "show", project, added["id"][:4])
    assert shown["text"].startswith("The latency budget")


def test_a_note_that_answers_comes_first_in_search(project, capsys, added):
    found = run_json(capsys, "search", project, "why is the latency budget ten milliseconds")
    first = found["results"][0]
    assert (first["kind"], first["id"], first["tier"]) == ("note", added["id"], "note")
    assert first["symbol"] == "Why the budget is ten"
    tiers = {r["path"]: r["tier"] for r in found["results"]}
    assert tiers.get("README.md", "docs") == "docs"
    notes = run_json(capsys, "notes", "search", project, "latency")["results"]
    assert [r["id"] for r in notes] == [added["id"]]


def test_a_question_about_code_is_left_alone(project, capsys, added):
    found = run_json(capsys, "search", project, "load_config")
    assert found["results"][0]["path"] == "src/app.py"


def test_drafts_are_not_recalled_until_kept(project, capsys):
    draft = run_json(
        capsys, "notes", "add", project, "--title", "Latency budget", "--text",
        "The latency budget is ten milliseconds.", "--draft",
    )  # fmt: skip
    assert draft["status"] == "inbox"
    question = "what is the latency budget in milliseconds"
    assert not any("id" in r for r in run_json(capsys, "search", project, question)["results"])
    run_json(capsys, "notes", "keep", project, draft["id"])
    assert any("id" in r for r in run_json(capsys, "search", project, question)["results"])
    run_json(capsys, "notes", "archive", project, draft["id"])
    assert not any("id" in r for r in run_json(capsys, "search", project, question)["results"])
    run_json(capsys, "notes", "undo", project)
    assert run_json(capsys, "notes", "show", project, draft["id"])["status"] == "kept"


def test_check_says_what_changed(project, capsys, added):
    report = run_json(capsys, "notes", "check", project)
    assert [n["state"] for n in report["notes"]] == ["fresh"]
    source = "def load_config(path):\n    return open(path)\n"
    Path(project, "src", "app.py").write_text(source)
    (note,) = run_json(capsys, "notes", "check", project)["notes"]
    assert note["checks"][0]["what"] == "its body changed"
    assert commands.run(["notes", "check", project]) == 0
    out = capsys.readouterr().out
    assert "STALE" in out
    assert "+    return open(path)" in out
    found = run_json(capsys, "search", project, "why is the latency budget ten milliseconds")
    assert "written for an earlier version" in found["results"][0]["reasons"]


def test_edit_and_suggest(project, capsys, added):
    changed = run_json(
        capsys, "notes", "edit", project, added["id"], "--title", "New", "--text", "Text", "--pin"
    )
    assert (changed["title"], changed["text"].strip(), changed["pinned"]) == ("New", "Text", True)
    assert run_json(capsys, "notes", "suggest", project)["suggestions"] == []


def test_forget_removes_the_file(project, capsys, added):
    gone = run_json(capsys, "notes", "forget", project, added["id"])
    assert gone["forgotten"]
    assert run_json(capsys, "notes", "list", project)["notes"] == []
    assert commands.run(["notes", "show", project, added["id"]]) == 1
    assert "There is no note" in capsys.readouterr().err


def test_notes_work_while_a_window_has_the_project(project, capsys, state, tmp_path):
    memory = Memory(tmp_path / "project", state, embedder="hash")
    memory.refresh()
    note = run_json(capsys, "notes", "add", project, "--title", "Shared", "--text", "by both")
    assert [n["id"] for n in run_json(capsys, "notes", "list", project)["notes"]] == [note["id"]]
    memory.refresh()
    assert memory.book.note(note["id"]).title == "Shared"
    memory.close()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["add", "PROJECT", "--title", " ", "--text", "x"], "needs a title"),
        (["add", "PROJECT", "--title", "x", "--text", "x", "--anchor", "no.py"], "There is no"),
        (["keep", "PROJECT", "nobody"], "There is no note"),
        (["undo", "PROJECT"], "no change to undo"),
        (["list", "/nowhere/at/all"], "does not exist"),
    ],
)
def test_what_is_wrong_is_one_line_with_its_remedy(project, capsys, args, says):
    given = [project if a == "PROJECT" else a for a in args]
    assert commands.run(["notes", *given]) == 1
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1


def test_every_command_has_help():
    for command in commands.commands.commands["notes"].commands.values():
        assert command.help


def test_rules_and_pinned_notes_stand_in_the_prompt(project, capsys, state, tmp_path, added):
    run_json(capsys, "notes", "edit", project, added["id"], "--pin")
    memory = Memory(tmp_path / "project", state, embedder="hash")
    memory.refresh()
    found = memory.search("load_config", 3)
    memory.close()
    assert [(s.title, s.tier) for s in found.standing] == [
        ("AGENTS.md", "rules"),
        ("Why the budget is ten", "note"),
    ]
    assert type(found).from_wire(found.to_wire()) == found
