"""How OpenMP's threads wait for each other, and what that does to reading and writing.

Engines with other environments answer in turn, so that whatever else the machine does meets
them alike. The threads are as many as there are cores: one alone never waits.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

from bench.engine.adapters import CODE, Row
from commonplace.chat.messages import Message
from commonplace.engine.llama import default_threads
from commonplace.engine.session import EngineSession
from commonplace.engine.types import LoadOptions, Sampling
from commonplace.processor import SPINS

CONTEXT = 2048
ROUNDS = 7
GREEDY = Sampling(max_tokens=96, temperature=0.0, repeat_penalty=1.0)
NAME = "GOMP_SPINCOUNT"


def waiting(model: Path) -> list[Row]:
    """Compare threads that sleep at once with those that wait awake as ours do."""
    options = LoadOptions(context=CONTEXT, batch=512, threads=default_threads())
    best: dict[str, tuple[float, float]] = {}
    with ExitStack() as stack:
        engines = {}
        for spins in ("0", SPINS):
            engine = engines[spins] = stack.enter_context(EngineSession(options))
            _load(engine, model, spins)
        for number in range(ROUNDS):
            for spins, engine in engines.items():
                body = f"# file {number}\n" + CODE * 30
                text = f"{body}\nExplain at length what file {number} does."
                answer = engine.complete([Message("user", text)], GREEDY)
                read = answer.prompt_tokens / answer.first_token_ms * 1000
                rest = answer.total_ms - answer.first_token_ms
                written = (answer.completion_tokens - 1) / rest * 1000
                known = best.get(spins, (0.0, 0.0))
                best[spins] = max(known[0], read), max(known[1], written)
    (slept_read, slept), (read, written) = best["0"], best[SPINS]
    speeds = f"{written / slept:.2f} ({written:.0f} / {slept:.0f} tokens/s)"
    figure = f"{options.threads} threads awake for a moment / asleep at once, best of {ROUNDS}"
    return [
        [f"writing, {figure}", speeds, "> 1"],
        ["reading, the same", f"{read / slept_read:.2f}", ">= 1"],
    ]


def _load(engine: EngineSession, model: Path, spins: str) -> None:
    """Start an engine's process with its own word on waiting."""
    before = os.environ.get(NAME)
    os.environ[NAME] = spins
    try:
        engine.load(model)
    finally:
        if before is None:
            del os.environ[NAME]
        else:
            os.environ[NAME] = before
