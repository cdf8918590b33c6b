"""What the memory process answers about notes, beyond what the book itself does."""

from __future__ import annotations

import pytest

from commonplace.memory.notes import NotesService
from commonplace.memory.project import Memory

CODE = "class Ferry:\n    def book(self):\n        return 1\n\n\ndef other():\n    return 2\n"


@pytest.fixture
def memory(tmp_path, state):
    root = tmp_path / "project"
    root.mkdir()
    (root / "ferry.py").write_text(CODE)
    found = Memory(root, state, embedder="none")
    found.refresh()
    yield found
    found.close()


@pytest.fixture
def service(memory):
    class Idle:
        def tend(self):
            """Propose nothing: the tests look at the events."""

    return NotesService(lambda: (memory, Idle())).handlers()


@pytest.mark.parametrize(
    ("start", "end", "lines", "anchor"),
    [
        (3, 3, False, "ferry.py::Ferry.book"),
        (1, 1, False, "ferry.py::Ferry"),
        (2, 3, True, "ferry.py::Ferry.book"),
        (3, 6, True, "ferry.py:3-6"),
        (3, 6, False, "ferry.py"),
        (4, 4, False, "ferry.py"),
        (0, 0, True, "ferry.py"),
        (99, 1, True, "ferry.py:99-99"),
    ],
)
def test_a_note_is_proposed_to_speak_of_the_smallest_definition(service, start, end, lines, anchor):
    params = {"path": "ferry.py", "start": start, "end": end, "lines": lines}
    assert service["note_anchor"](params, None) == {"anchor": anchor}


def test_what_one_conversation_left_is_forgotten_alone(service, memory):
    for conversation in ("one", "two"):
        service["note_event"](
            {"kind": "asked", "question": f"of {conversation}", "answer": f"{conversation}/1"}, None
        )
    service["note_events_forget"]({"conversation": "one"}, None)
    assert [event["question"] for event in memory.book.records.events()] == ["of two"]
    service["note_events_forget"]({}, None)
    assert memory.book.records.events() == []
