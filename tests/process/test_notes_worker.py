"""The book over the wire: what the panel of notes asks of the memory process."""

from __future__ import annotations

import pytest

from commonplace.errors import NoteChangedError, NoteError
from faults.programs import MemoryWorker, Patience


@pytest.fixture
def worker(make_project):
    root = make_project({"app.py": "def load(path):\n    return open(path).read()\n"})
    with MemoryWorker() as memory:
        memory.open(root)
        memory.wait(lambda s: s.get("phase") == "ready")
        yield memory


def wait_for(worker, condition):
    waited = Patience()
    while not (found := condition()):
        waited.once(found)
    return found


def test_a_note_from_the_window_and_back(worker):
    note = worker.ask(
        "note_add", title="Why load reads all", text="Files are small.", anchors=["app.py::load"]
    )
    assert (note["status"], note["shelf"]) == ("kept", "shared")
    listed = worker.ask("notes", words="small")
    assert [row["id"] for row in listed["notes"]] == [note["id"]]
    assert listed["counts"]["kept"] == listed["total"] == 1
    edited = worker.ask("note_edit", note=note["id"], text="Files are tiny.", hash=note["hash"])
    assert edited["text"].strip() == "Files are tiny."
    with pytest.raises(NoteChangedError):
        worker.ask("note_edit", note=note["id"], text="late", hash=note["hash"])
    worker.ask("note_set", note=note["id"], title="Load", tags=["io"], pinned=True)
    shown = worker.ask("note", note=note["id"])
    assert (shown["title"], shown["tags"], shown["pinned"]) == ("Load", ["io"], True)
    assert {c["action"] for c in shown["changes"]} == {"add", "edit", "pin"}
    worker.ask("note_undo")
    assert not worker.ask("note", note=note["id"])["pinned"]
    worker.ask("note_discard", note=note["id"])
    assert worker.ask("notes")["total"] == 0
    worker.ask("note_undo")
    assert worker.ask("notes")["total"] == 1
    worker.ask("note_forget", note=note["id"])
    with pytest.raises(NoteError):
        worker.ask("note", note=note["id"])
    assert worker.ask("note_changes")["changes"] == []


def test_marks_in_the_margin_follow_the_code(worker):
    note = worker.ask("note_add", title="N", text="text", anchors=["app.py::load"])
    marks = wait_for(worker, lambda: worker.ask("note_marks", path="app.py")["marks"])
    assert marks[0]["note"]["id"] == note["id"]
    assert (marks[0]["check"]["start_line"], marks[0]["check"]["state"]) == (1, "fresh")


def test_a_correction_becomes_a_draft_when_idle(worker):
    said = "No, load must close the file before it returns."
    event = {"kind": "corrected", "question": "what does load do?", "said": said, "answer": "1"}
    assert worker.ask("note_event", **event)["remembered"]
    assert not worker.ask("note_event", **{**event, "said": "thanks a lot"})["remembered"]
    (draft,) = wait_for(worker, lambda: worker.ask("notes", status="inbox")["notes"])
    assert draft["origin"] == "draft"
    found = worker.ask("search", question="must load close the file before it returns")
    assert not any(p["note"] for p in found["passages"])
    worker.ask("note_keep", note=draft["id"])
    wait_for(worker, lambda: worker.ask("notes", status="kept")["notes"])
    worker.ask("note_used", notes=[draft["id"]], answer="a1")
    assert worker.ask("note", note=draft["id"])["uses"] == 1
    assert worker.ask("note_suggestions")["suggestions"] == []
    assert worker.ask("note_check")["checked"] >= 0
    worker.ask("note_events_forget")


def test_what_cannot_be_is_an_error_with_its_remedy(worker):
    for method, params in (
        ("note", {"note": "nobody"}),
        ("note_add", {"title": "", "text": ""}),
        ("note_add", {"title": "x", "text": "x", "anchors": ["no.py"]}),
        ("note_event", {"kind": "odd"}),
        ("note_undo", {}),
    ):
        with pytest.raises(NoteError) as error:
            worker.ask(method, **params)
        assert error.value.remedy
