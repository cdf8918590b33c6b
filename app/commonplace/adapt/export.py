"""A trained LoRA as a GGUF adapter that llama.cpp can put into the model.

Format: https://github.com/ggml-org/llama.cpp/blob/master/convert_lora_to_gguf.py
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from commonplace.adapt.weights import PERMUTED, gguf_name, heads_of, permuted
from commonplace.engine.adapters import BASE_KEY


def write_adapter(
    path: Path, halves: Mapping[str, Any], config: Any, *, architecture: str, alpha: int, base: str
) -> None:
    """Write the matrices of `Trainee.halves` to `path` in float16.

    For a weight of (out, in) llama.cpp wants A as (rank, in) and B as (out, rank), the rows
    of B in the order of the weight's own: in files of some architectures those of Q and K
    are permuted, so B's are. `base` is the identity of the model it was trained on. Raises
    `OSError`; the file may then be half-written, so `path` lies in a staging folder.
    """
    import numpy as np
    from gguf import GGUFWriter

    writer = GGUFWriter(path, architecture)
    try:
        writer.add_type("adapter")
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", float(alpha))
        writer.add_string(BASE_KEY, base)
        for name, numbers in halves.items():
            module, _, half = name.rpartition(".")
            weight = f"{module}.weight"
            values = numbers
            if half == "lora_B" and architecture in PERMUTED and (n := heads_of(weight, config)):
                values = permuted(numbers, n)
            values = np.ascontiguousarray(values, dtype=np.float16)
            writer.add_tensor(f"{gguf_name(weight)}.{half.lower()}", values)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()
