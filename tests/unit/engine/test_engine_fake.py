from __future__ import annotations

from pathlib import Path

import pytest

from commonplace.chat.messages import Message
from commonplace.engine.fake import FakeEngine
from commonplace.engine.types import Engine, LoadOptions, Sampling
from commonplace.errors import EngineError, ModelError

MODEL = Path("fake.gguf")


def ask(engine: Engine, text: str, **kwargs):
    return engine.complete([Message("user", text)], Sampling(), **kwargs)


def test_it_echoes_or_follows_its_script():
    with FakeEngine() as engine:
        engine.load(MODEL)
        pieces: list[str] = []
        answer = ask(engine, "context\nwhy is it so?", on_text=pieces.append)
        assert answer.text == "You asked: why is it so?" == "".join(pieces)
        assert answer.finish == "stop"
        assert ask(engine, "!say as [1] says").text == "as [1] says"
        assert engine.asked[0] == [Message("user", "context\nwhy is it so?")]
    engine = FakeEngine(["first", "second"])
    engine.load(MODEL)
    assert [ask(engine, "?").text for _ in range(3)] == ["first", "second", "You asked: ?"]


def test_it_counts_reuses_and_runs_out_of_room():
    engine = FakeEngine(options=LoadOptions(context=600))
    engine.load(MODEL)
    assert engine.count(["one two", ""]) == [2, 0]
    talk = [Message("user", "one two")]
    assert engine.count_messages(talk) == 4
    assert engine.complete(talk, Sampling()).reused_tokens == 0
    assert engine.complete(talk, Sampling()).reused_tokens == 3
    with pytest.raises(EngineError, match="600"):
        ask(engine, "word " * 200)


def test_it_misbehaves_on_request():
    engine = FakeEngine()
    with pytest.raises(EngineError, match="No model"):
        ask(engine, "?")
    with pytest.raises(ModelError):
        engine.load(Path("damaged.gguf"))
    with pytest.raises(EngineError):
        engine.load(Path("crash.gguf"))
    engine.load(MODEL)
    assert ask(engine, "!long").completion_tokens == Sampling().max_tokens
    asked = iter([False, False, True])
    assert ask(engine, "!stall", stop=lambda: next(asked, True)).finish == "cancelled"
    with pytest.raises(EngineError, match="ended unexpectedly"):
        ask(engine, "!crash")
    with pytest.raises(EngineError, match="No model"):
        ask(engine, "?")
