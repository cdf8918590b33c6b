"""Training a LoRA in torch: small steps, a tie to the base model, the best epoch kept.

The model's weights stay as they are; only the two thin matrices beside each linear layer
learn. What they learn on the file is held back by a second text at each step: there the
adapted model must go on foretelling what the base model foretells (a Kullback-Leibler
penalty), so that little is forgotten.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psutil  # type: ignore[import-untyped,unused-ignore]

from commonplace.adapt.weights import LINEAR

LOOK_SECONDS = 0.3
"""How long the machine is looked at to see how busy others keep it."""

Check = Callable[[], None]
"""Raises when the work is to stop."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train. `window` and `replay` are in tokens; `penalty` weighs the tie to the base.

    There are `epochs` at most, and no more after the first than make `budget` tokens of the
    file: a longer file says more in each, and nobody waits for ever.
    """

    rank: int = 8
    alpha: int = 16
    rate: float = 4e-4
    epochs: int = 3
    budget: int = 5000
    window: int = 256
    replay: int = 96
    penalty: float = 1.0
    clip: float = 1.0
    patience: int = 1

    def epochs_of(self, tokens: int) -> int:
        """Return how many epochs a text of so many tokens is trained for at most."""
        return max(1, min(self.epochs, self.budget // max(tokens, 1)))


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is trained on, in token ids, each text beginning as the model wants it.

    `target` and `replay` are windows; `validation` are pairs of context and text.
    """

    target: tuple[tuple[int, ...], ...]
    replay: tuple[tuple[int, ...], ...]
    validation: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """How far training is. `heldout` is the validation loss, known after each epoch."""

    epoch: int
    step: int
    steps: int
    loss: float
    heldout: float | None = None


@dataclass(slots=True)
class Trained:
    """What came of it: the best epoch, 0 if none beat the base, and the validation losses."""

    best: int
    losses: list[float] = field(default_factory=list)
    steps: int = 0


def windows(
    texts: Sequence[Sequence[int]], size: int, beginning: Sequence[int]
) -> tuple[tuple[int, ...], ...]:
    """Join texts and cut them into windows of about `size` tokens, of equal length."""
    joined = [token for text in texts for token in text]
    if not joined:
        return ()
    count = max(round(len(joined) / size), 1)
    length = math.ceil(len(joined) / count)
    pieces = (joined[start : start + length] for start in range(0, len(joined), length))
    return tuple((*beginning, *piece) for piece in pieces if len(piece) > 1)


class Trainee:
    """A base model with a LoRA beside each linear layer, on the best device there is."""

    def __init__(self, base: Any, recipe: Recipe, seed: int, check: Check) -> None:
        import torch
        from peft import LoraConfig, get_peft_model

        torch.manual_seed(seed)
        self._cores = torch.get_num_threads()
        self.take_free_cores()
        self._check = check
        self._recipe = recipe
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        settings = LoraConfig(
            r=recipe.rank,
            lora_alpha=recipe.alpha,
            lora_dropout=0.0,
            target_modules=list(LINEAR),
            task_type="CAUSAL_LM",
        )
        self.config = base.config
        self.model = get_peft_model(base, settings).to(self.device)
        matrices = base.lm_head.weight.dtype
        self._computing = partial(
            torch.autocast, self.device.type, matrices, enabled=matrices != torch.float32
        )
        for layer in base.model.layers:
            layer.register_forward_hook(self._between_layers)

    def _between_layers(self, _layer: Any, _inputs: Any, output: Any) -> None:
        """Stop within one layer's time, on the way forward and on the way back."""
        self._check()
        hidden = output[0] if isinstance(output, tuple) else output
        if hidden.requires_grad:
            hidden.register_hook(lambda _gradient: self._check())

    def take_free_cores(self) -> None:
        """Compute with as many threads as processors are idle now."""
        import torch

        torch.set_num_threads(free_cores(self._cores))

    def train(self, lesson: Lesson, seed: int, on_step: Callable[[Step], None]) -> Trained:
        """Train, and leave the weights of the best epoch in place.

        An epoch counts as better only by the validation part, which the gate does not use.
        """
        import torch

        recipe = self._recipe
        weights = [p for p in self.model.parameters() if p.requires_grad]
        optimiser = torch.optim.AdamW(weights, lr=recipe.rate, weight_decay=0.01)
        epochs = recipe.epochs_of(sum(map(len, lesson.target)))
        total = epochs * len(lesson.target)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda n: _rate(n, total))
        ties = [self._tie(window) for window in lesson.replay]
        done = Trained(0, [self.mean_nll(lesson.validation)])
        best = self._copy()
        on_step(Step(0, 0, total, done.losses[0], done.losses[0]))
        draw = random.Random(seed)  # noqa: S311 - an order, not a secret
        for epoch in range(1, epochs + 1):
            order = draw.sample(range(len(lesson.target)), len(lesson.target))
            for number in order:
                tie = ties[done.steps % len(ties)] if ties else None
                loss = self._step(lesson.target[number], tie, optimiser, weights)
                schedule.step()
                done.steps += 1
                on_step(Step(epoch, done.steps, total, loss))
            done.losses.append(self.mean_nll(lesson.validation))
            on_step(Step(epoch, done.steps, total, loss, done.losses[-1]))
            if done.losses[-1] < done.losses[done.best]:
                done.best, best = epoch, self._copy()
            elif epoch - done.best > recipe.patience:
                break
        self._restore(best)
        return done

    def mean_nll(self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> float:
        """Return the mean surprise in nats a token at texts behind their contexts."""
        values = [value for pair in pairs for value in self.nll(*pair)]
        return math.fsum(values) / len(values) if values else math.nan

    def nll(self, context: Sequence[int], ids: Sequence[int]) -> list[float]:
        """Return the surprise in nats at each of `ids` behind `context`, which is not empty."""
        return self.nll_behind(context, [((), ids)])[0]

    def nll_behind(
        self, prefix: Sequence[int], items: Sequence[tuple[Sequence[int], Sequence[int]]]
    ) -> list[list[float]]:
        """Return the surprise at the second of each of `items` behind `prefix` and the first.

        The prefix is read once. Prefix and first part together are not empty.
        """
        import torch
        from transformers import DynamicCache

        results: list[list[float]] = []
        with torch.inference_mode():
            cache = DynamicCache(config=self.config)
            known = max(len(prefix) - 1, 0)
            for start in range(0, known, 512):
                self._forward(prefix[start : min(start + 512, known)], cache, keep=1)
            for first, ids in items:
                chain = [*prefix[known:], *first, *ids]
                logits = self._forward(chain[:-1], cache, keep=len(ids))
                losses = torch.nn.functional.cross_entropy(
                    logits, self._tensor(ids), reduction="none"
                )
                results.append(losses.tolist())
                # A negative number says how many to forget; all is a new cache.
                cache = DynamicCache(config=self.config) if not known else cache
                if known:
                    cache.crop(1 - len(chain))
        return results

    def without(self) -> Any:
        """Return a context in which the model computes as its base does."""
        return self.model.disable_adapter()

    def halves(self) -> dict[str, Any]:
        """Return the trained matrices as float32 arrays by the base's parameter.

        Keys are such as ``model.layers.0.self_attn.q_proj.lora_A``; A is (rank, in), B is
        (out, rank).
        """
        return {
            name.removeprefix("base_model.model.").removesuffix(".default.weight"): (
                weight.detach().float().cpu().numpy()
            )
            for name, weight in self._trained()
        }

    def round_to_half(self) -> None:
        """Round the trained matrices to what is exported, so that both are measured alike."""
        import torch

        with torch.no_grad():
            for _, weight in self._trained():
                weight.copy_(weight.to(torch.float16).to(weight.dtype))

    def _logits(self, ids: Any, **options: Any) -> Any:
        """Return the scores (tokens, words) behind each of `ids`, a vector, in float32."""
        with self._computing():
            logits = self.model(input_ids=ids[None], **options).logits
        return logits.float().flatten(0, 1)

    def _forward(self, ids: Sequence[int], cache: Any, keep: int) -> Any:
        return self._logits(
            self._tensor(ids), past_key_values=cache, use_cache=True, logits_to_keep=keep
        )

    def _tensor(self, ids: Sequence[int]) -> Any:
        import torch

        return torch.tensor(list(ids), device=self.device)

    def _step(self, window: Sequence[int], tie: Any, optimiser: Any, weights: list[Any]) -> float:
        import torch

        ids = self._tensor(window)
        loss = torch.nn.functional.cross_entropy(self._logits(ids[:-1], use_cache=False), ids[1:])
        loss.backward()
        told = float(loss.detach())
        if tie is not None and self._recipe.penalty:
            (self._recipe.penalty * self._strayed(tie)).backward()
        torch.nn.utils.clip_grad_norm_(weights, self._recipe.clip)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        return told

    def _tie(self, window: Sequence[int]) -> Any:
        """Return what the base foretells on `window`: its likeliest tokens at each place."""
        import torch

        ids = self._tensor(window)
        with torch.no_grad(), self.without():
            scores = self._logits(ids, use_cache=False)
            likely = torch.log_softmax(scores, dim=-1).topk(min(64, scores.shape[-1]), dim=-1)
        return ids, likely.values, likely.indices

    def _strayed(self, tie: Any) -> Any:
        """Return the divergence from the base in nats a token; the unlikely count as one."""
        import torch

        ids, base, places = tie
        scores = self._logits(ids, use_cache=False)
        ours = torch.log_softmax(scores, dim=-1).gather(-1, places)
        rest, ours_rest = (torch.log1p(-_mass(values)) for values in (base, ours))
        divergence = (base.exp() * (base - ours)).sum(-1) + rest.exp() * (rest - ours_rest)
        return divergence.mean()

    def _trained(self) -> list[tuple[str, Any]]:
        return [(name, p) for name, p in self.model.named_parameters() if p.requires_grad]

    def _copy(self) -> list[Any]:
        return [weight.detach().clone() for _, weight in self._trained()]

    def _restore(self, copies: list[Any]) -> None:
        import torch

        with torch.no_grad():
            for (_, weight), copy in zip(self._trained(), copies, strict=True):
                weight.copy_(copy)


def free_cores(most: int) -> int:
    """Return how many threads to compute with: no more than processors that are idle now.

    Threads that share a processor with other work keep all others waiting at each layer. The
    load average would not do: it still counts what this very run has just let the engine do.
    """
    idle = 1 - float(psutil.cpu_percent(LOOK_SECONDS)) / 100
    return max(1, min(most, round(idle * (psutil.cpu_count() or 1))))


def _mass(logarithms: Any) -> Any:
    """Return the sum of probabilities, kept below one so that the rest has a logarithm."""
    return logarithms.exp().sum(-1).clamp(max=1 - 1e-4)


def _rate(step: int, total: int) -> float:
    """Return the share of the rate at a step: a short rise, then a cosine to a tenth."""
    rise = max(total // 10, 1)
    if step < rise:
        return (step + 1) / (rise + 1)
    return 0.1 + 0.45 * (1 + math.cos(math.pi * (step - rise) / max(total - rise, 1)))
