"""The table to begin with: what MiniLM knows of each word, or chance.

Every token goes through all-MiniLM-L6-v2 (Apache-2.0) by itself; principal
components reduce its vectors to ours. Words that mean much the same begin close
together, and learning has only to say what matters in code.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

Table = npt.NDArray[np.float32]


def tokens_of(tokenizer: Tokenizer) -> list[str]:
    """Return the tokens in the order of their numbers, without the mark of a piece."""
    vocabulary = tokenizer.get_vocab()
    return [token.removeprefix("##") for token in sorted(vocabulary, key=vocabulary.__getitem__)]


def teacher_vectors(tokenizer: Tokenizer, folder: Path) -> Table:
    """Return the vector that the model in `folder` gives to each token."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    from sentence_transformers import SentenceTransformer

    model: Any = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    vectors = model.encode(tokens_of(tokenizer), batch_size=256, show_progress_bar=False)
    return np.asarray(vectors, dtype=np.float32)


def reduced(vectors: Table, dimensions: int) -> Table:
    """Return the principal components of `vectors` as unit rows."""
    centred = vectors - vectors.mean(axis=0)
    values, axes = np.linalg.eigh(np.cov(centred, rowvar=False))
    rows = centred @ axes[:, np.argsort(-values)[:dimensions]]
    unit: Table = (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).astype(
        np.float32
    )
    return unit


def chance_rows(size: int, dimensions: int, seed: int) -> Table:
    """Return unit rows that mean nothing."""
    rows = np.random.default_rng(seed).standard_normal((size, dimensions))
    unit: Table = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit
