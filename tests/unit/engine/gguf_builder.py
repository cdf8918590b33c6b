"""Builds tiny GGUF files, sound or hostile, byte by byte."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

U8, I32, U32, F32, BOOL, STRING, ARRAY, U64 = 0, 5, 4, 6, 7, 8, 9, 10
_FORMATS = {U8: "<B", I32: "<i", U32: "<I", F32: "<f", BOOL: "<?", U64: "<Q"}

SOUND: dict[str, tuple[int, Any]] = {
    "general.architecture": (STRING, "llama"),
    "general.type": (STRING, "model"),
    "general.name": (STRING, "Tiny"),
    "general.size_label": (STRING, "1K"),
    "general.file_type": (U32, 0),
    "llama.context_length": (U32, 8192),
    "llama.embedding_length": (U32, 64),
    "llama.block_count": (U32, 2),
    "llama.attention.head_count": (U32, 4),
    "llama.attention.head_count_kv": (U32, 2),
    "tokenizer.ggml.model": (STRING, "gpt2"),
    "tokenizer.ggml.tokens": (ARRAY, (STRING, ["<s>", "</s>", "a", "b"])),
    "tokenizer.ggml.scores": (ARRAY, (F32, [0.0] * 5000)),
    "tokenizer.ggml.bos_token_id": (U32, 0),
    "tokenizer.ggml.eos_token_id": (U32, 1),
    "tokenizer.chat_template": (STRING, "{{ '<|im_start|>' }}"),
}
TENSORS: tuple[tuple[str, tuple[int, ...], int], ...] = (
    ("token_embd.weight", (64, 4), 0),
    ("output.weight", (64, 4), 2),
)
SIZES = {0: (1, 4), 2: (32, 18)}


def string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def value(kind: int, content: Any) -> bytes:
    if kind == STRING:
        return string(content)
    if kind == ARRAY:
        of, items = content
        return struct.pack("<IQ", of, len(items)) + b"".join(value(of, item) for item in items)
    return struct.pack(_FORMATS[kind], content)


def build(
    changes: dict[str, tuple[int, Any] | None] | None = None,
    *,
    tensors: Sequence[tuple[str, tuple[int, ...], int]] = TENSORS,
    magic: bytes = b"GGUF",
    version: int = 3,
    counts: tuple[int, int] | None = None,
) -> bytes:
    """A file of `SOUND` with `changes`; None removes a key."""
    entries = {k: v for k, v in {**SOUND, **(changes or {})}.items() if v is not None}
    of_tensors, of_entries = counts or (len(tensors), len(entries))
    out = bytearray(magic + struct.pack("<IQQ", version, of_tensors, of_entries))
    for key, (kind, content) in entries.items():
        out += string(key) + struct.pack("<I", kind) + value(kind, content)
    offset = 0
    for name, shape, kind in tensors:
        out += string(name) + struct.pack("<I", len(shape))
        elements = 1
        for size in shape:
            out += struct.pack("<Q", size)
            elements *= size
        out += struct.pack("<IQ", kind, offset)
        per_block, size = SIZES[kind]
        offset = -(-(offset + elements // per_block * size) // 32) * 32
    out += bytes(-len(out) % 32 + offset)
    return bytes(out)
