"""What a measurement was asked for, what it works with, and what it found until now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from commonplace.errors import CancelledError
from commonplace.measure.journal import Journal
from commonplace.measure.results import Asked, Freshness, Layer, Place, Point, Speed
from commonplace.measure.snapshot import Snapshot
from commonplace.measure.stages import Stages
from commonplace.paths import StatePaths
from commonplace.settings import Settings

Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: questions of each source, commits, places, saves, and a limit."""

    questions: int
    commits: int
    places: int
    adapted_places: int
    touches: int
    history_files: int
    """Files of a project above which its past is not laid out: it would take too long."""


QUICK_SIZE = Size(
    questions=40, commits=12, places=12, adapted_places=8, touches=6, history_files=1500
)
FULL_SIZE = Size(
    questions=150, commits=60, places=60, adapted_places=16, touches=16, history_files=8000
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asked for. `model` is a path or the name of a file; empty for the one set.

    `places` is how many held-out places are scored, 0 for as many as usual. `fresh` begins
    anew where an earlier measurement was cut off. `adapt` trains an adapter as well.
    """

    root: Path
    model: str = ""
    quick: bool = False
    seed: int = 1
    places: int = 0
    fresh: bool = False
    adapt: bool = False

    @property
    def size(self) -> Size:
        """How much is measured."""
        return QUICK_SIZE if self.quick else FULL_SIZE


@dataclass(slots=True)
class Found:
    """What was found until now; `left_out` are sentences."""

    asked: list[Asked] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    adapted: list[Place] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    curve: list[Point] = field(default_factory=list)
    freshness: Freshness = field(default_factory=Freshness)
    speed: list[Speed] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Work:
    """What every stage works with. `scratch` is an empty folder that goes afterwards."""

    wanted: Wanted
    state: StatePaths
    settings: Settings
    taken: Snapshot
    journal: Journal
    scratch: Path
    stages: Stages
    stop: Stop
    found: Found

    def check(self, phase: str, done: int = 0, total: int = 0) -> None:
        """Say how far `phase` is; raise `CancelledError` if the user wants no more."""
        if self.stop():
            raise CancelledError("Stopped.")
        self.stages.at(phase, done, total)

    def leave_out(self, sentence: str) -> None:
        """Say in the result what was not measured, and why."""
        self.found.left_out.append(sentence)


def state_below(folder: Path) -> StatePaths:
    """Return state folders of a scratch project."""
    return StatePaths(folder / "config", folder / "data", folder / "cache")
