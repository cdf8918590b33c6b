"""What it takes to swap an adapter, and to score a text.

The adapter is made here, of random numbers: rank 8 on all linear layers, as
large as one that was trained.
"""

from __future__ import annotations

import hashlib
import random
import statistics
import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from commonplace.chat.messages import Message
from commonplace.engine.gguf import read_header
from commonplace.engine.identity import model_id
from commonplace.engine.session import EngineSession
from commonplace.engine.types import LoadOptions, Sampling

RANK = 8
SWAPS = 15
CONTEXT = 4096
SCORED = 2000
CODE = "def add(first, second):\n    return first + second\n\n\n"

Row = list[str]


def adapter(model: Path) -> list[Row]:
    """Time swapping an adapter in and out, and the first token after it."""
    header = read_header(model)
    base = model_id(model)
    one = Sampling(max_tokens=1, temperature=0.0)
    asked = [Message("user", "Hello")]
    with (
        tempfile.TemporaryDirectory() as folder,
        EngineSession(LoadOptions(context=CONTEXT, batch=512)) as session,
    ):
        paths = [Path(folder) / f"{number}.gguf" for number in range(2)]
        kept = [_write(path, header.architecture, _targets(model)) for path in paths]
        session.load(model)
        loading = _milliseconds(lambda: session.load(model))
        engine = psutil.Process(session.pid)
        into, out, first, plain, computing = [], [], [], [], []
        for turn in range(SWAPS):
            plain.append(session.complete(asked, one).first_token_ms)
            path = paths[turn % 2]
            sha256 = kept[turn % 2]
            before = sum(engine.cpu_times()[:2])
            into.append(
                _milliseconds(lambda p=path, s=sha256: session.adapter(p, s, 1.0, base))  # type: ignore[misc]
            )
            computing.append((sum(engine.cpu_times()[:2]) - before) * 1000)
            first.append(session.complete(asked, one).first_token_ms)
            out.append(_milliseconds(lambda: session.adapter(None)))
        size = paths[0].stat().st_size / 1e6
    return [
        [f"an adapter of {size:.0f} MB swapped in, p50", f"{statistics.median(into):.0f} ms",
         "at most 50 ms"],
        ["the processor time of that, mean", f"{statistics.mean(computing):.0f} ms", "–"],
        ["taken away, p50", f"{statistics.median(out):.1f} ms", "–"],
        ["first token with it : without it",
         f"{statistics.median(first) / statistics.median(plain):.2f}", "–"],
        ["loading the model again instead", f"{loading:.0f} ms", "–"],
    ]  # fmt: skip


def score(model: Path) -> list[Row]:
    """Compare scoring a text with only reading it."""
    with EngineSession(LoadOptions(context=CONTEXT, batch=512)) as session:
        session.load(model)
        text = CODE * (SCORED // session.count([CODE])[0])
        tokens = session.count([text])[0]
        read, scored = [], []
        for turn in range(3):
            head = f"# {turn}\n"
            read.append(_milliseconds(lambda h=head: session.continue_text(h + text, 1)))  # type: ignore[misc]
            scored.append(_milliseconds(lambda h=head: session.score(h, text)))  # type: ignore[misc]
    speed = tokens / min(scored) * 1000
    return [
        [f"scoring {tokens} tokens", f"{speed:.0f} tokens/s", "–"],
        ["scoring : only reading", f"{min(scored) / min(read):.2f}", "–"],
    ]


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _targets(model: Path) -> dict[str, tuple[int, int]]:
    """Return (in, out) of each linear layer by name."""
    named = read_header(model).tensors.items()
    return {
        name: (tensor.shape[0], tensor.shape[1])
        for name, tensor in named
        if name.startswith("blk.") and len(tensor.shape) == 2
    }


def _write(path: Path, architecture: str, targets: dict[str, tuple[int, int]]) -> str:
    """Write an adapter of random numbers; return its checksum."""
    tensors: list[tuple[str, tuple[int, int]]] = []
    for name, (width, height) in targets.items():
        tensors += [(f"{name}.lora_a", (width, RANK)), (f"{name}.lora_b", (RANK, height))]
    head = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), 4))
    said = {"general.type": "adapter", "general.architecture": architecture, "adapter.type": "lora"}
    for key, text in said.items():
        head += _string(key) + struct.pack("<I", 8) + _string(text)
    head += _string("adapter.lora.alpha") + struct.pack("<If", 6, 8.0)
    draw = random.Random(str(path))
    data = bytearray()
    for name, shape in tensors:
        head += _string(name) + struct.pack("<IQQIQ", 2, *shape, 0, len(data))
        count = shape[0] * shape[1]
        data += struct.pack(f"<{count}f", *(draw.gauss(0, 0.01) for _ in range(count)))
        data += bytes(-len(data) % 32)
    whole = bytes(head + bytes(-len(head) % 32) + data)
    path.write_bytes(whole)
    return hashlib.sha256(whole).hexdigest()


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data
