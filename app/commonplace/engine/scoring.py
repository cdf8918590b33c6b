"""Raw text through a loaded model: how likely it is, and how it goes on.

No chat template and no turn marks: this is what perplexity is measured with,
and what a model of code would write at the cursor. The scores of whole
vocabularies are kept for a few tokens at a time, so that the memory this takes
depends neither on the text nor on the context.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from commonplace.engine.llama import Llama
from commonplace.engine.textstream import TextStream
from commonplace.engine.types import Continuation, Finish, Sampling, Score
from commonplace.engine.writing import Writer
from commonplace.errors import CancelledError, EngineError

KEPT_BYTES = 24 << 20
"""Of scores at once: 128 tokens of a vocabulary of 49,000 words, 31 of one of 200,000. Fewer
would be read much slower: small batches leave the processor waiting for memory."""
GREEDY = Sampling(temperature=0.0)

Stopped = Callable[[], bool]


def score(llama: Llama, context: str, text: str, stopped: Stopped) -> Score:
    """Return how likely `text` is behind `context`; see `Model.score`.

    What the live sequence shares with the context is not read again.
    """
    before = llama.beginning() + llama.tokens(context)
    tokens = llama.tokens(text)
    if not tokens:
        return Score((), ())
    if not before:
        raise EngineError(
            "This model puts nothing before a text, so its first token cannot be scored.",
            "Give a context, a line break at least.",
        )
    check_room(llama, len(before) + len(tokens))
    known = llama.rewind(before)
    # The last token of the context foretells the first of the text; the last one nothing.
    read = [*before[known:], *tokens[:-1]]
    unscored = len(before) - known - 1
    most = max(1, KEPT_BYTES // (4 * llama.words))
    nll: list[float] = []
    start = 0
    while start < len(read):
        skip = max(unscored - start, 0)
        end = min(start + llama.batch, start + skip + most, len(read))
        if stopped() or not llama.evaluate_all(read[start:end], min(skip, end - start), stopped):
            raise CancelledError("Scoring was stopped.")
        nll += [
            _surprise(llama.scores(index - start), tokens[index - unscored])
            for index in range(start + skip, end)
        ]
        start = end
    return Score(tuple(tokens), tuple(nll))


def continue_text(
    llama: Llama, context: str, max_tokens: int, stop: Sequence[str], stopped: Stopped
) -> Continuation:
    """Write on from `context`, greedily; see `Model.continue_text`."""
    prompt = llama.beginning() + llama.tokens(context)
    if not prompt:
        raise EngineError("There is nothing to go on from.", "Give a context.")
    check_room(llama, len(prompt) + max_tokens)
    known = llama.rewind(prompt)
    stream = TextStream(stop)
    text = ""
    drawn = 0
    finish: Finish = "length"
    with llama.drawing(GREEDY, break_loops=False) as draw:
        writer = Writer(llama, draw, prompt, prompt[known:])
        while drawn < max_tokens:
            token = writer.next(stopped, max_tokens - drawn)
            if token is None:
                finish = "cancelled"
                break
            drawn += 1
            if llama.ends(token):
                finish = "stop"
                break
            text += stream.feed(llama.bytes_of(token))
            if stream.stopped:
                finish = "stop"
                break
        writer.close()
    return Continuation(text + stream.flush(), drawn, finish)


def check_room(llama: Llama, tokens: int) -> None:
    """Raise `EngineError` if `tokens` are more than the sequence may hold."""
    if tokens > llama.context:
        raise EngineError(
            f"The text takes {tokens:,} tokens; this model sees {llama.context:,} at once.",
            "Give a shorter context or text, or raise model.context.",
        )


def _surprise(scores: Any, following: int) -> float:
    """Return the negative log-likelihood of `following` in nats, from float32 scores."""
    highest = scores.max()
    norm = np.log(np.exp(scores - highest).sum(dtype="f8"))
    return float(highest - scores[following] + norm)
