"""Which questions an adapter is used for, and which it is not."""

from __future__ import annotations

import dataclasses

import pytest

from commonplace.adapt.records import Gate, Record, text_hash
from commonplace.adapt.routing import current_hash, file_asked_about, usable_adapter
from commonplace.adapt.store import ADAPTER_FILE, AdapterStore, file_sha256
from commonplace.chat.choosing import Chosen
from commonplace.engine.identity import model_id
from commonplace.errors import AdapterError
from commonplace.recall.passages import Passage

FILES = ("src/app.py", "src/config.py", "tests/config.py", "Makefile")


def attached(*paths, note="", folders=()):
    return Chosen(
        tuple(Passage(p, 1, 9, "x", 0.0, "file", "", (), note=note) for p in paths), (), folders
    )


@pytest.mark.parametrize(
    ("question", "chosen", "file"),
    [
        ("What does it do?", attached("src/app.py"), "src/app.py"),
        ("What does it do?", attached("src/app.py", "src/app.py"), "src/app.py"),
        ("What do they do?", attached("src/app.py", "src/config.py"), ""),
        ("And src/config.py?", attached("src/app.py"), "src/app.py"),
        ("And src/config.py?", attached("src/other.py"), ""),
        ("What does it do?", attached("src/app.py", folders=("src/app.py",)), "src/app.py"),
        ("What is in there?", attached(folders=("src/",)), ""),
        ("Why src/app.py?", attached("notes/a.md", note="a"), "src/app.py"),
        ("What does src/app.py do?", Chosen(), "src/app.py"),
        ("What does `app.py` do?", Chosen(), "src/app.py"),
        ("Look at app.py.", Chosen(), "src/app.py"),
        ("Is app.py: good?", Chosen(), "src/app.py"),
        ("What does config.py do?", Chosen(), ""),
        ("What does tests/config.py do?", Chosen(), "tests/config.py"),
        ("src/app.py or src/config.py?", Chosen(), ""),
        ("What does old/src/app.py do?", Chosen(), ""),
        ("What does app.pyc do?", Chosen(), ""),
        ("What does myapp.py do?", Chosen(), ""),
        ("What does app.py.bak do?", Chosen(), ""),
        ("What does this do?", Chosen(), ""),
    ],
)
def test_it_is_used_for_questions_about_its_file_alone(question, chosen, file):
    assert file_asked_about(question, chosen, FILES) == file


@pytest.fixture
def kept(tmp_path):
    """A project, its store with one adapter, the record, and the model."""
    root = tmp_path / "project"
    root.mkdir()
    text = "".join(f"def add_{n}(a, b):\n    return a + b * {n}\n" for n in range(40))
    (root / "app.py").write_text(text)
    model = tmp_path / "model.gguf"
    model.write_bytes(b"a model")
    store = AdapterStore(tmp_path / "adapters")
    with store.training(), store.staging() as staged:
        (staged / ADAPTER_FILE).write_bytes(b"weights")
        record = store.keep(
            Record(
                id="0123456789abcdef", file="app.py", file_hash=text_hash(text), model="model",
                model_identity=model_id(model), created="2026-11-21T12:00:00+00:00",
                trained_on=(), gate=Gate(), sha256=file_sha256(staged / ADAPTER_FILE), size=7,
                rank=8, seed=1, seconds=1.0,
            ),
            staged,
        )  # fmt: skip
    return root, store, record, model


def test_it_is_found_for_the_text_and_the_model_that_it_was_made_for(kept):
    root, store, record, model = kept
    assert usable_adapter(store, root, "app.py", model) == record
    assert usable_adapter(store, root, "other.py", model) is None
    text = (root / "app.py").read_text()
    (root / "app.py").write_text(text.replace("\n", "  \r\n", 3) + "\n\n")
    assert usable_adapter(store, root, "app.py", model) == record  # no more than blanks
    (root / "app.py").write_text(text + "x = 1\n")
    assert usable_adapter(store, root, "app.py", model) is None
    (root / "app.py").write_text(text)
    model.write_bytes(b"another model")
    assert usable_adapter(store, root, "app.py", model) is None


def test_a_tampered_adapter_is_told(kept):
    root, store, record, model = kept
    (store.folder / record.id / ADAPTER_FILE).write_bytes(b"weightz")
    with pytest.raises(AdapterError, match="not the file that passed"):
        usable_adapter(store, root, "app.py", model)


def test_what_cannot_be_read_has_no_adapter(kept):
    root, store, record, model = kept
    (root / "app.py").unlink()
    assert current_hash(root, "app.py") == ""
    assert usable_adapter(store, root, "app.py", model) is None
    assert usable_adapter(store, root, "../app.py", model) is None
    assert dataclasses.replace(record).path.endswith(ADAPTER_FILE)
