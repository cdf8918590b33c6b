"""The settings to fall back on when the engine dies with those asked for.

A rung concedes one thing more than the one above it. Which comes next depends
on how the engine died: want of memory is met with fewer layers on the graphics
card, a smaller context, quantised keys and values, and at last the processor
alone; a crash of a build without a graphics card is met first by leaving the
weights as they are. Nothing here starts a process: the command line and the
window drive the same ladder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from commonplace.engine.types import LoadOptions
from commonplace.errors import CommonplaceError, EngineError
from commonplace.wire.process import WorkerDiedError
from commonplace.words import said

SMALL_CONTEXT = 2048
FEWEST_LAYERS = 2
AS_ASKED = "as asked"

Cause = Literal["memory", "crash"]
"""Why a rung did not hold, as far as it can be told."""
KILLED = 9
"""The signal with which a system ends the process that takes too much memory."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to load a model; `sentence` tells the user what was conceded."""

    name: str
    options: LoadOptions
    sentence: str


Concession = Callable[[LoadOptions, int], LoadOptions]
"""Gives options conceding one thing, from those before and the layers on a card."""


def _fewer_layers(options: LoadOptions, on_card: int) -> LoadOptions:
    now = on_card if options.gpu_layers < 0 else min(options.gpu_layers, on_card or 999)
    return options if now < FEWEST_LAYERS else replace(options, gpu_layers=now // 2)


def _small_context(options: LoadOptions, _on_card: int) -> LoadOptions:
    return replace(options, context=min(options.context, SMALL_CONTEXT))


def _quantised(options: LoadOptions, _on_card: int) -> LoadOptions:
    return options if options.kv_type == "q4_0" else replace(options, kv_type="q8_0")


def _processor(options: LoadOptions, _on_card: int) -> LoadOptions:
    return replace(options, gpu_layers=0)


def _plain(options: LoadOptions, _on_card: int) -> LoadOptions:
    return replace(options, repack=False)


_CONCESSIONS: dict[str, tuple[Concession, str]] = {
    "fewer layers": (
        _fewer_layers,
        said("It runs with fewer layers on the graphics card, which is slower."),
    ),
    "small context": (
        _small_context,
        said(f"It sees {SMALL_CONTEXT:,} tokens at once, so fewer passages fit into a question."),
    ),
    "quantised memory": (
        _quantised,
        said("It keeps what it has read in 8 bits instead of 16, which costs a little accuracy."),
    ),
    "processor only": (_processor, said("It runs without the graphics card, which is slower.")),
    "without repacking": (
        _plain,
        said("It runs without rearranging its weights for this processor, which is slower."),
    ),
}
RUNGS = (AS_ASKED, *_CONCESSIONS)
"""The names of all rungs, from what was asked to what is safest."""


class WrongResultsError(EngineError):
    """The model computes, but not what it should: as good as a crash."""


def cause_of(error: CommonplaceError) -> Cause:
    """Return why loading or answering ended with `error`.

    The signal that ends a process for want of memory, a model that says it has
    no room, and silence count as memory.
    """
    died = isinstance(error, WorkerDiedError) and error.status != -KILLED
    return "crash" if died or isinstance(error, WrongResultsError) else "memory"


class Ladder:
    """Where a model stands between what was asked and what is safest.

    `offloads` says whether this build can use a graphics card at all, and
    `on_card` how many layers went there; set them once the engine has said so.
    Rungs that would change nothing are passed over.
    """

    def __init__(self, options: LoadOptions, *, offloads: bool = True) -> None:
        self._current = Rung(AS_ASKED, options, "")
        self._conceded: set[str] = set()
        self.offloads = offloads
        self.on_card = 0
        self.reasons: list[str] = []

    @property
    def current(self) -> Rung:
        """The rung in force."""
        return self._current

    @property
    def conceded(self) -> tuple[str, ...]:
        """The concessions in force, in the order of the ladder."""
        return tuple(name for name in _CONCESSIONS if name in self._conceded)

    def start_at(self, conceded: list[str], on_card: int = 0) -> None:
        """Begin with concessions that were found necessary before; others are ignored."""
        self.on_card = on_card
        for name in _CONCESSIONS:
            if name in conceded:
                self._concede(name)

    def step_down(self, reason: str, cause: Cause = "crash") -> Rung | None:
        """Go to the next rung that changes anything; None if there is none.

        `reason` is kept for the final message, once for each rung that failed.
        """
        self.reasons.append(f"{self.current.name}: {reason}")
        order = list(_CONCESSIONS)
        before = self._effective(self.current.options)
        if cause == "crash" and before.gpu_layers == 0:
            order.insert(0, order.pop())  # the processor's own path is the likeliest culprit
        for name in order:
            if name in self._conceded and name != "fewer layers":
                continue
            changed = _CONCESSIONS[name][0](self.current.options, self.on_card)
            if self._effective(changed) != before:
                self._concede(name)
                return self.current
        return None

    def _concede(self, name: str) -> None:
        concession, sentence = _CONCESSIONS[name]
        self._conceded.add(name)
        options = concession(self.current.options, self.on_card)
        self._current = Rung(name, options, sentence)

    def _effective(self, options: LoadOptions) -> LoadOptions:
        return options if self.offloads else replace(options, gpu_layers=0)
