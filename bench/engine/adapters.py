"""What it takes to swap an adapter, and to score a text.

The adapter is made here, of random numbers: rank 8 on all linear layers, as
large as one that was trained.
"""

from __future__ import annotations

import hashlib
import statistics
import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

from commonplace.chat.messages import Message
from commonplace.engine.adapters import check_bytes, verified_bytes
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
    """Time putting adapters in for the first time and again, and the first token after it."""
    header = read_header(model)
    base = model_id(model)
    one = Sampling(max_tokens=1, temperature=0.0)
    asked = [Message("user", "Hello")]
    with (
        tempfile.TemporaryDirectory() as folder,
        EngineSession(LoadOptions(context=CONTEXT, batch=512)) as session,
    ):
        kept = _write_all(Path(folder), header.architecture, _targets(model))
        session.load(model)
        loading = _milliseconds(lambda: session.load(model))
        engine = psutil.Process(session.pid)
        new, again, first, plain, out, computing = [], [], [], [], [], []
        for path, sha256 in kept:
            plain.append(session.complete(asked, one).first_token_ms)
            before = sum(engine.cpu_times()[:2])
            new.append(_milliseconds(lambda p=path, s=sha256: session.adapter(p, s, 1.0, base)))  # type: ignore[misc]
            computing.append((sum(engine.cpu_times()[:2]) - before) * 1000)
            first.append(session.complete(asked, one).first_token_ms)
            out.append(_milliseconds(lambda: session.adapter(None)))
        for turn in range(SWAPS):
            path, sha256 = kept[-1 - turn % 2]
            again.append(_milliseconds(lambda p=path, s=sha256: session.adapter(p, s, 1.0, base)))  # type: ignore[misc]
            session.complete(asked, one)
        path, sha256 = kept[0]
        size = path.stat().st_size / 1e6
        data = verified_bytes(path, sha256)
        told = (data, path.name, header.architecture, base, header.tensors)
        read = _usual(lambda: verified_bytes(path, sha256))
        checked = _usual(lambda: check_bytes(*told))
    total = statistics.median(new)
    return [
        [f"an adapter of {size:.0f} MB put in for the first time, p50", f"{total:.0f} ms",
         "at most 50 ms"],
        ["the processor time of that, mean", f"{statistics.mean(computing):.0f} ms", "–"],
        ["of that: read it, its checksum", f"{read:.1f} ms", "–"],
        ["of that: header, shapes, numbers", f"{checked:.1f} ms", "–"],
        ["of that: llama.cpp and the trial, the rest", f"{total - read - checked:.1f} ms", "–"],
        ["one of two put in again, in turn, p50", f"{statistics.median(again):.1f} ms",
         "at most 50 ms"],
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


def _usual(work: Callable[[], object]) -> float:
    return statistics.median(_milliseconds(work) for _ in range(SWAPS))


def _targets(model: Path) -> dict[str, tuple[int, int]]:
    """Return (in, out) of each linear layer by name."""
    named = read_header(model).tensors.items()
    return {
        name: (tensor.shape[0], tensor.shape[1])
        for name, tensor in named
        if name.startswith("blk.") and len(tensor.shape) == 2
    }


def _write_all(
    folder: Path, architecture: str, targets: dict[str, tuple[int, int]]
) -> list[tuple[Path, str]]:
    """Write adapters of random numbers that differ in their alpha; return their checksums too."""
    tensors: list[tuple[str, tuple[int, int]]] = []
    for name, (width, height) in targets.items():
        tensors += [(f"{name}.lora_a", (width, RANK)), (f"{name}.lora_b", (RANK, height))]
    draw = np.random.default_rng(1)
    listed, data = bytearray(), bytearray()
    for name, shape in tensors:
        listed += _string(name) + struct.pack("<IQQIQ", 2, *shape, 0, len(data))
        data += draw.normal(0, 0.01, shape).astype("<f4").tobytes()
        data += bytes(-len(data) % 32)
    said = {"general.type": "adapter", "general.architecture": architecture, "adapter.type": "lora"}
    kept = []
    for number in range(SWAPS):
        head = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), 4))
        for key, text in said.items():
            head += _string(key) + struct.pack("<I", 8) + _string(text)
        head += _string("adapter.lora.alpha") + struct.pack("<If", 6, 8.0 + number / 16) + listed
        whole = bytes(head + bytes(-len(head) % 32) + data)
        path = folder / f"{number}.gguf"
        path.write_bytes(whole)
        kept.append((path, hashlib.sha256(whole).hexdigest()))
    return kept


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data
