"""Before anything is trained: what it would take, and whether it can be done at all.

Nothing here loads torch or a model. The figures are estimates from the sizes in the model's
header and a short trial of how fast this machine multiplies just now.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped,unused-ignore]

from commonplace.adapt.records import Source, sources_to_wire
from commonplace.adapt.training import Recipe
from commonplace.adapt.weights import ARCHITECTURES, halved
from commonplace.engine.gguf import Header, read_header, size_in_words
from commonplace.engine.options import ELSEWHERE
from commonplace.errors import AdapterError, CommonplaceError, ModelError
from commonplace.paths import how_to_add

PACKAGES = ("torch", "transformers", "peft", "gguf")
FEWEST_TOKENS = 500
"""Tokens a file must have: fewer leave too little to judge by when a fifth is held out."""
MOST_TOKENS = 6000
"""Tokens of a file that are used; of a longer one, its beginning."""
NEIGHBOUR_TOKENS = 2000
"""Tokens of all neighbours together."""
BYTES_PER_TOKEN = 3.0
"""Of code, for estimates before a model has counted."""
LIBRARIES = 900 << 20
"""Bytes that torch, transformers and the engine take before any weights."""
START_SECONDS = 10.0
"""Importing the libraries, loading the weights twice, and writing the adapter."""
GATE_TOKENS = 5600
"""Tokens read at the gate beside the file's own, by llama.cpp and by torch together; what the
base is asked is asked while the adapter is trained."""
READ_FLOPS, LEARN_FLOPS = 2.0, 4.5
"""Operations for each weight and token."""
HALVED_SPEED = 1.3
"""How many times as fast training is with matrices of bfloat16, where they are `halved`."""
EFFICIENCY = 0.5
"""Share of the speed of large matrices that a model reaches."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What adapting would take; `refusal` is why it will not be done, if so."""

    seconds: float = 0.0
    memory_bytes: int = 0
    tokens: int = 0
    files: tuple[Source, ...] = ()
    refusal: CommonplaceError | None = None
    note: str = ""

    def to_wire(self) -> dict[str, Any]:
        """Return the estimate for JSON."""
        refusal = None
        if self.refusal is not None:
            refusal = {"message": self.refusal.message, "remedy": self.refusal.remedy}
        return {
            "seconds": round(self.seconds, 1),
            "memory_bytes": self.memory_bytes,
            "tokens": self.tokens,
            "files": sources_to_wire(self.files),
            "refusal": refusal,
            "note": self.note,
        }


def check_installed() -> None:
    """Raise `AdapterError` unless the libraries for training are there; loads none of them."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise AdapterError(
            f"Adapting needs packages that are not installed: {', '.join(missing)}.",
            how_to_add(),
        )


def checked_model(path: Path | None) -> Header:
    """Return the header of a model that can be trained; raises `ModelError`, `AdapterError`."""
    if path is None:
        raise ModelError("There is no model to adapt.", "Choose a model first.")
    if path == ELSEWHERE:
        raise AdapterError(
            "A model on a server cannot be adapted.", "Choose a model that is on this machine."
        )
    header = read_header(path)
    if header.architecture not in ARCHITECTURES:
        kinds = ", ".join(ARCHITECTURES)
        raise AdapterError(
            f"Models of the kind {header.architecture} cannot be loaded for training.",
            f"Choose a model of one of the kinds {kinds}; SmolLM2 and Qwen are.",
        )
    return header


def memory_of(header: Header, recipe: Recipe) -> int:
    """Return the bytes that training takes at its highest, the engine beside it included."""
    weights = 4 * header.parameters
    if halved():  # all but the embedding, of which there is a second one where it is the head
        embedding = header.vocabulary * header.embedding_length
        tied = "output.weight" not in header.tensors
        weights = 2 * header.parameters + 2 * embedding * (2 if tied else 1)
    scores = 4 * 5 * recipe.window * header.vocabulary
    layers = 4 * 30 * recipe.window * header.embedding_length * header.block_count
    return LIBRARIES + weights + scores + layers + 2 * header.file_bytes


def check_memory(header: Header, recipe: Recipe) -> int:
    """Return what `memory_of` says; raises `AdapterError` if there is less."""
    needed = memory_of(header, recipe)
    there = int(psutil.virtual_memory().available)
    if needed > there:
        raise AdapterError(
            f"Adapting this model takes about {size_in_words(needed)} of memory, and "
            f"{size_in_words(there)} are free.",
            "Close other programs, or choose a smaller model.",
        )
    return needed


def check_length(path: str, tokens: int) -> None:
    """Raise `AdapterError` for a file too short to learn from and to be judged by."""
    if tokens < FEWEST_TOKENS:
        raise AdapterError(
            f"{path} is too short: about {tokens:,} tokens, and {FEWEST_TOKENS:,} are needed to "
            "learn from a part and to judge by another.",
            "Ask with the file open instead; all of it fits into the prompt.",
        )


def seconds_of(header: Header, tokens: int, recipe: Recipe, speed: float) -> float:
    """Return about how long adapting takes; `speed` is in operations a second."""
    once = tokens * 0.75
    learned = once * recipe.epochs_of(round(once)) * (1 + recipe.replay / recipe.window)
    read = GATE_TOKENS + 2 * min(tokens, 2000)
    learn_flops = LEARN_FLOPS / (HALVED_SPEED if halved() else 1.0)
    work = header.parameters * (learned * learn_flops + read * READ_FLOPS)
    return START_SECONDS + work / (speed * EFFICIENCY)


def speed_now() -> float:
    """Return how many operations a second this machine does in float32, by a short trial."""
    import numpy as np

    size = 768
    matrix = np.full((size, size), 0.5, dtype=np.float32)
    matrix @ matrix  # the first starts the threads
    began, rounds = time.perf_counter(), 0
    while rounds < 3 or time.perf_counter() - began < 0.05:
        matrix @ matrix
        rounds += 1
    return 2.0 * size**3 * rounds / (time.perf_counter() - began)


def about_tokens(texts: Sequence[str]) -> int:
    """Return about how many tokens some texts have."""
    return round(sum(len(text.encode("utf-8", "replace")) for text in texts) / BYTES_PER_TOKEN)
