"""A corpus of broken model files: header reader and engine process survive them all.

The files grow from a small sound model, so that the whole corpus takes seconds.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
from pathlib import Path

import pytest

import commonplace
from commonplace.chat.messages import Message
from commonplace.engine.gguf import read_header
from commonplace.engine.session import EngineSession
from commonplace.engine.types import LoadOptions, Sampling
from commonplace.errors import CommonplaceError, EngineError, ModelError
from faults.model_mutants import CORPUS, KIB, SPLIT, WHOLE
from unit.engine import gguf_builder as gguf


@pytest.fixture(autouse=True)
def importable_children(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(commonplace.__file__).parents[1]))


def survives(path: Path) -> None:
    """Read the header: an answer, or an error of ours with its remedy."""
    told = None
    try:
        read_header(path)
    except ModelError as error:
        told = error
    assert told is None or told.remedy


@pytest.mark.parametrize("name", CORPUS)
def test_the_header_reader_survives(name, tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(CORPUS[name])
    survives(path)


def test_every_truncation_at_a_kilobyte_is_refused(tmp_path):
    path = tmp_path / "model.gguf"
    assert len(WHOLE) > 32 * KIB
    for size in range(0, len(WHOLE), KIB):
        path.write_bytes(WHOLE[:size])
        with pytest.raises(ModelError) as caught:
            read_header(path)
        assert caught.value.remedy


def test_the_engine_process_survives_them_all(tmp_path):
    """One process for the corpus: those it may not load do not end it or step it down."""
    options = LoadOptions(context=512, threads=1)
    ended = []
    with EngineSession(options, tmp_path / "log") as session:
        for number, (name, data) in enumerate(CORPUS.items()):
            path = tmp_path / f"{number}.gguf"
            path.write_bytes(data)
            with pytest.raises((ModelError, EngineError)) as caught:
                session.load(path)
            assert caught.value.remedy
            if isinstance(caught.value, EngineError):
                ended.append(name)
        session.build()  # it is there and answers
    assert ended == []


def test_split_models_with_a_part_missing_name_it(tmp_path):
    first = tmp_path / "m-00001-of-00002.gguf"
    first.write_bytes(gguf.build(SPLIT))
    with pytest.raises(ModelError, match="m-00002-of-00002"):
        read_header(first)
    (tmp_path / "m-00002-of-00002.gguf").write_bytes(b"GGUF")
    survives(first)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_a_file_nobody_may_read_is_told(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(WHOLE)
    path.chmod(0)
    with pytest.raises(ModelError, match="permission"):
        read_header(path)


def test_a_file_that_may_not_be_opened_is_told(tmp_path, monkeypatch):
    """As the test above, for whoever may open anything."""

    def refuse(self, *_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "model.gguf"
    path.write_bytes(WHOLE)
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ModelError, match="Permission denied") as caught:
        read_header(path)
    assert "permissions" in caught.value.remedy


@pytest.mark.models
@pytest.mark.skipif(sys.platform == "win32", reason="a mapped file cannot be deleted there")
def test_a_model_deleted_while_mapped_under_an_odd_name_answers_on(starter_gguf, tmp_path):
    path = tmp_path / "Modèle 模型 🙂 %20.gguf"
    path.write_bytes(starter_gguf.read_bytes())
    with EngineSession(LoadOptions(context=512), tmp_path / "log") as session:
        assert session.load(path).path == str(path)
        path.unlink()
        question = [Message("user", "Say hello.")]
        assert session.complete(question, Sampling(max_tokens=8)).text.strip()
        with pytest.raises(ModelError, match="no model file"):
            session.load(path)


@pytest.mark.models
def test_a_model_without_a_template_is_asked_in_plain_words(starter_gguf, tmp_path):
    path = tmp_path / "plain.gguf"
    data = starter_gguf.read_bytes()
    path.write_bytes(data.replace(b"tokenizer.chat_template", b"tokenizer.chat_templatX", 1))
    with EngineSession(LoadOptions(context=512, threads=1), tmp_path / "log") as session:
        info = session.load(path)
        assert info.family == "plain"
        assert "plain words" in info.note


@pytest.mark.models
@pytest.mark.slow
def test_damage_in_the_weights_or_words_of_a_real_model_never_reaches_the_user(
    starter_gguf, tmp_path
):
    """Whatever the process does with it, the caller gets an answer or an error of ours."""
    data = bytearray(starter_gguf.read_bytes())
    chance = random.Random(5)
    for _ in range(3):
        mutant = bytearray(data)
        for _ in range(200):  # most of the header is its vocabulary
            mutant[chance.randrange(4096, 1 << 20)] ^= 1 << chance.randrange(8)
        path = tmp_path / "mutant.gguf"
        path.write_bytes(mutant)
        options = LoadOptions(context=512, batch=64, threads=1, repack=False, kv_type="q8_0")
        with (
            EngineSession(options, tmp_path / "log", load_seconds=60) as session,
            contextlib.suppress(CommonplaceError),
        ):
            session.load(path)
            session.complete([Message("user", "Hello")], Sampling(max_tokens=4))
