"""A project stays open while anybody uses it."""

import threading
import time

import pytest

from commonplace.memory.gate import Gate
from commonplace.memory.project import Memory
from commonplace.memory.worker import MemoryService


class Never:
    stopped = False

    def check(self):
        """Nobody cancels."""


def started(work):
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_one_waits_for_many_and_many_for_one():
    gate, seen = Gate(), []
    inside, leave = threading.Barrier(3), threading.Event()

    def use():
        with gate.shared():
            inside.wait()
            leave.wait()
            seen.append("used")

    def change():
        with gate.alone():
            seen.append("changed")
            time.sleep(0.05)
            seen.append("done")

    def late():
        with gate.shared():
            seen.append("late")

    users = [started(use) for _ in range(2)]
    inside.wait()
    changer = started(change)
    while not gate._closed:
        time.sleep(0.001)
    comer = started(late)
    assert seen == []
    leave.set()
    for thread in (*users, changer, comer):
        thread.join()
    assert seen == ["used", "used", "changed", "done", "late"]


def test_an_error_inside_leaves_the_gate_open():
    gate = Gate()
    for way in (gate.shared, gate.alone, gate.shared):
        with pytest.raises(ValueError, match="inside"), way():
            raise ValueError("inside")


def test_opening_another_project_waits_for_the_search_in_the_first(
    make_project, state, monkeypatch
):
    project = make_project({"a.py": "def alpha(): pass\n"})
    service = MemoryService(lambda *_: None, state)
    handlers = service.handlers()
    searching, go_on, order = threading.Event(), threading.Event(), []
    search = Memory.search

    def slow(memory, *args, **kwargs):
        searching.set()
        go_on.wait()
        found = search(memory, *args, **kwargs)
        order.append("searched")
        return found

    monkeypatch.setattr(Memory, "search", slow)
    params = {"path": str(project), "embedder": "none"}
    handlers["open"](params, Never())

    def reopen():
        handlers["open"](params, Never())
        order.append("opened")

    asker = started(lambda: handlers["search"]({"question": "alpha"}, Never()))
    searching.wait()
    opener = started(reopen)
    while not service._gate._closed:
        time.sleep(0.001)
    go_on.set()
    asker.join()
    opener.join()
    service.close()
    assert order == ["searched", "opened"]
