"""How a model is made to fit: memory from its header, against what is free.

All is decided before loading. Keys and values give way first, then the context;
what does not fit on a graphics card stays in the machine's memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped,unused-ignore]

from commonplace.engine.devices import Device, cards
from commonplace.engine.gguf import Header, size_in_words
from commonplace.engine.types import KvType, LoadOptions
from commonplace.errors import ModelError
from commonplace.words import said

KV_BITS: dict[KvType, float] = {"f16": 16, "q8_0": 8.5, "q4_0": 4.5}
KV_WORDS: dict[KvType, str] = {"f16": "16-bit", "q8_0": "8-bit", "q4_0": "4-bit"}
QUANTISED_BLOCK = 32
"""Quantised keys and values come in blocks of this many elements of a head."""
BATCH = 512
OVERHEAD = 64 << 20
"""The process itself, the vocabulary and what is hard to count, in bytes."""
CARD_MARGIN = 256 << 20
"""Left free on a graphics card: the screen and the driver need some as well."""
SMALLEST_CONTEXT = 2048
"""Below this no passages fit; a model that needs more memory still is refused."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to load a model, and why in one sentence; sizes are in bytes.

    `gpu_layers` counts the output as one more layer, as llama.cpp does.
    """

    context: int
    gpu_layers: int
    kv_type: KvType
    batch: int
    memory: int
    card_memory: int
    sentence: str


def kv_bytes(header: Header, context: int, kv_type: KvType = "f16") -> int:
    """Return the bytes that `context` tokens of keys and values take."""
    per_token = sum(header.kv_heads) * (header.key_length + header.value_length)
    return int(per_token * context * KV_BITS[kv_type] / 8)


def memory_needed(
    header: Header, context: int, file_size: int, kv_type: KvType = "f16", batch: int = BATCH
) -> int:
    """Return the bytes the model needs in memory to run at a usable speed.

    Weights as in the file (`file_size`), keys and values, and the buffers of
    one batch.
    """
    keys = kv_bytes(header, context, kv_type)
    return file_size + keys + _buffers(header, batch) + OVERHEAD


def plan(
    header: Header,
    asked: LoadOptions,
    devices: Sequence[Device] = (),
    *,
    available: int | None = None,
) -> Plan:
    """Return how to load the model of `header`, as near to `asked` as fits.

    `available` is the machine's free memory in bytes, asked of it by default.
    What the user set (layers, keys and values, batch) is taken as it is.
    Raises `ModelError` if the model does not fit in any way.
    """
    free = psutil.virtual_memory().available if available is None else available
    wanted = min(asked.context, header.context_length)
    batch = min(asked.batch or BATCH, wanted)
    choices = _choices(header, asked, wanted)
    for context, kv_type in choices:
        layers = _layers(header, asked, devices, context, kv_type, batch)
        on_card = _card_bytes(header, layers, context, kv_type, batch)
        needed = memory_needed(header, context, header.file_bytes, kv_type, batch)
        host = max(needed - on_card, OVERHEAD)
        if host <= free:
            sentence = _sentence(header, layers, (context, wanted), kv_type, host, free)
            return Plan(context, layers, kv_type, batch, needed, on_card, sentence)
    raise _too_large(header, wanted, free)


def _choices(header: Header, asked: LoadOptions, context: int) -> list[tuple[int, KvType]]:
    """Return contexts and types of keys and values, the least conceded first."""
    whole = header.key_length % QUANTISED_BLOCK == 0 == header.value_length % QUANTISED_BLOCK
    first: KvType = "f16" if asked.kv_type == "auto" else asked.kv_type
    if not whole:
        first = "f16"
    types = [first]
    if asked.kv_type == "auto" and whole:
        types.append("q8_0")
    choices = [(context, kv_type) for kv_type in types]
    while context > SMALLEST_CONTEXT:
        context = max(context // 2, SMALLEST_CONTEXT)
        choices.append((context, types[-1]))
    return choices


def _layers(
    header: Header,
    asked: LoadOptions,
    devices: Sequence[Device],
    context: int,
    kv_type: KvType,
    batch: int,
) -> int:
    """Return how many layers, the output included, go on the graphics cards."""
    usable = cards(devices)
    most = header.block_count + 1
    if not usable:
        return 0
    if asked.gpu_layers >= 0:
        return min(asked.gpu_layers, most)
    room = sum(max(0, card.free - max(CARD_MARGIN, card.total // 20)) for card in usable)
    for layers in range(most, 0, -1):
        if _card_bytes(header, layers, context, kv_type, batch) <= room:
            return layers
    return 0


def _card_bytes(header: Header, layers: int, context: int, kv_type: KvType, batch: int) -> int:
    if layers <= 0:
        return 0
    count = header.block_count
    inner = sum(header.layer_bytes) or header.file_bytes
    weights = header.layer_bytes if sum(header.layer_bytes) else (inner // count,) * count
    moved = min(layers, count)
    total = sum(weights[count - moved :])
    if layers > count:
        total += header.file_bytes - sum(weights)
    return total + kv_bytes(header, context, kv_type) * moved // count + _buffers(header, batch)


def _buffers(header: Header, batch: int) -> int:
    """Return the bytes of a batch: its activations and the logits of its tokens."""
    return batch * header.embedding_length * 4 * 8 + header.vocabulary * 4 * 16


def _sentence(
    header: Header,
    layers: int,
    contexts: tuple[int, int],
    kv_type: KvType,
    host: int,
    free: int,
) -> str:
    count = header.block_count
    if not layers:
        where = said(f"All {count} layers run on the processor")
    elif layers >= count:
        where = said(f"All {count} layers run on the graphics card")
    else:
        where = said(
            f"{layers} of {count} layers run on the graphics card, the others on the processor"
        )
    context, wanted = contexts
    sees = f"{context:,}"
    if context < wanted:
        sees = said(f"{context:,} (not {wanted:,}, for want of memory)")
    return said(
        f"{where}; with {sees} tokens of context and {KV_WORDS[kv_type]} keys and values it takes "
        f"{size_in_words(host)} of the {size_in_words(free)} of memory that are free."
    )


def _too_large(header: Header, context: int, free: int) -> ModelError:
    needed = memory_needed(header, context, header.file_bytes)
    keys = kv_bytes(header, context)
    message = said(
        f"{header.path.name} needs {size_in_words(needed)} of memory "
        f"({size_in_words(keys)} of it for a context of {context:,} tokens) "
        f"and {size_in_words(free)} are free."
    )
    if needed - keys * 3 // 4 <= free:
        remedy = said(f"Set model.context to {max(512, context // 4)}, or choose a smaller model.")
    else:
        remedy = said("Choose a smaller model or a smaller quantisation, or close other programs.")
    return ModelError(message, remedy)
