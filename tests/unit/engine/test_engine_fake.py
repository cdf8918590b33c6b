from __future__ import annotations

from pathlib import Path

import pytest

from commonplace.chat.messages import Message
from commonplace.engine.fake import FakeEngine
from commonplace.engine.identity import model_id
from commonplace.engine.types import Engine, LoadOptions, Sampling, Score
from commonplace.errors import EngineError, ModelError, ProtocolError
from unit.engine.adapter_builder import kept

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


def test_scores_are_for_the_text_alone_and_less_for_what_was_said_before():
    engine = FakeEngine()
    engine.load(MODEL)
    cold = engine.score("", "def add(a, b):")
    warm = engine.score("def sub(a, b):\n", "def add(a, b):")
    assert cold.tokens == warm.tokens
    assert len(cold.nll) == 3
    assert sum(warm.nll) < sum(cold.nll)
    assert Score.from_wire(warm.to_wire()) == warm
    with pytest.raises(EngineError, match="at once"):
        engine.score("word " * 5000, "more")


def test_it_goes_on_from_raw_text_and_stops_where_told():
    engine = FakeEngine(["return first + second\n\ndef other"])
    engine.load(MODEL)
    assert engine.continue_text("def add(first, second):", 50, ["\ndef"]) == (
        "return first + second\n"
    )
    assert engine.continue_text("one two three", 2) == "one two"


def test_an_adapter_is_put_in_place_and_taken_away(tmp_path):
    engine = FakeEngine()
    engine.load(MODEL)
    path, sha256 = kept(tmp_path / "a.gguf", b"weights")
    base = model_id(MODEL)
    assert engine.adapter(path, sha256, 0.5, base).active
    assert ask(engine, "!adapter").text == f"adapter {sha256[:8]} 0.5"
    assert sum(engine.score("", "one two").nll) == pytest.approx(8 * 0.95)
    for wrong in ({"sha256": "0" * 64}, {"base": "other"}, {"scale": 9.0}):
        with pytest.raises(ModelError):
            engine.adapter(path, **{"sha256": sha256, "scale": 1.0, "base": base, **wrong})
        assert ask(engine, "!adapter").text == "no adapter"
    assert engine.adapter(path, sha256, 1.0, base).active
    assert not engine.adapter(None).active
    assert ask(engine, "!adapter").text == "no adapter"


def test_a_score_of_another_shape_is_a_defect():
    for wrong in ({}, {"tokens": [1], "nll": []}, {"tokens": ["a"], "nll": [1.0]},
                  {"tokens": [1], "nll": ["x"]}):  # fmt: skip
        with pytest.raises(ProtocolError):
            Score.from_wire(wrong)
