"""Broken model files, made from a small one that is sound to our own reader."""

from __future__ import annotations

import random
import struct

from unit.engine import gguf_builder as gguf

WORDS = [f"word{number}" for number in range(3000)]
WHOLE = gguf.build({"tokenizer.ggml.tokens": (gguf.ARRAY, (gguf.STRING, WORDS))})
KIB = 1024
SPLIT = {"split.count": (gguf.U32, 2), "split.no": (gguf.U32, 0)}


def flipped(seed: int) -> bytes:
    """Return the model with one bit of every 500 bytes the other way round."""
    chance = random.Random(seed)
    data = bytearray(WHOLE)
    for _ in range(len(data) // 500):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


CORPUS: dict[str, bytes] = {
    "zero bytes": b"",
    "only zeros": bytes(4 * KIB),
    "wrong magic": b"GGML" + WHOLE[4:],
    "magic alone": b"GGUF",
    "version 1": gguf.build(version=1),
    "version 99": gguf.build(version=99),
    "other byte order": gguf.build(version=0x03000000),
    "gigantic counts": gguf.build(counts=(2**63, 2**63)),
    "gigantic tensors": gguf.build(counts=(2**40, 5)),
    "more entries than there are": gguf.build(counts=(2, 4000)),
    "gigantic string": b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**62),
    "gigantic array": gguf.build(counts=(0, 1))[:24]
    + gguf.string("a") + struct.pack("<IIQ", gguf.ARRAY, gguf.U64, 2**60),
    "no architecture": gguf.build({"general.architecture": None}),
    "unknown architecture": gguf.build({"general.architecture": (gguf.STRING, "nowhere")}),
    "no layers": gguf.build({"llama.block_count": (gguf.U32, 0)}),
    "too many layers": gguf.build({"llama.block_count": (gguf.U32, 2**31 - 1)}),
    "no heads": gguf.build({"llama.attention.head_count": (gguf.U32, 0)}),
    "no vocabulary": gguf.build({"tokenizer.ggml.tokens": None}),
    "embedding model": gguf.build({"general.architecture": (gguf.STRING, "bert")}),
    "projector": gguf.build({"general.architecture": (gguf.STRING, "clip")}),
    "adapter": gguf.build({"general.type": (gguf.STRING, "adapter")}),
    "no template, no weights": gguf.build({"tokenizer.chat_template": None}),
    "a template without end": gguf.build(
        {"tokenizer.chat_template": (gguf.STRING, "{% for i in range(9**9) %}{% endfor %}")}
    ),
    "an unknown tensor type": WHOLE.replace(
        gguf.string("output.weight") + struct.pack("<IQQI", 2, 64, 4, 2),
        gguf.string("output.weight") + struct.pack("<IQQI", 2, 64, 4, 77),
    ),
    **{f"bits flipped, {seed}": flipped(seed) for seed in range(12)},
}  # fmt: skip
