"""Writing the model: a folder that sentence-transformers loads as it is."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file
from tokenizers import Tokenizer

LARGEST = 16_000_000
"""Bytes that the folder may have: it lies in the repository."""
MODULES = "sentence_transformers.sentence_transformer.modules"


def save(folder: Path, tokenizer: Tokenizer, table: npt.NDArray[np.float32]) -> int:
    """Write the model to `folder`, half precision; returns its size in bytes.

    Rows are scaled so that the longest has length one: a mean of them, made a
    unit vector, is the same at any scale, and half floats keep their digits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = table / np.linalg.norm(table, axis=1).max()
    save_file({"embedding.weight": rows.astype(np.float16)}, folder / "model.safetensors")
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    modules: list[dict[str, Any]] = [
        {"idx": 0, "name": "0", "path": "", "type": f"{MODULES}.StaticEmbedding"},
        {"idx": 1, "name": "1", "path": "1_Normalize", "type": f"{MODULES}.Normalize"},
    ]
    _write(folder / "modules.json", modules)
    (folder / "1_Normalize").mkdir(exist_ok=True)
    _write(folder / "1_Normalize" / "config.json", {})
    _write(folder / "config.json", {"hidden_size": table.shape[1], "vocab_size": len(table)})
    _write(
        folder / "config_sentence_transformers.json",
        {"model_type": "SentenceTransformer", "similarity_fn_name": "cosine"},
    )
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    if size > LARGEST:
        raise ValueError(f"the model has {size} bytes, more than {LARGEST}")
    return size


def note_pairs(table: Path, counts: Mapping[str, int]) -> None:
    """Write into ``sources.tsv`` how many pairs each source gave."""
    with table.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t")
        fields, rows = reader.fieldnames or [], list(reader)
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fields, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "pairs": counts[row["source"]]} for row in rows)


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
