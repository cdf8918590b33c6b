"""What one measurement found: plain values, and JSON both ways.

A file of results outlives the program that wrote it. So each carries the version
of its form, keys that are not known are passed over, and keys that are missing
take their default; what is not of this form at all is refused.
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, Self, Union, get_args, get_origin, get_type_hints

from commonplace.errors import StorageError

VERSION = 1
REMEDY = "Delete the file, or measure again."

Outcome = Literal["helps", "hurts", "unsure", "missing"]
"""Whether the 95 % interval of a difference lies above zero, below it, or around it;
`missing` where it could not be measured."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and its 95 % bootstrap interval, all in one unit."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Layer:
    """The model with one layer of memory more than the line before.

    Over `n` held-out places of `tokens` tokens: perplexity (e to the mean negative
    log-likelihood of a token), `bits` per character (comparable between models of
    other tokens), the share of next lines written exactly, and their edit similarity
    (0 to 1). `gain` is the paired difference to the layer before, in nats per token
    (positive: the layer helps), `exact_gain` and `similarity_gain` likewise. At
    `changed` places the layer had something to add; at the others its figures are
    those of the layer before. A layer that was left out has `n` 0 and a `reason`.
    The adapter has places of its own: its `gain` is over those, with and without it.
    """

    name: str
    n: int = 0
    tokens: int = 0
    changed: int = 0
    perplexity: Estimate | None = None
    bits: Estimate | None = None
    exact: Estimate | None = None
    similarity: Estimate | None = None
    gain: Estimate | None = None
    exact_gain: Estimate | None = None
    similarity_gain: Estimate | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Recall:
    """How one `system` (recall, vectors, words, grep) answers the questions of one `source`.

    `source` is documentation, notes or history. Hits are the share of questions with
    a right file among the first 1, 5 and 10; `mrr` is the mean reciprocal rank, cut at
    ten. `gain` is recall's paired lead over this system in MRR; None for recall itself.
    """

    source: str
    system: str
    n: int
    hit1: Estimate
    hit5: Estimate
    hit10: Estimate
    mrr: Estimate
    gain: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Touch:
    """One file that was saved `at` seconds after the watch began, and found `waited` s later.

    `found` is False where it was not found in time; `waited` is then how long was waited.
    """

    at: float
    action: str
    waited: float
    found: bool = True


@dataclass(frozen=True, slots=True)
class Freshness:
    """How soon a saved file can be found, in seconds."""

    touches: tuple[Touch, ...] = ()
    median: float = 0.0
    worst: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Speed:
    """How long `n` runs of one thing took: median and 95th percentile, in `unit`."""

    name: str
    unit: str
    n: int
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Point:
    """One point of an adapter's training: losses in nats per token, `heldout` where known."""

    step: int
    loss: float
    heldout: float | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: the files that answer it, and each system's rank of the first of them.

    Ranks count files from 1 and stand in the order of `systems`; 0 where none was
    among the first ten.
    """

    source: str
    text: str
    answers: tuple[str, ...]
    systems: tuple[str, ...]
    ranks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Scored:
    """What the model did at one place with the layers up to `layer`; `nll` in nats, summed."""

    layer: str
    nll: float
    tokens: int
    exact: bool
    similarity: float
    changed: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """Held-out lines of a file: `line` is the first, from 1.

    `withheld` passages and notes were not shown, since they held these lines.
    """

    path: str
    line: int
    characters: int
    scores: tuple[Scored, ...]
    withheld: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """A plain sentence about one `subject` (a layer, recall, freshness, the adapter)."""

    subject: str
    outcome: Outcome
    sentence: str


@dataclass(frozen=True, slots=True)
class Result:
    """Everything one measurement found.

    `date` is ISO 8601 in UTC; `commit` the project's, or empty. `model` is the name
    of the file, `identity` the engine's for it; both are empty without one. `memory`
    tells the indexed files and the notes from any others: equal where equal memory was
    measured. `left_out` are sentences: what was not measured, and why. `asked` and
    `places` are every single question and place, for who wants to look closer.
    """

    date: str
    project: str
    model: str
    seed: int
    version: int = VERSION
    program: str = ""
    identity: str = ""
    memory: str = ""
    commit: str = ""
    quick: bool = False
    machine: str = ""
    embedder: str = ""
    files: int = 0
    chunks: int = 0
    notes: int = 0
    seconds: float = 0.0
    layers: tuple[Layer, ...] = ()
    recall: tuple[Recall, ...] = ()
    freshness: Freshness = Freshness()
    speed: tuple[Speed, ...] = ()
    curve: tuple[Point, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    left_out: tuple[str, ...] = ()
    asked: tuple[Asked, ...] = ()
    places: tuple[Place, ...] = ()

    def to_json(self) -> str:
        """Return the result as JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Rebuild a result; raises `StorageError` for anything that is none, or of a later form."""
        try:
            data = json.loads(text, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise StorageError(f"This is no result of a measurement: {error}.", REMEDY) from error
        version = data.get("version") if isinstance(data, dict) else None
        if isinstance(version, int) and version > VERSION:
            raise StorageError(
                "This result was written by a later version of Commonplace.",
                "Open it with that version, or measure again.",
            )
        result: Self = decoded(cls, data, "result")
        return result


def decoded(kind: Any, data: Any, where: str) -> Any:
    """Return `data`, as JSON gives it, as a value of the type `kind`; raises `StorageError`."""
    origin = get_origin(kind)
    if origin in {types.UnionType, Union}:
        return None if data is None else decoded(_not_none(kind), data, where)
    if origin is tuple:
        if not isinstance(data, list):
            _refuse(where, data)
        return tuple(decoded(get_args(kind)[0], item, where) for item in data)
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, data, where)
    if origin is Literal:
        good = data in get_args(kind)
    elif kind is float:
        good = isinstance(data, int | float) and not isinstance(data, bool)
        data = float(data) if good else data
        good = good and math.isfinite(data)
    else:
        good = type(data) is kind
    if not good:
        _refuse(where, data)
    return data


def _dataclass(kind: Any, data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        _refuse(where, data)
    hints = get_type_hints(kind)
    values = {
        field.name: decoded(hints[field.name], data[field.name], f"{where}.{field.name}")
        for field in dataclasses.fields(kind)
        if field.name in data
    }
    try:
        return kind(**values)
    except TypeError as error:
        raise StorageError(f"This result is not complete: {where}: {error}.", REMEDY) from error


def _not_none(kind: Any) -> Any:
    return next(part for part in get_args(kind) if part is not type(None))


def _refuse(where: str, data: Any) -> NoReturn:
    raise StorageError(f"This result is damaged: {where} is {str(data)[:60]!r}.", REMEDY)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")
