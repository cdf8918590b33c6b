"""The real engine with the starter model."""

from __future__ import annotations

import os
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

import commonplace
from commonplace.chat.messages import Message
from commonplace.edits.grammar import edits_grammar, passage_edits_grammar
from commonplace.edits.proposed import Replace
from commonplace.edits.reading import read_answer
from commonplace.engine.grammars import choice_grammar
from commonplace.engine.session import EngineSession
from commonplace.engine.types import LoadOptions, Sampling
from commonplace.errors import EngineError, ModelError

pytestmark = pytest.mark.models

CHECKOUT = Path(commonplace.__file__).parents[2]
MODEL = CHECKOUT / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
SAMPLING = Sampling(max_tokens=32, temperature=0.0)
ONE = Sampling(max_tokens=1, temperature=0.0)
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
def loaded(model, tmp_path_factory):
    """A model that answers, and the cache folder with what was found out as it was loaded."""
    folder = tmp_path_factory.mktemp("engine")
    options = LoadOptions(context=2048, cache=str(folder / "cache"))
    with EngineSession(options, folder / "engine.log") as session:
        info = session.load(model)
        assert (info.family, info.quantisation, info.rung) == ("ChatML", "Q4_1", "as asked")
        assert 130e6 < info.parameters < 140e6
        assert info.context == 2048
        assert "million parameters" in info.note
        yield session, folder / "cache"


@pytest.fixture(scope="module")
def session(loaded):
    return loaded[0]


@pytest.fixture
def cache(loaded, tmp_path):
    """A cache folder of this test's own that knows already how the model runs best here."""
    folder = tmp_path / "cache"
    folder.mkdir()
    for name in ("tuning.json", "templates.json"):
        shutil.copy(loaded[1] / name, folder)
    return folder


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
    answer = session.complete(prompt, SAMPLING, stop=lambda: time.monotonic() - started > 0.05)
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


def test_a_killed_engine_is_told_and_comes_back(model, cache, tmp_path):
    options = LoadOptions(context=512, cache=str(cache))
    with EngineSession(options, tmp_path / "log") as session:
        session.load(model)
        pid = session.pid
        assert pid is not None
        with pytest.raises(EngineError, match="signal 9"):
            session.complete(
                [Message("user", "Tell a long story.")],
                Sampling(max_tokens=400),
                on_text=lambda _text: os.kill(pid, signal.SIGKILL),
            )
        assert session.load(model).rung == "quantised memory"  # killed: it may have been memory
        assert session.complete([QUESTION], SAMPLING).text


def test_a_damaged_model_is_refused_by_a_living_process(model, cache, tmp_path):
    data = model.read_bytes()
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(data[: len(data) // 2])
    renamed = tmp_path / "renamed.gguf"  # sound to us, unknown to llama.cpp
    renamed.write_bytes(data.replace(b"blk.0.attn_q.weight", b"blk.0.attn_Q.weight", 1))
    options = LoadOptions(context=512, cache=str(cache))
    with EngineSession(options, tmp_path / "log") as session:
        with pytest.raises(ModelError, match="truncated"):
            session.load(cut)
        pid = session.pid
        with pytest.raises(ModelError, match="cannot load"):
            session.load(renamed)
        assert session.pid == pid
        assert session.load(model).rung == "as asked"
    assert "llama.cpp" in (tmp_path / "log").read_text(encoding="utf-8")


LONG = Message("user", "def add(a, b):\n    return a + b\n" * 24 + "\nWhat does it do?")


def test_a_reopened_conversation_is_not_read_again(model, cache):
    options = LoadOptions(context=2048, cache=str(cache))
    with EngineSession(options) as session:
        session.load(model)
        first = session.complete([SYSTEM, LONG], SAMPLING, conversation="mine")
        session.keep()
    talk = [SYSTEM, LONG, Message("assistant", first.text), Message("user", "And why?")]
    with EngineSession(options) as session:
        session.load(model)
        stranger = session.complete(talk, SAMPLING, conversation="another")
        assert stranger.reused_tokens == 0
        again = session.complete(talk, ONE, conversation="mine")
        assert again.reused_tokens >= first.prompt_tokens
        session._request("forget", {"conversation": "another"})
    (kept,) = (cache / "states").glob("*.state")
    assert kept.stat().st_mode & 0o077 == 0
    data = bytearray(kept.read_bytes())
    data[len(data) // 2] ^= 1
    kept.write_bytes(data)
    with EngineSession(options) as session:
        session.load(model)
        told = session.complete(talk, SAMPLING, conversation="mine")
        assert told.reused_tokens == 0
        assert told.text == stranger.text
        session.keep()
        session._request("forget", {"conversation": "mine"})
        session.keep()
    assert list((cache / "states").iterdir()) == []


def test_conversations_take_turns_without_reading_again(model, cache):
    with EngineSession(LoadOptions(context=2048, cache=str(cache))) as session:
        session.load(model)
        other = Message("user", LONG.content.replace("add", "subtract"))
        session.complete([SYSTEM, LONG], ONE, conversation="a")
        session.complete([SYSTEM, other], ONE, conversation="b")
        back = session.complete([SYSTEM, LONG], ONE, conversation="a")
        assert back.reused_tokens == back.prompt_tokens - 1


def test_threads_and_batch_are_measured_once(model, tmp_path):
    options = LoadOptions(context=1024, cache=str(tmp_path))
    with EngineSession(options) as session:
        info = session.load(model)
        written = (tmp_path / "tuning.json").read_text()
        assert info.threads >= 1
        assert info.batch in {128, 256, 512}
        assert session.load(model).threads == info.threads
    assert (tmp_path / "tuning.json").read_text() == written
    with EngineSession(LoadOptions(context=1024, threads=1, batch=64)) as session:
        info = session.load(model)
        assert (info.threads, info.batch) == (1, 64)


@pytest.mark.parametrize("kv_type", ["q8_0", "q4_0"])
def test_quantised_keys_and_values_answer_too(model, cache, kv_type):
    options = LoadOptions(context=1024, kv_type=kv_type, cache=str(cache))
    with EngineSession(options) as session:
        info = session.load(model)
        assert info.kv_type == kv_type
        assert session.complete([SYSTEM, QUESTION], SAMPLING).text.strip()


def test_a_choice_is_always_one_of_those_offered(session):
    choices = ["keep", "archive", "ask again"]
    for temperature in (0.0, 1.5):
        sampling = Sampling(max_tokens=20, temperature=temperature, grammar=choice_grammar(choices))
        answer = session.complete([SYSTEM, Message("user", "Tell me a story.")], sampling)
        assert answer.text in choices
        assert answer.finish == "stop"


def test_edits_keep_their_form_however_small_the_model(session):
    paths = ["src/add.py", "src/naïve name.py"]
    for seed in range(3):
        sampling = Sampling(
            max_tokens=80, temperature=1.0, seed=seed, grammar=edits_grammar(paths, most=1)
        )
        answer = session.complete([SYSTEM, Message("user", "Rename add to plus.")], sampling)
        begun = [f"```\nFILE {path}\n<<<<<<< SEARCH\n" for path in paths]
        assert answer.text.startswith(tuple(begun)), answer.text
        if answer.finish == "stop":
            assert answer.text.endswith(">>>>>>> REPLACE\n```\n")
            assert answer.text.count("\n=======\n") == 1


def test_edits_of_a_passage_can_be_placed_whatever_the_model_thinks(session):
    text = "def add(a, b):\n    return a + b\n\n\ndef two():\n    return 2\n"
    grammar = passage_edits_grammar([("add.py", text)], most=1, longest=2)
    for seed in range(3):
        sampling = Sampling(max_tokens=400, temperature=1.0, seed=seed, grammar=grammar)
        answer = session.complete([SYSTEM, Message("user", "Rename add to plus.")], sampling)
        [edit] = read_answer(answer.text)
        if answer.finish == "stop":
            assert isinstance(edit, Replace)
            assert edit.path == "add.py"
            assert edit.old in text


def test_a_bad_grammar_is_told_and_the_engine_lives(session):
    for grammar in ("root ::= root", "root ::= [a", 'root ::= "a" ='):
        with pytest.raises(EngineError, match="grammar"):
            session.complete([QUESTION], Sampling(grammar=grammar))
    assert session.complete([QUESTION], SAMPLING).text


def test_another_quantisation_is_made_and_judged(model, cache, tmp_path):
    text = (
        Path(commonplace.__file__).read_text() + (CHECKOUT / "app/commonplace/paths.py").read_text()
    )
    made = tmp_path / "made"
    made.mkdir()
    target = made / "other.Q8_0.gguf"
    # The text is longer than the context, and is cut to it.
    options = LoadOptions(context=256, batch=128, threads=2, cache=str(cache))
    with EngineSession(options) as session:
        session.load(model)
        first = session.judge(text)
        assert session.requantise(model, target, "Q8_0") == target.stat().st_size
        assert session.load(target).quantisation == "Q8_0"
        second = session.judge(text)
        assert abs(second.loss - first.loss) < 0.02
        assert min(second.read_speed, second.write_speed) > 0
        with pytest.raises(ModelError, match="no quantisation"):
            session.requantise(model, target, "Q1")
        with pytest.raises(ModelError, match="too little"):
            session.judge("x")
        assert session.complete([QUESTION], SAMPLING).text
    assert [p.name for p in made.iterdir()] == [target.name]


def test_a_copy_is_whole_whether_foretold_or_not(session):
    """Under a grammar, so that near ties, which batches may decide otherwise, do not matter."""
    code = "def total(prices):\n    result = 0\n    for price in prices:\n        result += price\n"
    talk = [SYSTEM, Message("user", f"Repeat this code:\n{code * 2}")]
    once = Sampling(max_tokens=80, temperature=0.0, grammar=choice_grammar([code * 2]))
    plain = session.complete(talk, once)
    copied = session.complete(talk, replace(once, copies=True))
    assert plain.text == copied.text == code * 2
    assert copied.finish == "stop"
    follow = [*talk, Message("assistant", copied.text), QUESTION]
    assert session.complete(follow, SAMPLING).reused_tokens > copied.prompt_tokens
    free = session.complete(talk, Sampling(max_tokens=48, temperature=0.0, copies=True))
    assert free.text.strip()
