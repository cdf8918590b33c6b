"""Records and adapter files for tests."""

from __future__ import annotations

import hashlib
from pathlib import Path

from commonplace.adapt.records import Figure, Gate, Record, Source, text_hash
from commonplace.adapt.store import ADAPTER_FILE, AdapterStore

CONTENT = b"GGUF and what follows"
TEXT = "def answer():\n    return 42\n"


def record(number: str = "0" * 16, file: str = "a.py", content: bytes = CONTENT) -> Record:
    """Return a record of an adapter whose file holds `content`."""
    heldout = Figure(8.0, 7.5, (-0.08, -0.04), True, 100, 6)
    gate = Gate(heldout, Figure(20.0, 20.01, (0.0, 0.001), True, 400, 40), Figure(0.001, -0.002))
    return Record(
        id=number,
        file=file,
        file_hash=text_hash(TEXT),
        model="Tiny",
        model_identity="m" * 32,
        created=f"2026-01-0{int(number[-1]) + 1}T00:00:00Z",
        trained_on=(Source(file, "the open file", 90, text_hash(TEXT)),),
        gate=gate,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        rank=4,
        seed=7,
        seconds=3.5,
    )


def kept(store: AdapterStore, made: Record, content: bytes = CONTENT) -> Record:
    """Keep `made` as a trainer does."""
    with store.training(), store.staging() as staged:
        (staged / ADAPTER_FILE).write_bytes(content)
        return store.keep(made, staged)


def entries(folder: Path) -> list[str]:
    """Return what is in `folder` beside the lock."""
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")
