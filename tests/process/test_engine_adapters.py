"""Scores, raw continuations and adapters, with the starter model in its process."""

from __future__ import annotations

import math
import shutil
import sys
from pathlib import Path

import psutil
import pytest

import commonplace
from commonplace.chat.messages import Message
from commonplace.engine.gguf import read_header
from commonplace.engine.identity import model_id
from commonplace.engine.session import EngineSession
from commonplace.engine.types import LoadOptions, Sampling
from commonplace.errors import CancelledError, EngineError, ModelError
from unit.engine.adapter_builder import adapter, kept, lora_shapes

pytestmark = pytest.mark.models

CHECKOUT = Path(commonplace.__file__).parents[2]
MODEL = CHECKOUT / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
# Cut where tokens end in any case, so that a text and its parts have the same.
CONTEXT = "def add(first, second):\n    return first + second"
TEXT = "\n\n\ndef subtract(first, second):\n    return first - second"
GREEDY = Sampling(max_tokens=12, temperature=0.0)
ONE = Sampling(max_tokens=1, temperature=0.0)
SHORT = [Message("user", "Hello")]
LONG = [Message("user", "def add(a, b):\n    return a + b\n" * 24 + "\nWhat does it do?")]


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
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("engine")


@pytest.fixture(scope="module")
def session(model, folder):
    options = LoadOptions(context=2048, cache=str(folder / "cache"))
    with EngineSession(options, folder / "engine.log") as session:
        session.load(model)
        yield session


@pytest.fixture(scope="module")
def base(model):
    return model_id(model)


@pytest.fixture(scope="module")
def shapes(model):
    tensors = read_header(model).tensors
    names = ("attn_q", "attn_v", "ffn_down")
    wanted = [f"blk.{layer}.{name}.weight" for layer in range(30) for name in names]
    return lora_shapes({name: tensors[name].shape for name in wanted})


@pytest.fixture(scope="module")
def lora(shapes, tmp_path_factory):
    return kept(tmp_path_factory.mktemp("adapters") / "mine.gguf", adapter(shapes))


@pytest.fixture(autouse=True)
def without(session):
    yield
    session.adapter(None)


def perplexity(score):
    return math.exp(sum(score.nll) / len(score.nll))


def test_a_text_is_likelier_behind_what_resembles_it(session):
    alone, behind = session.score("\n", TEXT), session.score(CONTEXT, TEXT)
    assert alone.tokens == behind.tokens
    assert len(alone.tokens) == session.count([TEXT])[0] == len(behind.nll)
    assert all(value >= 0 for value in behind.nll)
    assert perplexity(behind) < 0.6 * perplexity(alone)


def test_scores_depend_neither_on_what_was_read_before_nor_on_their_pieces(session):
    first = session.score(CONTEXT, TEXT)
    session.score(CONTEXT[:20] + "something else entirely", TEXT)
    again = session.score(CONTEXT, TEXT)  # part of the context is still in memory
    assert again.nll == pytest.approx(first.nll, abs=0.02)
    # The chain rule: a text in two halves costs what it costs at once.
    cut = TEXT.index("\n    return")
    halves = session.score(CONTEXT, TEXT[:cut]), session.score(CONTEXT + TEXT[:cut], TEXT[cut:])
    assert halves[0].tokens + halves[1].tokens == first.tokens
    assert halves[0].nll + halves[1].nll == pytest.approx(first.nll, abs=0.03)


def test_scoring_agrees_with_judging(session):
    """`judge` computes the same mean in another way, but for the first token."""
    text = CONTEXT + TEXT * 3
    tokens = session.count([text])[0]
    judged = session.judge(text).loss
    scored = session.score("def", text.removeprefix("def"))
    assert len(scored.tokens) == tokens - 1
    assert sum(scored.nll) / len(scored.nll) == pytest.approx(judged, abs=0.05)


def test_long_texts_take_no_memory_to_speak_of(session):
    process = psutil.Process(session.pid)
    session.score("\n", TEXT * 15)
    before = process.memory_info().rss
    score = session.score("\n", TEXT * 90)
    assert len(score.tokens) > 1200
    grown = process.memory_info().rss - before
    everything = len(score.tokens) * 49_152 * 4
    assert grown < everything / 8


def test_scoring_says_what_does_not_fit_and_can_be_stopped(session):
    with pytest.raises(EngineError, match="2,048 at once"):
        session.score("word " * 3000, TEXT)
    with pytest.raises(EngineError, match="first token"):
        session.score("", TEXT)
    assert session.score(CONTEXT, "").tokens == ()
    with pytest.raises(CancelledError):
        session.score("\n", TEXT * 30, lambda: True)
    assert session.score(CONTEXT, TEXT).tokens


def test_it_goes_on_as_the_likeliest_tokens_say(session):
    code = CONTEXT + "\n\n\ndef subtract(first, second):\n    return"
    written = session.continue_text(code, 12)
    assert written.startswith(" first - second")
    assert session.continue_text(code, 12) == written
    assert session.continue_text(code, 12, [" -"]) == " first"
    with pytest.raises(EngineError, match="at once"):
        session.continue_text(code, 3000)
    with pytest.raises(CancelledError):
        session.continue_text(code, 12, stop=lambda: True)


def test_an_adapter_changes_the_weights_and_leaves_them_as_they_were(session, lora, base):
    path, sha256 = lora
    plain = session.score(CONTEXT, TEXT)
    assert session.adapter(path, sha256, 1.0, base).active
    changed = session.score(CONTEXT, TEXT)
    assert changed.tokens == plain.tokens
    assert sum(changed.nll) != pytest.approx(sum(plain.nll), rel=1e-3)
    assert session.adapter(path, sha256, 0.25, base).active
    weaker = session.score(CONTEXT, TEXT)
    difference = abs(sum(changed.nll) - sum(plain.nll))
    assert 0 < abs(sum(weaker.nll) - sum(plain.nll)) < difference
    assert not session.adapter(None).active
    assert session.score(CONTEXT, TEXT).nll == pytest.approx(plain.nll, abs=1e-4)


def test_what_was_read_with_other_weights_is_never_used(session, lora, base):
    path, sha256 = lora
    first = session.complete(LONG, GREEDY)
    assert session.complete(LONG, ONE).reused_tokens > 300
    session.adapter(path, sha256, 1.0, base)
    assert session.complete(LONG, ONE).reused_tokens == 0
    assert session.complete(LONG, ONE).reused_tokens > 300
    session.adapter(path, sha256, 1.0, base)  # nothing changed, so nothing is forgotten
    assert session.complete(LONG, ONE).reused_tokens > 300
    session.adapter(None)
    back = session.complete(LONG, GREEDY)
    assert (back.reused_tokens, back.text) == (0, first.text)


def test_states_on_disk_are_the_base_models_alone(model, lora, base, folder, tmp_path):
    path, sha256 = lora
    for name in ("tuning.json", "templates.json"):  # how the model runs best is known already
        shutil.copy(folder / "cache" / name, tmp_path)
    options = LoadOptions(context=1024, cache=str(tmp_path))

    def kept_states():
        return list((tmp_path / "states").glob("*.state"))

    with EngineSession(options) as session:
        session.load(model)
        session.complete(LONG, ONE, conversation="base")
        session.adapter(path, sha256, 1.0, base)
        assert len(kept_states()) == 1  # it was kept before the weights changed
        answer = session.complete(LONG, ONE, conversation="base")
        assert answer.reused_tokens == 0  # its state was not loaded either
        session.complete(LONG, ONE, conversation="adapted")
        session.keep()
        session.adapter(None)
        session.complete([Message("user", "Hello")], ONE, conversation="other")
        session.keep()
        assert len(kept_states()) == 1
        assert session.complete(LONG, ONE, conversation="adapted").reused_tokens < 20
        assert session.complete(LONG, ONE, conversation="base").reused_tokens > 300


def test_a_bad_adapter_is_refused_and_the_model_goes_on(session, shapes, lora, base, tmp_path):
    plain = session.score(CONTEXT, TEXT)
    path, sha256 = lora
    data = path.read_bytes()
    bad = {
        "tampered": kept(tmp_path / "tampered.gguf", data[:-9] + b"x" + data[-8:])[0],
        "numbers": kept(tmp_path / "numbers.gguf", adapter(shapes, number=math.nan)),
        "huge": kept(tmp_path / "huge.gguf", adapter(shapes, number=3e38)),
        "narrow": kept(
            tmp_path / "narrow.gguf", adapter(lora_shapes({"blk.0.attn_q.weight": (576, 570)}))
        ),
        "model": kept(tmp_path / "model.gguf", b"GGUF" + bytes(60)),
        "base": (path, sha256),
    }
    pid = session.pid
    for name, what in bad.items():
        file, checksum = what if isinstance(what, tuple) else (what, sha256)
        session.adapter(path, sha256, 1.0, base)
        with pytest.raises(ModelError) as caught:
            session.adapter(file, checksum, 1.0, "another model" if name == "base" else base)
        assert caught.value.remedy, name
        assert session.score(CONTEXT, TEXT).nll == pytest.approx(plain.nll, abs=1e-4), name
    assert session.pid == pid


def test_going_back_to_an_adapter_gives_what_it_gave(session, shapes, base, tmp_path):
    """More than are held at once, so that some are loaded again."""
    few = {name: shape for name, shape in shapes.items() if name.startswith("blk.2.")}
    files = [
        kept(tmp_path / f"{number}.gguf", adapter(few, spread=0.02 * (number + 1)))
        for number in range(6)
    ]
    plain = session.score(CONTEXT, TEXT)

    def scored(file, scale=1.0):
        assert session.adapter(*file, scale, base).active
        assert session.complete(SHORT, ONE).reused_tokens == 0
        return session.score(CONTEXT, TEXT).nll

    first = [scored(file) for file in files]
    assert len({round(sum(nll), 4) for nll in (*first, plain.nll)}) == len(files) + 1
    for number in (4, 5, 0, 4, 1):
        assert scored(files[number]) == pytest.approx(first[number], abs=1e-4), number
    weaker = scored(files[5], 0.5)
    assert weaker != pytest.approx(first[5], abs=1e-4)
    assert scored(files[5]) == pytest.approx(first[5], abs=1e-4)
    session.adapter(None)
    assert session.score(CONTEXT, TEXT).nll == pytest.approx(plain.nll, abs=1e-4)


def test_a_file_that_changed_is_refused_though_its_adapter_is_held(session, shapes, base, tmp_path):
    mine = kept(tmp_path / "mine.gguf", adapter(shapes, spread=0.03))
    other = kept(tmp_path / "other.gguf", adapter(shapes, spread=0.04))
    path = mine[0]
    data = path.read_bytes()
    session.adapter(*mine, 1.0, base)
    first = session.score(CONTEXT, TEXT).nll
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    for before in (None, other):  # in place, and held while another is
        if before:
            path.write_bytes(data)
            session.adapter(*mine, 1.0, base)
            session.adapter(*before, 1.0, base)
            path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(ModelError, match="checksum differs"):
            session.adapter(*mine, 1.0, base)
    path.write_bytes(data)  # written again as it was
    session.adapter(*mine, 1.0, base)
    assert session.score(CONTEXT, TEXT).nll == pytest.approx(first, abs=1e-4)
    path.unlink()
    with pytest.raises(ModelError, match="no adapter"):
        session.adapter(*mine, 1.0, base)


def test_where_memory_cannot_be_read_as_a_file_a_copy_serves(model, lora, base, session, tmp_path):
    """As on Windows: the bytes go through a file of our own, and nothing of it stays."""
    script = (
        "import commonplace.engine.lora as lora; lora._LIBC = None; "
        "from commonplace.engine.worker import main; main()"
    )
    session.adapter(*lora, 1.0, base)
    expected = session.score(CONTEXT, TEXT).nll
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(tmp_path))
        with EngineSession(
            LoadOptions(context=512, threads=1, batch=256), command=[sys.executable, "-c", script]
        ) as other:
            other.load(model)
            assert other.adapter(*lora, 1.0, base).active
            assert list(tmp_path.iterdir()) == []
            assert other.score(CONTEXT, TEXT).nll == pytest.approx(expected, abs=0.02)
