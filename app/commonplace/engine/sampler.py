"""Draws tokens with llama.cpp's samplers, under a grammar if there is one."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import llama_cpp.llama_cpp as C  # noqa: N812 - the C interface
import numpy as np

from commonplace.engine.grammars import check_grammar
from commonplace.engine.types import Sampling
from commonplace.errors import EngineError

PENALTY_WINDOW = 256
LOOP_TOKENS = 12
"""Repeating fewer tokens than this costs nothing: code repeats itself rightly."""
_ENTRY = np.dtype([("id", "i4"), ("logit", "f4"), ("p", "f4")])
"""llama_token_data."""


class Sampler:
    """A chain of samplers for one answer.

    A grammar looks at a token only once it is drawn: to ask it about every word
    of a vocabulary takes as long as the model takes to think of one. Only when
    it refuses are all others asked.
    """

    def __init__(
        self, vocabulary: ctypes.c_void_p, sampling: Sampling, *, break_loops: bool
    ) -> None:
        """`break_loops` makes long verbatim repetitions unlikely (the DRY sampler).

        Raises `EngineError` for a grammar that cannot be used.
        """
        self._vocabulary = vocabulary
        self._size = int(C.llama_vocab_n_tokens(vocabulary))
        self._grammar = self._made(sampling.grammar) if sampling.grammar else None
        self._chain = C.llama_sampler_chain_init(C.llama_sampler_chain_default_params())
        for step in self._steps(sampling, break_loops):
            C.llama_sampler_chain_add(self._chain, step)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for sampler in (self._chain, self._grammar):
            if sampler is not None:
                C.llama_sampler_free(sampler)
        self._chain = self._grammar = None

    def draw(self, context: ctypes.c_void_p | None, index: int = -1) -> int:
        """Return the next token from the scores of an evaluated one; -1 is the last."""
        if self._grammar is None:
            return int(C.llama_sampler_sample(self._chain, context, index))
        logits = C.llama_get_logits_ith(context, index)
        scores = np.ctypeslib.as_array(logits, shape=(self._size,)).copy()
        token = self._chosen(np.arange(self._size, dtype="i4"), scores)
        if not self._allowed(np.array([token], dtype="i4"), np.zeros(1, "f4")).size:
            open_ids = self._allowed(np.arange(self._size, dtype="i4"), scores)
            if not open_ids.size:
                raise EngineError("The grammar leads nowhere from here.", "Mend the grammar.")
            token = self._chosen(open_ids, scores[open_ids])
        C.llama_sampler_accept(self._grammar, token)
        C.llama_sampler_accept(self._chain, token)
        return token

    def _chosen(self, ids: Any, scores: Any) -> int:
        entries, view = _view(ids, scores)
        C.llama_sampler_apply(self._chain, ctypes.byref(view))
        return int(entries["id"][view.selected])

    def _allowed(self, ids: Any, scores: Any) -> Any:
        """Return those of `ids` that the grammar lets follow."""
        entries, view = _view(ids, scores)
        C.llama_sampler_apply(self._grammar, ctypes.byref(view))
        left = entries[: view.size]
        return left["id"][np.isfinite(left["logit"])].copy()

    def _steps(self, sampling: Sampling, break_loops: bool) -> Iterator[ctypes.c_void_p]:
        penalty = sampling.repeat_penalty
        if penalty > 1:
            yield C.llama_sampler_init_penalties(self._size, PENALTY_WINDOW, penalty, 0.0, 0.0)
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

    def _made(self, text: str) -> ctypes.c_void_p:
        check_grammar(text)
        grammar = C.llama_sampler_init_grammar(self._vocabulary, text.encode(), b"root")
        if not grammar:
            raise EngineError("llama.cpp does not accept this grammar.", "Mend the grammar.")
        return grammar  # type: ignore[no-any-return]


def _view(ids: Any, scores: Any) -> tuple[Any, C.llama_token_data_array]:
    """Return entries of llama_token_data and the array that points to them."""
    entries = np.zeros(len(ids), _ENTRY)
    entries["id"], entries["logit"] = ids, scores
    pointer = entries.ctypes.data_as(C.llama_token_data_p)
    return entries, C.llama_token_data_array(pointer, len(ids), -1, False)
