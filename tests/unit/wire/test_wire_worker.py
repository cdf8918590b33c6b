from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator

import pytest

from commonplace.errors import CancelledError, ModelError
from commonplace.wire import messages
from commonplace.wire.messages import LineBuffer, Message, decode, encode
from commonplace.wire.worker import Task, Worker


class Rig:
    """A worker in a thread of this process, spoken to over two pipes."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.release = threading.Event()
        inward, self._to_worker = os.pipe()
        self._from_worker, outward = os.pipe()
        self._reader = os.fdopen(inward, "rb", buffering=0)
        self._writer = os.fdopen(outward, "wb")
        self.worker = Worker(
            "test", self._reader, self._writer, threads=3, ordered=("hold", "echo")
        )
        self._thread = threading.Thread(target=self.worker.run, args=(self._handlers(),))
        self._lines = LineBuffer()
        self._pending: list[Message] = []
        self._thread.start()

    def _handlers(self):
        def echo(params: Message, task: Task) -> Message:
            task.send({"piece": 1})
            return params

        def wait(_params: Message, task: Task) -> Message:
            self.started.set()
            while not task.stopped:
                self.release.wait(0.005)
            task.check()
            return {}

        def hold(_params: Message, _task: Task) -> Message:
            self.started.set()
            self.release.wait(10)
            return {}

        def refuse(_params: Message, _task: Task) -> Message:
            raise ModelError("no", "try another")

        def fail(_params: Message, _task: Task) -> Message:
            return {"x": 1 // 0}

        def unspeakable(_params: Message, _task: Task) -> Message:
            return {"x": object()}

        return {
            "echo": echo,
            "wait": wait,
            "hold": hold,
            "refuse": refuse,
            "fail": fail,
            "unspeakable": unspeakable,
        }

    def tell(self, *parts: Message | bytes) -> None:
        for part in parts:
            os.write(self._to_worker, part if isinstance(part, bytes) else encode(part))

    def hear(self) -> Message:
        while not self._pending:
            assert select.select([self._from_worker], [], [], 10)[0], "the worker says nothing"
            data = os.read(self._from_worker, 4096)
            assert data, "the worker closed its output"
            self._pending += [decode(line) for line in self._lines.feed(data)]
        return self._pending.pop(0)

    def end_input(self) -> None:
        if self._to_worker >= 0:
            os.close(self._to_worker)
            self._to_worker = -1
        self._thread.join(5)
        assert not self._thread.is_alive()

    def close(self) -> None:
        self.release.set()
        self.end_input()
        self.worker._pool.shutdown()
        self.worker._queue.shutdown()
        self._reader.close()
        self._writer.close()
        os.close(self._from_worker)


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    assert rig.hear()["hello"] == "test"
    yield rig
    rig.close()


def test_data_comes_before_the_result(rig):
    rig.tell({"id": 1, "method": "echo", "params": {"ü": [1]}, "deadline": None})
    assert rig.hear() == {"id": 1, "data": {"piece": 1}}
    assert rig.hear() == {"id": 1, "result": {"ü": [1]}}


def test_what_is_served_in_order_is_not_overtaken(rig):
    rig.tell({"id": 1, "method": "hold"})
    assert rig.started.wait(10)
    rig.tell({"id": 2, "method": "echo"}, {"id": 3, "method": "refuse"})
    assert rig.hear()["id"] == 3  # others need not wait
    rig.release.set()
    assert [rig.hear()["id"] for _ in range(3)] == [1, 2, 2]


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        ({"method": "nothing"}, "ProtocolError"),
        ({"method": None}, "ProtocolError"),
        ({"method": "echo", "params": [1]}, "ProtocolError"),
        ({"method": "echo", "params": "x"}, "ProtocolError"),
        ({"method": "echo", "deadline": "soon"}, "ProtocolError"),
        ({"method": "refuse"}, "ModelError"),
        ({"method": "fail"}, "DefectError"),
        ({"method": "unspeakable"}, "DefectError"),
    ],
)
def test_every_numbered_request_is_answered(rig, request_, kind):
    rig.tell({"id": 5, **request_})
    reply = rig.hear()
    assert reply["id"] == 5
    assert reply["error"]["type"] == kind
    rig.tell({"id": 6, "method": "echo"})
    assert rig.hear()["id"] == 6


@pytest.mark.parametrize(
    "line",
    [
        b"garbage\n",
        b"\xff\xfe\n",
        b"\n",
        b"[]\n",
        b'{"id": "x"}\n',
        b'{"id": true, "method": "echo"}\n',
        b'{"id": -1, "method": "echo"}\n',
        b'{"cancel": [1]}\n',
        b'{"cancel": {}}\n',
        b'{"cancel": 77}\n',
    ],
)
def test_malformed_lines_are_passed_over(rig, line):
    rig.tell(line, {"id": 1, "method": "echo"})
    assert rig.hear() == {"id": 1, "data": {"piece": 1}}


def test_a_running_request_is_cancelled(rig):
    rig.tell({"id": 1, "method": "wait"})
    assert rig.started.wait(5)
    rig.tell({"cancel": 1})
    assert rig.hear()["error"]["type"] == CancelledError.__name__


def test_a_request_is_cancelled_before_it_starts(rig):
    rig.tell({"id": 1, "method": "hold"})
    assert rig.started.wait(5)
    rig.tell({"id": 2, "method": "echo"}, {"cancel": 2}, {"id": 3, "method": "nothing"})
    assert rig.hear()["id"] == 3  # answered by the reader: the cancel was seen
    rig.release.set()
    assert rig.hear() == {"id": 1, "result": {}}
    reply = rig.hear()
    assert (reply["id"], reply["error"]["type"]) == (2, "CancelledError")


def test_a_deadline_ends_the_request(rig):
    rig.tell({"id": 1, "method": "wait", "deadline": 0.02})
    error = rig.hear()["error"]
    assert error["type"] == "CancelledError"
    assert "long" in error["message"]


def test_the_end_of_the_input_cancels_what_runs(rig):
    rig.tell({"id": 1, "method": "wait"})
    assert rig.started.wait(5)
    rig.end_input()
    assert rig.hear()["error"]["type"] == "CancelledError"


def test_a_line_without_end_ends_the_worker(rig, monkeypatch):
    monkeypatch.setattr(messages, "MAX_LINE", 100)
    rig.tell(b"x" * 200)
    rig._thread.join(5)
    assert not rig._thread.is_alive()


def test_events_are_sent_unasked(rig):
    rig.worker.notify("changed", {"n": 1})
    assert rig.hear() == {"event": "changed", "data": {"n": 1}}
