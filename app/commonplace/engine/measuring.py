"""Finds out by trying how a loaded model runs best here, and how good it is."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

from commonplace.engine.identity import machine_id
from commonplace.engine.llama import Llama, default_threads
from commonplace.engine.remembered import Remembered
from commonplace.engine.tuning import Tuning, ahead_that_wins, fastest, thread_candidates
from commonplace.engine.types import Judgement, LoadOptions
from commonplace.errors import ModelError

log = logging.getLogger(__name__)

TEXT = "A commonplace book keeps, in its reader's own words, what is worth remembering. "
TRIAL_READ, TRIAL_WRITE = 48, 4
"""Tokens read and written to compare numbers of threads."""
BATCH_READ = 384
AHEAD_BATCHES = (1, 4, 8)
BATCHES = (512, 128, 256)
BATCH_SECONDS = 2.0
"""Batches are compared only where the model reads `BATCH_READ` tokens in this time."""
JUDGED, JUDGED_WRITE = 1536, 32
"""Tokens read and written to judge a model."""


class Measurer:
    """Tries a loaded model; every trial leaves an empty live sequence behind."""

    def __init__(self, llama: Llama, options: LoadOptions, batch: int) -> None:
        """`batch` is the most tokens that there is room to read at once."""
        self._llama = llama
        self._options = options
        self._batch = batch

    def tune(self, model: str) -> Tuning:
        """Choose threads and batch by trying, or take what was found for `model` here before.

        What the user set stays.
        """
        options, llama = self._options, self._llama
        cache = Remembered(Path(options.cache) / "tuning.json") if options.cache else None
        key = f"{model} {machine_id()} {options.repack} {options.threads} {options.batch}"
        tuning = _tuning(cache.get(key)) if cache is not None else None
        if tuning is None:
            tuning = self._measured()
            if cache is not None:
                cache.put(key, {name: getattr(tuning, name) for name in Tuning.__slots__})
        llama.use_threads(options.threads or tuning.threads)
        llama.batch = min(options.batch or tuning.batch, self._batch)
        log.info("Threads %d, batch %d: %s", llama.threads, llama.batch, tuning)
        return tuning

    def _measured(self) -> Tuning:
        options, llama = self._options, self._llama
        text = llama.tokens(TEXT * 40)
        long, short = text[:BATCH_READ], text[:TRIAL_READ]
        cores = [options.threads] if options.threads else []
        cores = cores or thread_candidates(default_threads(), os.cpu_count() or 1)
        reads: dict[int, float] = {}

        def with_threads(count: int) -> float:
            llama.use_threads(count)
            reads[count] = self._seconds(short)
            return reads[count] + sum(self._one() for _ in range(TRIAL_WRITE))

        threads, spent = fastest(cores, with_threads)
        llama.use_threads(threads)
        read_speed = TRIAL_READ / reads[threads]
        write_speed = TRIAL_WRITE / max(spent - reads[threads], 1e-6)
        batches = [size for size in BATCHES if size <= self._batch]
        batch = self._batch
        room = len(long) == BATCH_READ < llama.context
        if (
            room
            and len(batches) > 1
            and not options.batch
            and BATCH_READ / read_speed < BATCH_SECONDS
        ):

            def with_batch(size: int) -> float:
                llama.batch = size
                return self._seconds(long)

            batch, spent = fastest(batches, with_batch)
            read_speed = BATCH_READ / spent
        ahead = self._ahead_here(short)
        llama.rewind([])
        return Tuning(threads, batch, round(read_speed, 1), round(write_speed, 1), ahead)

    def _ahead_here(self, text: list[int]) -> int:
        """Time small batches, and see that what they read can be taken back."""
        llama = self._llama
        self._seconds(text)
        spent: dict[int, float] = {}
        for size in AHEAD_BATCHES:
            times = []
            for _ in range(3):
                began = time.perf_counter()
                llama.evaluate_all(text[:size])
                times.append(time.perf_counter() - began)
                if not llama.cut(size):
                    return 0
            spent[size] = min(times)
        return ahead_that_wins(spent)

    def _seconds(self, tokens: list[int]) -> float:
        self._llama.rewind([])
        began = time.perf_counter()
        self._llama.evaluate(tokens, lambda: False)
        return time.perf_counter() - began

    def _one(self) -> float:
        began = time.perf_counter()
        self._llama.evaluate([self._llama.live[0]], lambda: False)
        return time.perf_counter() - began

    def judge(self, text: str) -> Judgement:
        """Measure speed, and the surprise at the first `JUDGED` tokens of `text`."""
        tokens = self._llama.tokens(text)[: min(JUDGED, self._llama.context)]
        if len(tokens) < TRIAL_READ // 2:
            raise ModelError("There is too little text to judge by.", "Give a longer file.")
        long = tokens[: min(BATCH_READ, self._llama.context - JUDGED_WRITE)]
        read = min(self._seconds(long) for _ in range(2))
        write = sum(self._one() for _ in range(JUDGED_WRITE))
        speeds = round(len(long) / read, 1), round(JUDGED_WRITE / write, 1)
        self._llama.rewind([])
        return Judgement(*speeds, self._llama.loss(self._llama.beginning() + tokens))


def _tuning(fact: dict[str, object]) -> Tuning | None:
    threads, batch = fact.get("threads"), fact.get("batch")
    read, write = fact.get("read_speed"), fact.get("write_speed")
    ahead = fact.get("ahead")
    if type(ahead) is not int or not 0 <= ahead < max(AHEAD_BATCHES):
        return None
    if type(threads) is not int or type(batch) is not int or min(threads, batch) < 1:
        return None
    if not isinstance(read, int | float) or not isinstance(write, int | float):
        return None
    return Tuning(threads, batch, float(read), float(write), ahead)
