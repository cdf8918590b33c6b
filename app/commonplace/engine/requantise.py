"""Another quantisation of a model that is there, and how good a loaded one is.

The quantisation decides the speed on a processor, and not always the way its
size suggests. Only a trial on the machine itself can tell, and only perplexity
on real text what it costs.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from pathlib import Path

import llama_cpp.llama_cpp as C  # noqa: N812 - the C interface
import numpy as np

from commonplace.engine.gguf import read_header, size_in_words
from commonplace.errors import ModelError, StorageError

KINDS: dict[str, tuple[int, float]] = {
    "Q8_0": (7, 8.5),
    "Q4_0": (2, 4.5),
    "Q4_1": (3, 5.0),
    "Q4_K_M": (15, 4.9),
    "Q6_K": (18, 6.6),
}
"""Name → (number of llama.cpp's, bits for each parameter)."""
PIECE = 64
SPARE = 256 << 20


def requantise(source: Path, target: Path, kind: str) -> int:
    """Write the model at `source` as `kind` to `target`; return its bytes.

    What is half written is removed. Raises `ModelError` if the source cannot be
    read or llama.cpp cannot do it, `StorageError` if there is no room.
    """
    header = read_header(source)
    if kind not in KINDS:
        raise ModelError(f"{kind} is no quantisation offered.", f"Choose: {', '.join(KINDS)}.")
    number, bits = KINDS[kind]
    needed = int(header.parameters * bits / 8) + SPARE
    free = shutil.disk_usage(target.parent).free
    if needed > free:
        raise StorageError(
            f"{target.parent} has {size_in_words(free)} free, {size_in_words(needed)} are needed.",
            "Free some space.",
        )
    part = target.with_name(f".{target.name}.part")
    params = C.llama_model_quantize_default_params()
    params.ftype, params.allow_requantize = number, True
    try:
        paths = os.fsencode(source), os.fsencode(part)
        status = C.llama_model_quantize(*paths, ctypes.byref(params))
        if status != 0:
            raise ModelError(
                f"llama.cpp could not turn {source.name} into {kind} (status {status}).",
                "Choose another quantisation; the engine's log says more.",
            )
        read_header(part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size


def loss(context: ctypes.c_void_p | None, vocabulary: int, tokens: list[int]) -> float:
    """Return the mean surprise of a loaded model at `tokens`, in nats a token.

    Evaluates from an empty sequence, and leaves its own behind.
    """
    C.llama_memory_clear(C.llama_get_memory(context), True)
    total, counted = 0.0, 0
    batch = C.llama_batch_init(PIECE, 0, 1)
    try:
        for start in range(0, len(tokens) - 1, PIECE):
            piece = tokens[start : start + PIECE]
            fill(batch, piece, start)
            if C.llama_decode(context, batch):
                raise ModelError("llama.cpp could not evaluate the text.", "Try a shorter one.")
            following = tokens[start + 1 : start + 1 + len(piece)]
            scores = C.llama_get_logits(context)
            rows = np.ctypeslib.as_array(scores, shape=(len(piece), vocabulary))
            rows = rows[: len(following)].astype("f8")
            highest = rows.max(axis=1)
            norm = highest + np.log(np.exp(rows - highest[:, None]).sum(axis=1))
            total += float((norm - rows[np.arange(len(following)), following]).sum())
            counted += len(following)
    finally:
        C.llama_batch_free(batch)
        C.llama_memory_clear(C.llama_get_memory(context), True)
    return total / max(counted, 1)


def fill(batch: C.llama_batch, tokens: list[int], start: int, unscored: int = 0) -> None:
    """Put `tokens` into `batch` from position `start` on; the first `unscored` need no scores."""
    batch.n_tokens = len(tokens)
    for index, token in enumerate(tokens):
        batch.token[index] = token
        batch.pos[index] = start + index
        batch.n_seq_id[index] = 1
        batch.seq_id[index][0] = 0
        batch.logits[index] = int(index >= unscored)
