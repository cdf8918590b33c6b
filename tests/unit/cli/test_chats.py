"""The conversations of a project on the command line."""

import json
from contextlib import closing

import pytest

from commonplace.book.records import Records
from commonplace.chat.store import ConversationStore
from commonplace.cli import commands
from commonplace.engine.options import states_folder
from commonplace.engine.states import State, StateFolder
from unit.chat.conversations import asked, said


@pytest.fixture
def folder(state, tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    return root


@pytest.fixture
def kept(state, folder):
    """Two conversations about the project, and what a model has read of one."""
    with closing(ConversationStore(state.project_data(folder.resolve()))) as store:
        for name, text in (("aaa1", "where is a?"), ("bbb2", "why is b \u202e slow?")):
            question = asked(name, text)
            store.keep(question)
            store.keep(said(question, "Because of `a` [1].\n```py\nx = 1"))
    states = StateFolder(states_folder(state), "model", 1 << 20)
    assert states.save("aaa1", State([1, 2], b"what was said"))
    assert states.save("bbb2", State([1, 2], b"what was said"))
    return folder


def run_json(capsys, *args):
    assert commands.run(["chats", *map(str, args), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def run_text(capsys, *args):
    assert commands.run(["chats", *map(str, args)]) == 0
    return capsys.readouterr().out


def test_list_and_search(kept, capsys):
    assert [c["id"] for c in run_json(capsys, kept, "list")["conversations"]] == ["bbb2", "aaa1"]
    shown = run_text(capsys, kept, "list")
    assert "where is a?" in shown
    assert "\u202e" not in shown
    [hit] = run_json(capsys, kept, "search", "slow")["conversations"]
    assert hit["id"] == "bbb2"
    assert "aaa1" in run_text(capsys, kept, "search", "where")
    assert "No conversation" in run_text(capsys, kept, "search", "nowhere")


def test_show_and_export(kept, capsys, tmp_path):
    shown = run_json(capsys, kept, "show", "aa")
    assert [m["role"] for m in shown["messages"]] == ["user", "assistant"]
    assert shown["messages"][1]["passages"][0]["hash"]
    assert shown["messages"][1]["prompt"]["blocks"][0]["trust"] == "ours"
    text = run_text(capsys, kept, "show", "aa")
    assert "> where is a?" in text
    assert "[1] `src/a.py:3-4`" in text
    assert text.count("```") == 2, "a fence that the answer left open is closed"
    target = tmp_path / "out" / "chat.json"
    run_json(capsys, kept, "export", "aaa1", "--format", "json", "--to", target)
    assert json.loads(target.read_text())["format"] == "commonplace conversation 1"
    assert commands.run(["chats", str(kept), "export", "aaa1", "--to", str(target)]) == 1
    assert "already there" in capsys.readouterr().err


def test_delete_takes_the_models_memory_along(kept, capsys, state):
    def left():
        return list(states_folder(state).glob("*.state"))

    assert len(left()) == 2
    assert run_json(capsys, kept, "delete", "aaa1")["deleted"] == ["aaa1"]
    assert len(left()) == 1
    assert [c["id"] for c in run_json(capsys, kept, "list")["conversations"]] == ["bbb2"]
    assert commands.run(["chats", str(kept), "delete", "aaa1"]) == 1
    assert "There is no conversation" in capsys.readouterr().err


def test_delete_takes_what_the_book_remembered_along(kept, capsys, state):
    folder = state.project_data(kept.resolve())
    records = Records(folder)
    for chat in ("aaa1", "bbb2"):
        records.add_event(1.0, {"kind": "starred", "question": f"of {chat}", "answer": f"{chat}/1"})
    records.close()
    run_json(capsys, kept, "delete", "aaa1")
    records = Records(folder)
    assert [event["question"] for event in records.events()] == ["of bbb2"]
    records.close()
    assert b"of aaa1" not in b"".join(p.read_bytes() for p in folder.iterdir() if p.is_file())


def test_a_project_without_conversations(folder, capsys, state):
    assert "No conversations yet" in run_text(capsys, folder, "list")
    assert not state.data.exists()
