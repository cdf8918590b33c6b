"""Our own embedder: read fast, and read as sentence-transformers reads it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from commonplace.errors import ModelError
from commonplace.index.static import StaticEmbedder, is_static
from commonplace.paths import embedder_folder

MODEL = embedder_folder()
TEXTS = [
    "how does the connection pool close idle sockets",
    "parseHTTPHeader parse_http_header PARSE_HTTP_HEADER",
    "def read(self, path: Path) -> bytes:\n    return path.read_bytes()\n",
    "fn frobnicate(x: &str) -> Result<(), Error> { todo!() }  // größer, naïve, 日本語",
    "x" * 300,
    "42",
]


def tiny(folder: Path, rows: int = 3) -> Path:
    """Write a model of two words and one unknown."""
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "open": 1, "close": 2}, "[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    table = np.array([[0, 0], [1, 0], [0, 2]], dtype=np.float16)[:rows]
    save_file({"embedding.weight": table}, folder / "model.safetensors")
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.x.StaticEmbedding"}
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    return folder


def test_agrees_with_sentence_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "HF_HUB_OFFLINE", "1")
    library = pytest.importorskip("sentence_transformers")
    model = library.SentenceTransformer(str(MODEL), device="cpu", local_files_only=True)
    theirs = model.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False)
    ours = StaticEmbedder(MODEL).embed(TEXTS)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_our_model_is_small_and_says_its_size() -> None:
    size = sum(file.stat().st_size for file in MODEL.rglob("*") if file.is_file())
    assert size <= 16_000_000
    embedder = StaticEmbedder(MODEL)
    assert not embedder.ready
    vectors = embedder.embed(["one"])
    assert embedder.ready
    assert vectors.shape == (1, embedder.dimensions)
    assert vectors.dtype == np.float32


def test_our_model_knows_what_belongs_together() -> None:
    question, near, far = StaticEmbedder(MODEL).embed(
        [
            "where are old log messages deleted",
            "def rotate(self):\n    self.handler.flush()\n    os.unlink(self.logfile)",
            "def to_hex(color):\n    return '#%02x%02x%02x' % color.rgb",
        ]
    )
    assert question @ near > question @ far


def test_spellings_of_a_name_are_one() -> None:
    camel, snake = StaticEmbedder(MODEL).embed(["maxRetryCount", "max_retry_count"])
    assert camel @ snake == pytest.approx(1.0, abs=1e-5)


def test_vectors_are_unit_or_zero(tmp_path: Path) -> None:
    vectors = StaticEmbedder(tiny(tmp_path)).embed(["Open open close close", "", "other"])
    assert vectors[0] == pytest.approx([1 / 5**0.5, 2 / 5**0.5], abs=1e-6)
    assert not vectors[1:].any()


def test_no_texts_give_no_rows(tmp_path: Path) -> None:
    assert StaticEmbedder(tiny(tmp_path)).embed([]).shape == (0, 2)


def test_id_follows_the_table_and_the_tokenizer(tmp_path: Path) -> None:
    folder = tiny(tmp_path)
    before = StaticEmbedder(folder).id
    assert StaticEmbedder(folder).id == before
    text = (folder / "tokenizer.json").read_text().replace("close", "shut")
    (folder / "tokenizer.json").write_text(text)
    assert StaticEmbedder(folder).id != before


def test_static_models_are_told_from_others(tmp_path: Path) -> None:
    assert is_static(MODEL)
    assert not is_static(tmp_path)
    assert is_static(tiny(tmp_path))
    for text in ("", "[]", "{}", '[{"type": "sentence_transformers.models.Transformer"}]'):
        (tmp_path / "modules.json").write_text(text)
        assert not is_static(tmp_path)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no static embedding model"):
        StaticEmbedder(tmp_path)


@pytest.mark.parametrize("damage", [b"", b"\xff" * 64, b"\x02\0\0\0\0\0\0\0{}"])
def test_a_damaged_table_is_refused(tmp_path: Path, damage: bytes) -> None:
    folder = tiny(tmp_path)
    (folder / "model.safetensors").write_bytes(damage)
    with pytest.raises(ModelError):
        StaticEmbedder(folder)


def test_a_table_with_too_few_rows_is_refused(tmp_path: Path) -> None:
    embedder = StaticEmbedder(tiny(tmp_path, rows=2))
    with pytest.raises(ModelError, match="more tokens"):
        embedder.embed(["close"])


def test_a_damaged_tokenizer_is_refused(tmp_path: Path) -> None:
    folder = tiny(tmp_path)
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="cannot be loaded"):
        StaticEmbedder(folder).embed(["open"])
