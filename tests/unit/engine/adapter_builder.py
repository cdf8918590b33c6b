"""Builds LoRA adapters in the GGUF format, sound or hostile; the weights are random."""

from __future__ import annotations

import hashlib
import random
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unit.engine.gguf_builder import F32, STRING, string, value

LORA: dict[str, tuple[int, Any]] = {
    "general.type": (STRING, "adapter"),
    "general.architecture": (STRING, "llama"),
    "adapter.type": (STRING, "lora"),
    "adapter.lora.alpha": (F32, 8.0),
}
Shapes = Mapping[str, tuple[int, ...]]


def lora_shapes(targets: Shapes, rank: int = 4) -> dict[str, tuple[int, ...]]:
    """The two halves for each weight of `targets`, a name and its (in, out)."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, (width, height) in targets.items():  # type: ignore[misc]
        shapes[f"{name}.lora_a"] = (width, rank)
        shapes[f"{name}.lora_b"] = (rank, height)
    return shapes


def adapter(
    shapes: Shapes,
    changes: Mapping[str, tuple[int, Any] | None] | None = None,
    *,
    spread: float = 0.05,
    kind: int = 0,
    number: float | None = None,
) -> bytes:
    """A file with tensors of `shapes`: random numbers up to `spread`, or all `number`."""
    entries = {k: v for k, v in {**LORA, **(changes or {})}.items() if v is not None}
    out = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(entries)))
    for key, (of, content) in entries.items():
        out += string(key) + struct.pack("<I", of) + value(of, content)
    draw = random.Random(7)
    data = bytearray()
    for name, shape in shapes.items():
        out += string(name) + struct.pack("<I", len(shape))
        out += struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", kind, len(data))
        count = 1
        for size in shape:
            count *= size
        numbers = (
            draw.uniform(-spread, spread) if number is None else number for _ in range(count)
        )
        data += _packed(kind, list(numbers))
        data += bytes(-len(data) % 32)
    return bytes(out + bytes(-len(out) % 32) + data)


def _packed(kind: int, numbers: list[float]) -> bytes:
    """The bytes of `numbers` as ggml's F32 (0), F16 (1) or BF16 (30)."""
    packed = struct.pack(f"<{len(numbers)}{'e' if kind == 1 else 'f'}", *numbers)
    if kind != 30:
        return packed
    return b"".join(packed[at + 2 : at + 4] for at in range(0, len(packed), 4))


def kept(path: Path, data: bytes) -> tuple[Path, str]:
    """Write `data` to `path`; return it with its checksum."""
    path.write_bytes(data)
    return path, hashlib.sha256(data).hexdigest()
