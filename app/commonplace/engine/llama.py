"""A thin layer over llama.cpp's C interface.

Runs in the engine process alone: llama.cpp may abort on a bad file or a faulty
processor path, and that must end nothing but this process.
"""

from __future__ import annotations

import ctypes
import itertools
import logging
import operator
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as C  # noqa: N812 - the C interface
import numpy as np
import psutil  # type: ignore[import-untyped,unused-ignore]

from commonplace.engine.fit import Plan
from commonplace.engine.ggml import load_backends
from commonplace.engine.lora import Adapters
from commonplace.engine.requantise import fill, loss
from commonplace.engine.sampler import Sampler
from commonplace.engine.states import State
from commonplace.engine.types import KvType, LoadOptions, Sampling
from commonplace.errors import CancelledError, EngineError, ModelError

log = logging.getLogger("llama.cpp")

Stopped = Callable[[], bool]
Draw = Callable[[int], int]
"""Draws the next token from the scores of an evaluated one, by its place; -1 is the last."""

ABORTED = 2
"""What llama_decode returns when its abort callback said yes."""

KV_TYPES: dict[KvType, int] = {
    "f16": C.GGML_TYPE_F16,
    "q8_0": C.GGML_TYPE_Q8_0,
    "q4_0": C.GGML_TYPE_Q4_0,
}

_LEVELS = {2: logging.INFO, 3: logging.WARNING, 4: logging.ERROR}
"""ggml's levels; the table in the Python package is out of date."""


@C.llama_log_callback  # type: ignore[untyped-decorator,unused-ignore]
def _log(level: int, text: bytes | None, _data: ctypes.c_void_p) -> None:
    line = (text or b"").decode("utf-8", "replace").rstrip()
    if line:
        log.log(_LEVELS.get(level, logging.DEBUG), "%s", line)


C.llama_log_set(_log, ctypes.c_void_p(0))
load_backends()
C.llama_backend_init()


def default_threads() -> int:
    """Return one thread per physical core that this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(psutil.cpu_count(logical=False) or 1, usable or 1))


class Llama:
    """The weights, a vocabulary, and one live sequence of tokens.

    `context` is the number of tokens the sequence may hold, `batch` how many
    of them are read at once, `words` the size of the vocabulary.
    """

    def __init__(
        self,
        path: Path,
        options: LoadOptions,
        plan: Plan,
        *,
        on_progress: Callable[[float], None],
        stopped: Stopped,
    ) -> None:
        """Load the weights and make room for a sequence as `plan` says.

        Raises `ModelError` when llama.cpp refuses the file, `EngineError` when
        it cannot make the room, `CancelledError` once `stopped` says yes.
        """
        self._context = None
        self._model = _load_weights(path, options, plan, on_progress, stopped)
        try:
            self._context = _make_context(self._model, plan, options)
        except EngineError:
            self.close()
            raise
        self._vocabulary = C.llama_model_get_vocab(self._model)
        self._memory = C.llama_get_memory(self._context)
        self.adapters = Adapters(self._model, self._context)
        self._live: list[int] = []
        self._piece = ctypes.create_string_buffer(256)
        self.context = min(plan.context, int(C.llama_n_ctx(self._context)))
        self.batch = plan.batch
        self.words = int(C.llama_vocab_n_tokens(self._vocabulary))
        self.threads = options.threads or default_threads()

    @property
    def live(self) -> Sequence[int]:
        """The tokens of the live sequence."""
        return self._live

    def use_threads(self, count: int) -> None:
        """Compute with `count` threads from now on."""
        self.threads = count
        C.llama_set_n_threads(self._context, count, count)

    def close(self) -> None:
        """Free the context and the weights; safe to repeat."""
        if self._context is not None:
            self.adapters.close()
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
        shared = common(self._live, tokens[:-1])
        if shared < len(self._live) and not (
            shared and C.llama_memory_seq_rm(self._memory, 0, shared, -1)
        ):
            C.llama_memory_clear(self._memory, True)
            shared = 0
        del self._live[shared:]
        return shared

    def state(self) -> State | None:
        """Return the live sequence with what llama.cpp keeps of it; None if it cannot."""
        size = int(C.llama_state_seq_get_size(self._context, 0))
        buffer = (ctypes.c_uint8 * size)()
        written = int(C.llama_state_seq_get_data(self._context, buffer, size, 0))
        return State(list(self._live), bytes(memoryview(buffer)[:written])) if written else None

    def restore(self, state: State) -> bool:
        """Put `state` in place of the live sequence; False leaves an empty one."""
        C.llama_memory_clear(self._memory, True)
        self._live.clear()
        if len(state.tokens) > self.context:
            return False
        size = len(state.data)
        data = (ctypes.c_uint8 * size).from_buffer_copy(state.data)
        read = int(C.llama_state_seq_set_data(self._context, data, size, 0))
        last = int(C.llama_memory_seq_pos_max(self._memory, 0))
        if read != size or last != len(state.tokens) - 1:
            C.llama_memory_clear(self._memory, True)
            return False
        self._live += state.tokens
        return True

    def ends_named(self) -> tuple[str, str]:
        """Return the texts of the tokens that begin and end a sequence; empty for none."""
        first, last = (
            C.llama_vocab_get_text(self._vocabulary, token).decode("utf-8", "replace")
            if token >= 0
            else ""
            for token in (C.llama_vocab_bos(self._vocabulary), C.llama_vocab_eos(self._vocabulary))
        )
        return first, last

    def marks(self) -> tuple[str, ...]:
        """Return the texts of the tokens with which this model ends a turn."""
        named = (C.llama_vocab_eos(self._vocabulary), C.llama_vocab_eot(self._vocabulary))
        texts = [
            C.llama_vocab_get_text(self._vocabulary, token).decode("utf-8", "replace")
            for token in named
            if token >= 0
        ]
        return tuple(dict.fromkeys(text for text in texts if len(text) > 2))

    def evaluate(self, tokens: list[int], stopped: Stopped) -> bool:
        """Evaluate `tokens` at the end of the live sequence; False once stopped.

        Raises `EngineError` if llama.cpp cannot.
        """
        with self._watched(tokens, stopped):
            for start in range(0, len(tokens), self.batch):
                if stopped() or not self._decode(tokens[start : start + self.batch]):
                    return False
        return True

    def evaluate_all(
        self, tokens: list[int], unscored: int = 0, stopped: Stopped | None = None
    ) -> bool:
        """Evaluate a batch, keeping the scores of all but the first `unscored` tokens.

        False once stopped; raises `EngineError`.
        """
        batch = C.llama_batch_init(len(tokens), 0, 1)
        try:
            fill(batch, tokens, len(self._live), unscored)
            with self._watched(tokens, stopped):
                return self._done(tokens, C.llama_decode(self._context, batch))
        finally:
            C.llama_batch_free(batch)

    @contextmanager
    def _watched(self, tokens: list[int], stopped: Stopped | None) -> Iterator[None]:
        """Let llama.cpp ask whether to stop at every node of the graph.

        That is free for a batch, but not for one token.
        """
        if stopped is None or len(tokens) < 2:
            yield
            return
        watch = C.ggml_abort_callback(lambda _data: stopped())
        C.llama_set_abort_callback(self._context, watch, None)
        try:
            yield
        finally:
            C.llama_set_abort_callback(self._context, C.ggml_abort_callback(0), None)

    def cut(self, count: int) -> bool:
        """Take back the last `count` tokens; False where the model's memory cannot."""
        keep = len(self._live) - count
        if not C.llama_memory_seq_rm(self._memory, 0, keep, -1):
            return False
        del self._live[keep:]
        return True

    def scores(self, index: int) -> Any:
        """Return the scores after a token that was evaluated for them, as a float32 vector.

        `index` is its place in the last batch, -1 the last one; valid until the next.
        """
        scores = C.llama_get_logits_ith(self._context, index)
        return np.ctypeslib.as_array(scores, shape=(self.words,))

    def use_adapter(self, sha256: str | None, scale: float) -> None:
        """Compute with one of `adapters`, or with None; the sequence is lost if that changes it.

        Raises `ModelError` when llama.cpp does not.
        """
        if sha256 is None and self.adapters.used is None:
            return
        # Keys and values of other weights are stale, and llama.cpp would use them.
        C.llama_memory_clear(self._memory, True)
        self._live.clear()
        self.adapters.use(sha256, scale)

    def makes_sense(self) -> bool:
        """Whether the scores of the last token are numbers, and not all the same."""
        scores = self.scores(-1)
        return bool(np.isfinite(scores).all() and scores.min() < scores.max())

    def loss(self, tokens: list[int]) -> float:
        """Return the mean surprise at `tokens` in nats; the live sequence is lost."""
        self._live.clear()
        room = tokens[: self.context]
        return loss(self._context, self.words, room)

    @contextmanager
    def drawing(self, sampling: Sampling, *, break_loops: bool) -> Iterator[Draw]:
        """Give a function that draws tokens as `sampling` says; see `sampler`."""
        with Sampler(self._vocabulary, sampling, break_loops=break_loops) as sampler:
            yield lambda index: sampler.draw(self._context, index)

    def _decode(self, tokens: list[int]) -> bool:
        array = (C.llama_token * len(tokens))(*tokens)  # the batch only points to it
        status = C.llama_decode(self._context, C.llama_batch_get_one(array, len(tokens)))
        return self._done(tokens, status)

    def _done(self, tokens: list[int], status: int) -> bool:
        """Note what was evaluated, or undo it; False if it was stopped."""
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


def common(first: Sequence[int], second: Sequence[int]) -> int:
    """Return how many tokens `first` and `second` begin with alike."""
    same = map(operator.eq, first, second)
    return sum(1 for _ in itertools.takewhile(bool, same))


def _load_weights(
    path: Path,
    options: LoadOptions,
    plan: Plan,
    on_progress: Callable[[float], None],
    stopped: Stopped,
) -> ctypes.c_void_p | None:
    def progressed(fraction: float, _data: ctypes.c_void_p) -> bool:
        on_progress(fraction)
        return not stopped()

    params = C.llama_model_default_params()
    params.n_gpu_layers = plan.gpu_layers
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
    model: ctypes.c_void_p | None, plan: Plan, options: LoadOptions
) -> ctypes.c_void_p | None:
    params = C.llama_context_default_params()
    params.n_ctx = plan.context
    params.n_batch = params.n_ubatch = plan.batch
    params.n_threads = params.n_threads_batch = options.threads or default_threads()
    params.type_k = params.type_v = KV_TYPES[plan.kv_type]
    # Quantised values need it; elsewhere llama.cpp knows where it is faster.
    quantised = plan.kv_type != "f16"
    params.flash_attn_type = (
        C.LLAMA_FLASH_ATTN_TYPE_ENABLED if quantised else C.LLAMA_FLASH_ATTN_TYPE_AUTO
    )
    params.offload_kqv = plan.gpu_layers != 0
    context = C.llama_init_from_model(model, params)
    if not context:
        raise EngineError(
            f"llama.cpp cannot keep a context of {plan.context:,} tokens.",
            "Lower model.context in the settings, or choose a smaller model.",
        )
    return context  # type: ignore[no-any-return]
