"""The real engine with the starter model."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

import commonplace
from commonplace.chat.messages import Message
from commonplace.engine.session import EngineSession
from commonplace.engine.types import LoadOptions, Sampling
from commonplace.errors import EngineError, ModelError

pytestmark = pytest.mark.models

CHECKOUT = Path(commonplace.__file__).parents[2]
MODEL = CHECKOUT / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
SAMPLING = Sampling(max_tokens=32, temperature=0.0)
SYSTEM = Message("system", "You are a coding assistant. Answer shortly.")
QUESTION = Message("user", "Write a Python function that adds two numbers.")


@pytest.fixture(scope="module")
def model():
    if not MODEL.is_file():
        pytest.skip(f"the starter model {MODEL.name} is absent; `make models` fetches it")
    return MODEL


@pytest.fixture(scope="module", autouse=True)
def importable_children():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(CHECKOUT / "app"))
        yield


@pytest.fixture(scope="module")
def session(model, tmp_path_factory):
    log = tmp_path_factory.mktemp("engine") / "engine.log"
    with EngineSession(LoadOptions(context=2048), log) as session:
        info = session.load(model)
        assert (info.family, info.quantisation, info.rung) == ("ChatML", "Q4_1", "as asked")
        assert 130e6 < info.parameters < 140e6
        assert info.context == 2048
        assert "million parameters" in info.note
        yield session


def test_it_answers_and_streams_what_it_answers(session):
    pieces: list[str] = []
    answer = session.complete([SYSTEM, QUESTION], SAMPLING, on_text=pieces.append)
    assert answer.text.strip()
    assert answer.text == "".join(pieces)
    assert answer.prompt_tokens == session.count_messages([SYSTEM, QUESTION])
    assert 0 < answer.completion_tokens <= 32
    assert 0 < answer.first_token_ms <= answer.total_ms


def test_temperature_zero_repeats_itself_and_a_seed_too(session):
    for sampling in (SAMPLING, Sampling(max_tokens=24, temperature=0.8, seed=7)):
        texts = {session.complete([SYSTEM, QUESTION], sampling).text for _ in range(2)}
        assert len(texts) == 1


def test_a_follow_up_reuses_the_conversation(session):
    first = session.complete([SYSTEM, QUESTION], SAMPLING)
    talk = [SYSTEM, QUESTION, Message("assistant", first.text), Message("user", "And three?")]
    second = session.complete(talk, SAMPLING)
    assert second.reused_tokens >= first.prompt_tokens
    other = session.complete([Message("user", "Unrelated.")], SAMPLING)
    assert other.reused_tokens < 5


def test_reuse_changes_nothing(session):
    fresh = session.complete([SYSTEM, QUESTION], SAMPLING)
    session.complete([SYSTEM, Message("user", "Something else entirely?")], SAMPLING)
    again = session.complete([SYSTEM, QUESTION], SAMPLING)
    assert again.reused_tokens > 0
    assert again.text == fresh.text


def test_it_stops_soon_when_asked_while_writing(session):
    asked: list[float] = []

    def stop() -> bool:
        return bool(asked)

    answer = session.complete(
        [Message("user", "Tell a long story.")],
        Sampling(max_tokens=1000),
        on_text=lambda _text: asked.append(time.monotonic()),
        stop=stop,
    )
    assert answer.finish == "cancelled"
    assert answer.text
    assert answer.completion_tokens < 500


def test_it_stops_soon_when_asked_while_reading(session):
    prompt = [Message("user", "def f(x): return x + 1\n" * 150)]
    started = time.monotonic()
    answer = session.complete(prompt, SAMPLING, stop=lambda: time.monotonic() - started > 0.2)
    assert (answer.finish, answer.text) == ("cancelled", "")
    assert answer.first_token_ms == 0
    assert session.complete([SYSTEM, QUESTION], SAMPLING).text.strip()


def test_too_long_a_question_is_told_in_numbers(session):
    with pytest.raises(EngineError, match="2,048") as caught:
        session.complete([Message("user", "word " * 3000)], SAMPLING)
    assert caught.value.remedy
    with pytest.raises(EngineError, match="9,999"):
        session.complete([QUESTION], Sampling(max_tokens=9999))
    assert session.complete([QUESTION], SAMPLING).text


def test_turn_marks_in_contents_stay_text(session):
    mark = "<|im_end|>"
    (alone,) = session.count([mark])
    assert alone > 1
    plain = session.count_messages([Message("user", "")])
    assert session.count_messages([Message("user", mark)]) == plain + alone


def test_counts_add_up_to_the_prompt(session):
    texts = ["def f(): pass", "", "naïve 🙂"]
    counts = session.count(texts)
    assert counts[1] == 0
    frame = session.count_messages([Message("user", "")])
    for text, count in zip(texts, counts, strict=True):
        assert session.count_messages([Message("user", text)]) == frame + count


def test_a_killed_engine_is_told_and_comes_back(model, tmp_path):
    with EngineSession(LoadOptions(context=512), tmp_path / "log") as session:
        session.load(model)
        pid = session.pid
        assert pid is not None
        with pytest.raises(EngineError, match="signal 9"):
            session.complete(
                [Message("user", "Tell a long story.")],
                Sampling(max_tokens=400),
                on_text=lambda _text: os.kill(pid, signal.SIGKILL),
            )
        assert session.load(model).rung == "without repacking"
        assert session.complete([QUESTION], SAMPLING).text


def test_a_damaged_model_is_refused_by_a_living_process(model, tmp_path):
    data = model.read_bytes()
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(data[: len(data) // 2])
    renamed = tmp_path / "renamed.gguf"  # sound to us, unknown to llama.cpp
    renamed.write_bytes(data.replace(b"blk.0.attn_q.weight", b"blk.0.attn_Q.weight", 1))
    with EngineSession(LoadOptions(context=512), tmp_path / "log") as session:
        with pytest.raises(ModelError, match="truncated"):
            session.load(cut)
        pid = session.pid
        with pytest.raises(ModelError, match="cannot load"):
            session.load(renamed)
        assert session.pid == pid
        assert session.load(model).rung == "as asked"
    assert "llama.cpp" in (tmp_path / "log").read_text(encoding="utf-8")
