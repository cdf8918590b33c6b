"""Embedders: from text to unit vectors.

The one shipped is a table (`static`). A transformer comes through
sentence-transformers; importing that library takes seconds, so it is loaded on
first use, in the thread that needs it. The fake hashes words and needs nothing;
tests use it on purpose.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from commonplace.errors import ModelError
from commonplace.index.static import WEIGHTS, StaticEmbedder, is_static
from commonplace.index.words import words_of
from commonplace.paths import embedder_folder, how_to_add

log = logging.getLogger(__name__)

Vectors = npt.NDArray[np.float32]
MINILM = "all-MiniLM-L6-v2"
MAX_TOKENS = 128
"""Tokens embedded per text; more costs time and measured no better."""
BATCH = 32


class Embedder(Protocol):
    """What the index needs of an embedder."""

    def __hash__(self) -> int:
        """Return its hash: what an embedder says of a text is remembered with it."""

    @property
    def id(self) -> str:
        """Names the model and its exact weights; vectors are kept per id."""

    @property
    def dimensions(self) -> int:
        """Length of the vectors."""

    @property
    def ready(self) -> bool:
        """Whether `embed` answers at once, without loading a model first."""

    @property
    def instant(self) -> bool:
        """Whether a short text costs microseconds, so that a question may embed many."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text, float32 of shape (texts, dimensions)."""


class SentenceEmbedder:
    """A sentence-transformers model in a local folder."""

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        """Name the model in `folder`; raises `ModelError` if there is none.

        The weights are loaded at the first `embed`. `threads` bounds the
        processor threads; None leaves the choice to torch.
        """
        weights = folder / WEIGHTS
        if not weights.is_file():
            raise ModelError(
                f"There is no embedding model in {folder}.",
                "Run 'make models', or set recall.embedder to the folder of a model, or to 'none'.",
            )
        self._folder = folder
        self._threads = threads
        self._model: Any = None
        self._lock = threading.Lock()
        self.id = f"{folder.name}@{_fingerprint(weights)}"
        self.dimensions = _dimensions(folder)
        self.instant = False

    @property
    def ready(self) -> bool:
        """Whether the weights are loaded."""
        return self._model is not None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text."""
        model = self._loaded()
        vectors = model.encode(
            list(texts),
            batch_size=BATCH,
            show_progress_bar=False,
            normalize_embeddings=True,
            convert_to_numpy=True,
        )
        return np.asarray(vectors, dtype=np.float32)

    def _loaded(self) -> Any:
        with self._lock:
            if self._model is None:
                try:
                    self._model = _load(self._folder, self._threads)
                except ImportError as error:
                    raise ModelError(
                        f"{self._folder.name} needs libraries that are not there ({error.name}).",
                        f"{how_to_add()} Until then recall goes on with words only.",
                    ) from error
                except Exception as error:  # safetensors raises bare Exception
                    raise ModelError(
                        f"The embedding model in {self._folder} cannot be loaded: {error}.",
                        "Recall goes on with words only; run 'make models' to mend the model.",
                    ) from error
            return self._model


class HashEmbedder:
    """A fake with the shape of the real thing: words hashed into a vector.

    Texts that share words are near each other, and nothing else is claimed.
    """

    def __init__(self, dimensions: int = 64) -> None:
        self.id = f"hash@{dimensions}"
        self.dimensions = dimensions
        self.ready = self.instant = True

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text."""
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in words_of(text):
                digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
                place = int.from_bytes(digest[:4], "little") % self.dimensions
                vectors[row, place] += 1.0 if digest[4] & 1 else -1.0
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: Vectors = vectors / np.maximum(norms, 1e-9)
        return unit


def open_embedder(
    name: str, model_folders: Sequence[Path], *, threads: int | None = None
) -> Embedder | None:
    """Return the embedder that the setting `recall.embedder` names.

    ``built-in`` is the static model shipped with the program, ``minilm`` the
    transformer of the starter set, ``none`` gives None, ``hash`` the fake, and
    anything else is the folder of a sentence-transformers model. Raises
    `ModelError` when the named model is not there.
    """
    if name == "none":
        return None
    if name == "hash":
        return HashEmbedder()
    if name == "built-in":
        return StaticEmbedder(embedder_folder())
    try:
        return _in_folder(name, model_folders, threads)
    except (OSError, RuntimeError) as error:
        raise ModelError(
            f"The embedding model {name[:80]!r} cannot be opened: {error}.",
            "Set recall.embedder to the folder of a model, or to 'none'.",
        ) from error


def _in_folder(name: str, model_folders: Sequence[Path], threads: int | None) -> Embedder:
    folder = Path(name).expanduser()
    if name == "minilm":
        found = [f / MINILM for f in model_folders if (f / MINILM / WEIGHTS).is_file()]
        folder = found[0] if found else Path(MINILM)
    if is_static(folder):
        return StaticEmbedder(folder)
    return SentenceEmbedder(folder, threads=threads)


def _load(folder: Path, threads: int | None) -> Any:
    # The model is local; without these the library asks its hub for news.
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_OFFLINE"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as hub_logging

    hub_logging.disable_progress_bar()
    if threads is not None:
        torch.set_num_threads(threads)
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    model.max_seq_length = min(model.max_seq_length or MAX_TOKENS, MAX_TOKENS)
    log.info("Loaded the embedder %s", folder.name)
    return model


def _fingerprint(weights: Path) -> str:
    digest = hashlib.sha256()
    with weights.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:16]


def _dimensions(folder: Path) -> int:
    import json

    for name, key in (("1_Pooling/config.json", "word_embedding_dimension"),
                      ("config.json", "hidden_size")):  # fmt: skip
        try:
            value = json.loads((folder / name).read_text(encoding="utf-8"))[key]
        except (OSError, ValueError, LookupError, TypeError):
            continue
        if isinstance(value, int) and value > 0:
            return value
    raise ModelError(
        f"The embedding model in {folder} does not say its dimensions.",
        "It must be a sentence-transformers model with its config.json.",
    )
