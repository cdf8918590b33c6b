from __future__ import annotations

import pytest

from commonplace.errors import CancelledError, EngineError, ModelError, ProtocolError, to_wire
from commonplace.wire import calls as module
from commonplace.wire.calls import Calls
from commonplace.wire.messages import decode, encode


class Parent:
    """Records what was sent and what came back."""

    def __init__(self) -> None:
        self.sent: list[dict] = []
        self.got: list[object] = []
        self.events: list[tuple[str, dict]] = []
        self.hellos: list[dict] = []
        self.calls = Calls(
            lambda line: self.sent.append(decode(line)),
            on_hello=self.hellos.append,
            on_event=lambda name, data: self.events.append((name, data)),
        )

    def ask(self, **kwargs):
        return self.calls.start(
            "do", {}, on_result=self.got.append, on_error=self.got.append, **kwargs
        )

    def hear(self, *messages: dict) -> None:
        self.calls.feed(b"".join(encode(m) for m in messages))


def test_each_answer_finds_its_call():
    parent = Parent()
    first, second = parent.ask(on_data=parent.got.append), parent.ask()
    assert [m["id"] for m in parent.sent] == [first.number, second.number]
    parent.hear(
        {"id": second.number, "result": {"b": 2}},
        {"id": first.number, "data": {"part": 1}},
        {"id": second.number, "data": {"late": True}},
        {"id": first.number, "result": {"a": 1}},
        {"id": first.number, "result": {"twice": 1}},
        {"id": 99, "result": {}},
    )
    assert parent.got == [{"b": 2}, {"part": 1}, {"a": 1}]
    assert len(parent.calls) == 0


def test_an_error_keeps_its_class_message_and_remedy():
    parent = Parent()
    call = parent.ask()
    parent.hear({"id": call.number, "error": to_wire(ModelError("bad file", "choose another"))})
    (error,) = parent.got
    assert type(error) is ModelError
    assert str(error) == "bad file choose another"


def test_greeting_and_events_are_handed_on():
    parent = Parent()
    parent.hear(
        {"hello": "engine", "protocol": 1, "pid": 7}, {"event": "loading", "data": {"x": 1}}
    )
    assert parent.hellos[0]["pid"] == 7
    assert parent.events == [("loading", {"x": 1})]
    with pytest.raises(ProtocolError):
        parent.hear({"hello": "engine", "protocol": 99})


def test_cancel_is_sent_only_while_the_call_waits():
    parent = Parent()
    call = parent.ask()
    parent.calls.cancel(call)
    assert parent.sent[-1] == {"cancel": call.number}
    parent.hear({"id": call.number, "result": {}})
    parent.calls.cancel(call)
    assert len(parent.sent) == 2


def test_a_worker_that_overruns_its_deadline_is_given_up(monkeypatch):
    now = 100.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    parent = Parent()
    call = parent.ask(deadline=5)
    parent.ask()
    now = 105.0 + module.GRACE - 0.1
    parent.calls.expire()
    assert parent.got == []
    now += 0.2
    parent.calls.expire()
    (error,) = parent.got
    assert isinstance(error, CancelledError)
    assert parent.sent[-1] == {"cancel": call.number}
    assert len(parent.calls) == 1


def test_a_death_ends_every_call_once():
    parent = Parent()
    parent.ask()
    parent.ask()
    parent.calls.fail(EngineError("gone"))
    parent.calls.fail(EngineError("gone again"))
    assert [str(e) for e in parent.got] == ["gone", "gone"]
