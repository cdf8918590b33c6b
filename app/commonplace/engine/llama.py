"""A thin layer over llama.cpp's C interface; the only module that imports it.

Runs in the engine process alone: llama.cpp may abort on a bad file or a faulty
processor path, and that must end nothing but this process.
"""

from __future__ import annotations

import ctypes
import itertools
import logging
import math
import operator
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import llama_cpp.llama_cpp as C  # noqa: N812 - the C interface
import psutil  # type: ignore[import-untyped,unused-ignore]

from commonplace.engine.fit import BATCH
from commonplace.engine.types import LoadOptions, Sampling
from commonplace.errors import CancelledError, EngineError, ModelError

log = logging.getLogger("llama.cpp")

Stopped = Callable[[], bool]
Draw = Callable[[], int]
"""Draws the next token from the scores of the last one evaluated."""

PENALTY_WINDOW = 256
LOOP_TOKENS = 12
"""Repeating fewer tokens than this costs nothing: code repeats itself rightly."""
ABORTED = 2
"""What llama_decode returns when its abort callback said yes."""

_LEVELS = {2: logging.INFO, 3: logging.WARNING, 4: logging.ERROR}
"""ggml's levels; the table in the Python package is out of date."""


@C.llama_log_callback  # type: ignore[untyped-decorator,unused-ignore]
def _log(level: int, text: bytes | None, _data: ctypes.c_void_p) -> None:
    line = (text or b"").decode("utf-8", "replace").rstrip()
    if line:
        log.log(_LEVELS.get(level, logging.DEBUG), "%s", line)


C.llama_log_set(_log, ctypes.c_void_p(0))
C.llama_backend_init()


def can_offload() -> bool:
    """Whether this build of llama.cpp can place layers on a graphics card."""
    return bool(C.llama_supports_gpu_offload())


def default_threads() -> int:
    """Return one thread per physical core that this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(psutil.cpu_count(logical=False) or 1, usable or 1))


class Llama:
    """The weights, a vocabulary, and one live sequence of tokens.

    `context` is the number of tokens the sequence may hold.
    """

    def __init__(
        self,
        path: Path,
        options: LoadOptions,
        *,
        context: int,
        on_progress: Callable[[float], None],
        stopped: Stopped,
    ) -> None:
        """Load the weights and make room for `context` tokens.

        Raises `ModelError` when llama.cpp refuses the file, `EngineError` when
        it cannot make the room, `CancelledError` once `stopped` says yes.
        """
        self._context = None
        self._model = _load_weights(path, options, on_progress, stopped)
        try:
            self._context = _make_context(self._model, context, options)
        except EngineError:
            self.close()
            raise
        self._vocabulary = C.llama_model_get_vocab(self._model)
        self._memory = C.llama_get_memory(self._context)
        self._live: list[int] = []
        self._piece = ctypes.create_string_buffer(256)
        self.context = min(context, int(C.llama_n_ctx(self._context)))

    def close(self) -> None:
        """Free the context and the weights; safe to repeat."""
        if self._context is not None:
            C.llama_free(self._context)
            self._context = None
        if self._model is not None:
            C.llama_model_free(self._model)
            self._model = None

    def beginning(self) -> list[int]:
        """Return the tokens this model wants before every text: one or none."""
        wanted = C.llama_vocab_get_add_bos(self._vocabulary)
        return [int(C.llama_vocab_bos(self._vocabulary))] if wanted else []

    def tokens(self, text: str, *, special: bool = False) -> list[int]:
        """Return the tokens of `text`; turn marks in it count only if `special`."""
        data = text.encode("utf-8", "replace")
        room = len(data) + 8  # a token is at least one byte; some tokenizers add a space
        buffer = (C.llama_token * room)()
        count = C.llama_tokenize(self._vocabulary, data, len(data), buffer, room, False, special)
        if count < 0:
            raise EngineError("The text could not be split into tokens.", "Try another model.")
        return list(buffer[:count])

    def bytes_of(self, token: int) -> bytes:
        """Return what `token` writes: part of a character, or nothing for a mark."""
        size = C.llama_token_to_piece(
            self._vocabulary, token, self._piece, len(self._piece), 0, False
        )
        if size < 0:  # the piece is longer than the buffer, and -size long
            self._piece = ctypes.create_string_buffer(-size)
            return self.bytes_of(token)
        return self._piece.raw[:size]

    def ends(self, token: int) -> bool:
        """Whether `token` says that the answer is complete."""
        return bool(C.llama_vocab_is_eog(self._vocabulary, token))

    def rewind(self, tokens: list[int]) -> int:
        """Keep what the live sequence shares with `tokens`; return how much.

        The last token is always evaluated again, for its scores. Models whose
        memory cannot be cut in the middle start afresh.
        """
        same = map(operator.eq, self._live, tokens[:-1])
        shared = sum(1 for _ in itertools.takewhile(bool, same))
        if shared < len(self._live) and not (
            shared and C.llama_memory_seq_rm(self._memory, 0, shared, -1)
        ):
            C.llama_memory_clear(self._memory, True)
            shared = 0
        del self._live[shared:]
        return shared

    def evaluate(self, tokens: list[int], stopped: Stopped) -> bool:
        """Evaluate `tokens` at the end of the live sequence; False once stopped.

        Raises `EngineError` if llama.cpp cannot.
        """
        # Asked at every node of the graph: free for a batch, not for one token.
        watch = C.ggml_abort_callback(lambda _data: stopped()) if len(tokens) > 1 else None
        if watch is not None:
            C.llama_set_abort_callback(self._context, watch, None)
        try:
            for start in range(0, len(tokens), BATCH):
                if stopped() or not self._decode(tokens[start : start + BATCH]):
                    return False
        finally:
            if watch is not None:
                C.llama_set_abort_callback(self._context, C.ggml_abort_callback(0), None)
        return True

    def makes_sense(self) -> bool:
        """Whether the scores of the last token are numbers, and not all the same."""
        count = int(C.llama_vocab_n_tokens(self._vocabulary))
        scores = C.llama_get_logits_ith(self._context, -1)[:count]
        return all(map(math.isfinite, scores)) and min(scores) < max(scores)

    @contextmanager
    def drawing(self, sampling: Sampling, *, break_loops: bool) -> Iterator[Draw]:
        """Give a function that draws tokens as `sampling` says.

        `break_loops` makes long verbatim repetitions unlikely (the DRY sampler).
        """
        chain = C.llama_sampler_chain_init(C.llama_sampler_chain_default_params())
        for step in self._steps(sampling, break_loops):
            C.llama_sampler_chain_add(chain, step)
        try:
            yield lambda: int(C.llama_sampler_sample(chain, self._context, -1))
        finally:
            C.llama_sampler_free(chain)

    def _steps(self, sampling: Sampling, break_loops: bool) -> Iterator[ctypes.c_void_p]:
        penalty = sampling.repeat_penalty
        if penalty > 1:
            count = C.llama_vocab_n_tokens(self._vocabulary)
            yield C.llama_sampler_init_penalties(count, PENALTY_WINDOW, penalty, 0.0, 0.0)
        if break_loops:
            breakers = (ctypes.c_char_p * 0)()
            yield C.llama_sampler_init_dry(
                self._vocabulary, 0.8, 1.75, LOOP_TOKENS, PENALTY_WINDOW, breakers, 0
            )
        if sampling.temperature <= 0:
            yield C.llama_sampler_init_greedy()
            return
        yield C.llama_sampler_init_top_k(40)
        yield C.llama_sampler_init_top_p(0.95, 1)
        yield C.llama_sampler_init_min_p(0.05, 1)
        yield C.llama_sampler_init_temp(sampling.temperature)
        yield C.llama_sampler_init_dist(sampling.seed & 0xFFFFFFFF)

    def _decode(self, tokens: list[int]) -> bool:
        array = (C.llama_token * len(tokens))(*tokens)  # the batch only points to it
        status = C.llama_decode(self._context, C.llama_batch_get_one(array, len(tokens)))
        if status == 0:
            self._live += tokens
            return True
        if not C.llama_memory_seq_rm(self._memory, 0, len(self._live), -1):
            C.llama_memory_clear(self._memory, True)
            self._live.clear()
        if status == ABORTED:
            return False
        raise EngineError(
            f"llama.cpp could not evaluate the question (status {status}).",
            "Ask with fewer passages, or load the model with a smaller context.",
        )


def _load_weights(
    path: Path, options: LoadOptions, on_progress: Callable[[float], None], stopped: Stopped
) -> ctypes.c_void_p | None:
    def progressed(fraction: float, _data: ctypes.c_void_p) -> bool:
        on_progress(fraction)
        return not stopped()

    params = C.llama_model_default_params()
    params.n_gpu_layers = options.gpu_layers
    params.use_extra_bufts = options.repack
    watch = C.llama_progress_callback(progressed)  # must outlive the call below
    params.progress_callback = watch
    model = C.llama_model_load_from_file(os.fsencode(path), params)
    if model:
        return model  # type: ignore[no-any-return]
    if stopped():
        raise CancelledError("Loading was stopped.")
    raise ModelError(
        f"llama.cpp cannot load {path.name}.",
        "The file may be damaged or newer than this version; the engine's log says more. "
        "Choose another model in the settings.",
    )


def _make_context(
    model: ctypes.c_void_p | None, size: int, options: LoadOptions
) -> ctypes.c_void_p | None:
    params = C.llama_context_default_params()
    params.n_ctx = size
    params.n_batch = params.n_ubatch = min(BATCH, size)
    params.n_threads = params.n_threads_batch = options.threads or default_threads()
    params.flash_attn_type = C.LLAMA_FLASH_ATTN_TYPE_AUTO
    params.offload_kqv = options.gpu_layers != 0
    context = C.llama_init_from_model(model, params)
    if not context:
        raise EngineError(
            f"llama.cpp cannot keep a context of {size:,} tokens.",
            "Lower model.context in the settings, or choose a smaller model.",
        )
    return context  # type: ignore[no-any-return]
