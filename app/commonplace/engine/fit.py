"""How much memory a model will need, computed from its header before loading."""

from __future__ import annotations

import psutil  # type: ignore[import-untyped,unused-ignore]

from commonplace.engine.gguf import Header, size_in_words
from commonplace.errors import ModelError

KV_ELEMENT_BYTES = 2
"""Keys and values are kept as 16-bit floats."""
BATCH = 512
OVERHEAD = 64 << 20
"""The process itself, the vocabulary and what is hard to count, in bytes."""


def kv_bytes(header: Header, context: int) -> int:
    """Return the bytes that `context` tokens of keys and values take."""
    per_token = sum(header.kv_heads) * (header.key_length + header.value_length)
    return per_token * context * KV_ELEMENT_BYTES


def memory_needed(header: Header, context: int, file_size: int) -> int:
    """Return the bytes the model needs in memory to run at a usable speed.

    Weights as in the file (`file_size`), keys and values, and the buffers of
    one batch: its activations and the logits of its tokens.
    """
    activations = BATCH * header.embedding_length * 4 * 8
    logits = header.vocabulary * 4 * 16
    return file_size + kv_bytes(header, context) + activations + logits + OVERHEAD


def check_memory(header: Header, context: int, *, available: int | None = None) -> int:
    """Return the bytes needed, or raise `ModelError` if they are not there.

    `available` is in bytes and is asked of the machine by default.
    """
    needed = memory_needed(header, context, header.file_bytes)
    free = psutil.virtual_memory().available if available is None else available
    if needed <= free:
        return needed
    keys = kv_bytes(header, context)
    message = (
        f"{header.path.name} needs {size_in_words(needed)} of memory "
        f"({size_in_words(keys)} of it for a context of {context:,} tokens) "
        f"and {size_in_words(free)} are free."
    )
    if needed - keys * 3 // 4 <= free:
        remedy = f"Set model.context to {max(512, context // 4)}, or choose a smaller model."
    else:
        remedy = "Choose a smaller model or a smaller quantisation, or close other programs."
    raise ModelError(message, remedy)
