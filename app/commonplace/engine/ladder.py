"""The settings to fall back on when the engine dies with those asked for.

Each rung keeps the concessions of those above it. Nothing here starts a
process: the command line and the window drive the same ladder.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from commonplace.engine.types import LoadOptions

SMALL_CONTEXT = 2048


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to load a model; `sentence` tells the user what was conceded."""

    name: str
    options: LoadOptions
    sentence: str


def _rungs(options: LoadOptions) -> list[Rung]:
    asked = Rung("as asked", options, "")
    plain = replace(options, repack=False)
    processor = replace(plain, gpu_layers=0)
    small = replace(processor, context=min(options.context, SMALL_CONTEXT))
    return [
        asked,
        Rung(
            "without repacking",
            plain,
            "It runs without rearranging its weights for this processor, which is slower.",
        ),
        Rung("processor only", processor, "It runs without the graphics card, which is slower."),
        Rung(
            "small context",
            small,
            f"It sees {small.context:,} tokens at once, so fewer passages fit into a question.",
        ),
    ]


class Ladder:
    """Where a model stands between what was asked and what is safest.

    `offloads` says whether this build can use a graphics card at all; set it
    to False once the engine has said so, and that rung is passed over.
    """

    def __init__(self, options: LoadOptions, *, offloads: bool = True) -> None:
        self._rungs = _rungs(options)
        self._at = 0
        self.offloads = offloads
        self.reasons: list[str] = []

    @property
    def current(self) -> Rung:
        """The rung in force."""
        return self._rungs[self._at]

    def step_down(self, reason: str) -> Rung | None:
        """Go to the next rung that changes anything; None if there is none.

        `reason` is kept for the final message, once for each rung that failed.
        """
        self.reasons.append(f"{self.current.name}: {reason}")
        effective = self._effective(self.current)
        for index in range(self._at + 1, len(self._rungs)):
            if self._effective(self._rungs[index]) != effective:
                self._at = index
                return self.current
        return None

    def _effective(self, rung: Rung) -> LoadOptions:
        return rung.options if self.offloads else replace(rung.options, gpu_layers=0)
