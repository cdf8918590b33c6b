"""What is known of an adapter: what it was made from, for, and how it did at the gate.

Values alone: no torch, no files. Figures of the gate are in nats per token and in
perplexities; `Figure` says which.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from commonplace.errors import StorageError

RECORD_VERSION = 1
ID = re.compile(r"[0-9a-f]{16}")
DIGEST = re.compile(r"[0-9a-f]{64}")


class BadRecordError(StorageError):
    """A record that does not say what a record says."""


def text_hash(text: str) -> str:
    """Return what tells a file's text from any other that differs materially.

    Ends of lines, blanks at their ends and blank lines at the end of the file do not
    count: an editor may change them without the user's meaning it. 64 hex characters.
    """
    lines = [line.rstrip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Source:
    """A file that an adapter was trained on, or would be.

    `hash` is its `text_hash`, `why` says how it came to be among them, `tokens` how
    many of its tokens are used.
    """

    path: str
    why: str
    tokens: int
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with and without the adapter, and what the gate said of it.

    `base` and `adapted` are perplexities, but for parity: there they are nats per token,
    torch's minus llama.cpp's. `ci` bounds the relative change of the perplexity
    (-0.05: five per cent better) with 95 % confidence; for parity, the difference itself.
    `tokens` and `blocks` are the sample's size.
    """

    base: float = math.nan
    adapted: float = math.nan
    ci: tuple[float, float] = (math.nan, math.nan)
    passed: bool = False
    tokens: int = 0
    blocks: int = 0
    parts: Mapping[str, float] = field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        """Return the figure for JSON; what was not measured is null."""
        return {
            "base": _or_null(self.base),
            "adapted": _or_null(self.adapted),
            "ci": [_or_null(bound) for bound in self.ci],
            "passed": self.passed,
            "tokens": self.tokens,
            "blocks": self.blocks,
            **({"parts": {k: _or_null(v) for k, v in self.parts.items()}} if self.parts else {}),
        }

    @classmethod
    def from_wire(cls, data: object) -> Self:
        """Rebuild a figure; raises `BadRecordError`."""
        fields = _mapping(data)
        ci, parts = fields.get("ci"), _mapping(fields.get("parts", {}))
        if not isinstance(ci, Sequence) or isinstance(ci, str) or len(ci) != 2:
            raise BadRecordError("A figure has no interval.")
        return cls(
            _number(fields.get("base")),
            _number(fields.get("adapted")),
            (_number(ci[0]), _number(ci[1])),
            fields.get("passed") is True,
            _count(fields.get("tokens", 0)),
            _count(fields.get("blocks", 0)),
            {str(name): _number(value) for name, value in parts.items()},
        )


@dataclass(frozen=True, slots=True)
class Gate:
    """The three questions: held-out part, regression set, parity of torch and llama.cpp."""

    heldout: Figure = Figure()
    regression: Figure = Figure()
    parity: Figure = Figure()

    def to_wire(self) -> dict[str, Any]:
        """Return the gate for JSON."""
        return {
            "heldout": self.heldout.to_wire(),
            "regression": self.regression.to_wire(),
            "parity": self.parity.to_wire(),
        }

    @classmethod
    def from_wire(cls, data: object) -> Self:
        """Rebuild a gate; raises `BadRecordError`."""
        fields = _mapping(data)
        heldout, regression, parity = (
            Figure.from_wire(fields.get(name)) for name in ("heldout", "regression", "parity")
        )
        return cls(heldout, regression, parity)


@dataclass(frozen=True, slots=True)
class Record:
    """An adapter that was accepted.

    `file` is relative to the project, with slashes; `file_hash` its `text_hash`;
    `model_identity` is `engine.identity.model_id` of the model file. `sha256` and `size`
    are the adapter file's, and `path` where it lies; `path` is not stored but known from
    where the record was read. `scale` is what it is used with, 1 unless the user chose.
    """

    id: str
    file: str
    file_hash: str
    model: str
    model_identity: str
    created: str
    trained_on: tuple[Source, ...]
    gate: Gate
    sha256: str
    size: int
    rank: int
    seed: int
    seconds: float
    scale: float = 1.0
    path: str = ""

    def to_wire(self) -> dict[str, Any]:
        """Return the record for JSON."""
        data: dict[str, Any] = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        data["trained_on"] = [dataclasses.asdict(source) for source in self.trained_on]
        data["gate"] = self.gate.to_wire()
        return data

    @classmethod
    def from_wire(cls, data: object) -> Self:
        """Rebuild a record; raises `BadRecordError`."""
        fields = _mapping(data)
        sources = fields.get("trained_on")
        if not isinstance(sources, list):
            raise BadRecordError("A record does not say what the adapter was trained on.")
        record = cls(
            id=_text(fields, "id"),
            file=_text(fields, "file"),
            file_hash=_text(fields, "file_hash"),
            model=_text(fields, "model"),
            model_identity=_text(fields, "model_identity"),
            created=_text(fields, "created"),
            trained_on=tuple(_source(item) for item in sources),
            gate=Gate.from_wire(fields.get("gate")),
            sha256=_text(fields, "sha256"),
            size=_count(fields.get("size")),
            rank=_count(fields.get("rank")),
            seed=_count(fields.get("seed")),
            seconds=_number(fields.get("seconds")),
            scale=_number(fields.get("scale")),
            path=str(fields.get("path", "")),
        )
        if not ID.fullmatch(record.id) or not DIGEST.fullmatch(record.sha256):
            raise BadRecordError("A record's name or checksum is malformed.")
        if not (0.0 <= record.scale <= 4.0):
            raise BadRecordError("A record's scale is out of bounds.")
        return record


def sources_to_wire(sources: Sequence[Source]) -> list[dict[str, Any]]:
    """Return `sources` as a list for JSON."""
    return [dataclasses.asdict(source) for source in sources]


def _source(data: object) -> Source:
    fields = _mapping(data)
    path, why, digest = (_text(fields, name) for name in ("path", "why", "hash"))
    return Source(path, why, _count(fields.get("tokens")), digest)


def _mapping(data: object) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise BadRecordError("A part of a record is missing.")
    return data


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise BadRecordError(f"A record has no {name}.")
    return value


def _number(value: object) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRecordError("A figure of a record is no number.")
    return float(value)


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadRecordError("A count of a record is no number.")
    return value


def _or_null(value: float) -> float | None:
    return value if math.isfinite(value) else None
