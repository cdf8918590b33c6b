"""Which rung of the ladder held for a model, with this build on this machine.

A model that crashed on the way to its rung need not crash again at every start.
Only what happened while loading is remembered: a process that dies later may
have been ended for another's sake.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from commonplace.engine.identity import build_id, machine_id
from commonplace.engine.ladder import RUNGS, Ladder
from commonplace.engine.remembered import Remembered
from commonplace.engine.types import LoadOptions

FILE = "verdicts.json"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What had to be conceded, the layers tried on a card, and why, for the user."""

    conceded: tuple[str, ...]
    on_card: int
    reasons: tuple[str, ...]


class Verdicts:
    """The verdicts in one folder; an empty folder name remembers nothing."""

    def __init__(self, folder: str) -> None:
        self._facts = Remembered(Path(folder) / FILE) if folder else None

    def get(self, path: Path, options: LoadOptions) -> Verdict | None:
        """Return what is known of the model at `path`, loaded with `options`."""
        if self._facts is None:
            return None
        fact = self._facts.get(_key(path, options))
        conceded, reasons, on_card = fact.get("conceded"), fact.get("reasons"), fact.get("on_card")
        if not isinstance(conceded, list) or not isinstance(reasons, list):
            return None
        known = tuple(name for name in conceded if name in RUNGS)
        layers = on_card if type(on_card) is int else 0
        return Verdict(known, layers, tuple(map(str, reasons))) if known else None

    def put(self, path: Path, options: LoadOptions, ladder: Ladder) -> None:
        """Remember where `ladder` stands; a model at the top needs no remembering."""
        if self._facts is None or not ladder.conceded:
            return
        self._facts.put(
            _key(path, options),
            {
                "conceded": list(ladder.conceded),
                "on_card": ladder.on_card,
                "reasons": ladder.reasons,
            },
        )

    def forget(self, path: Path, options: LoadOptions) -> None:
        """Let the model at `path` begin at the top again."""
        if self._facts is not None:
            self._facts.forget(_key(path, options))


def climb(ladder: Ladder, verdict: Verdict | None) -> None:
    """Let `ladder` begin where `verdict` says that it held."""
    if verdict is not None:
        ladder.start_at(list(verdict.conceded), verdict.on_card)
        ladder.reasons += verdict.reasons


def _key(path: Path, options: LoadOptions) -> str:
    try:
        about = path.stat()
        file = f"{path.absolute()} {about.st_size} {about.st_mtime_ns}"
    except OSError:
        file = str(path.absolute())
    asked = f"{options.context} {options.gpu_layers} {options.kv_type}"
    return f"{file} {asked} {build_id()} {machine_id()}"
