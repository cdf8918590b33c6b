"""A static embedder read without sentence-transformers: tokens, a table, a mean.

Our own embedder is a sentence-transformers model of one module, a table with a
row per token. Importing that library costs seconds and this model needs none of
it: `tokenizers` reads its tokenizer, numpy its table, and a text's vector is
the mean of its tokens' rows, made a unit vector. Both readings agree.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from commonplace.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from commonplace.index.embedder import Vectors

WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
ROWS = "embedding.weight"
STATIC_MODULE = "StaticEmbedding"
MAX_CHARS = 8000
"""Characters read of one text: chunks are shorter, and questions are cut before."""


def is_static(folder: Path) -> bool:
    """Whether `folder` holds a sentence-transformers model that starts with a static table."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        return str(modules[0]["type"]).rpartition(".")[2] == STATIC_MODULE
    except (OSError, ValueError, LookupError, TypeError):
        return False


class StaticEmbedder:
    """A static sentence-transformers model in a local folder."""

    def __init__(self, folder: Path) -> None:
        """Name the model in `folder`; raises `ModelError` if there is none.

        Only the header of the table is read here; `embed` reads the rest.
        """
        self._folder = folder
        self._loaded: tuple[Tokenizer, Vectors] | None = None
        self._lock = threading.Lock()
        try:
            rows = _header(folder / WEIGHTS)
            self.dimensions = int(rows["shape"][1])
            self.id = f"{folder.parent.name}-{folder.name}@{_fingerprint(folder)}"
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise ModelError(
                f"There is no static embedding model in {folder}: {error}.",
                "Set recall.embedder to the folder of a model, or to 'none'.",
            ) from error

    @property
    def ready(self) -> bool:
        """Whether the table is loaded."""
        return self._loaded is not None

    @property
    def instant(self) -> bool:
        """Whether a short text costs microseconds: looking rows up does."""
        return True

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text, or zeros for a text without words."""
        tokenizer, table = self._load()
        encodings = tokenizer.encode_batch_fast(
            [text[:MAX_CHARS] for text in texts], add_special_tokens=False
        )
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, encoding in enumerate(encodings):
            if ids := encoding.ids:
                # The sum points where the mean does, and only direction stays.
                table.take(ids, axis=0).sum(axis=0, out=vectors[row])
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: Vectors = vectors / np.maximum(norms, 1e-12)
        return unit

    def _load(self) -> tuple[Tokenizer, Vectors]:
        with self._lock:
            if self._loaded is None:
                try:
                    self._loaded = _read(self._folder)
                except Exception as error:  # tokenizers raises bare Exception
                    raise ModelError(
                        f"The embedding model in {self._folder} cannot be loaded: {error}.",
                        "Recall goes on with words only; restore the folder of the model.",
                    ) from error
            return self._loaded


def _read(folder: Path) -> tuple[Tokenizer, Vectors]:
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    tokenizer: Tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_padding()
    rows: npt.NDArray[np.generic] = load_file(folder / WEIGHTS)[ROWS]
    if tokenizer.get_vocab_size() > len(rows):
        raise ValueError("the tokenizer knows more tokens than the table has rows")
    return tokenizer, np.ascontiguousarray(rows, dtype=np.float32)


def _header(weights: Path) -> dict[str, list[int]]:
    """Return what the file says of its table: 8 bytes of length, then JSON."""
    with weights.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > 1 << 20:
            raise ValueError("its header is too long")
        header: dict[str, dict[str, list[int]]] = json.loads(file.read(length))
    return header[ROWS]


def _fingerprint(folder: Path) -> str:
    """Return a digest of the table and the tokenizer: together they are the model."""
    digest = hashlib.sha256()
    for name in (WEIGHTS, TOKENIZER):
        with (folder / name).open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:16]
