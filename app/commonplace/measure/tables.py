"""A result as tables: CSV files for who wants to look closer or draw other charts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from commonplace.measure.results import Estimate, Result
from commonplace.storage.files import write_atomically

Row = Sequence[object]
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula at the beginning of a text."""


def write_tables(result: Result, folder: Path) -> list[Path]:
    """Write the tables of `result` into `folder`, made if need be; raises `StorageError`."""
    written = []
    for name, rows in tables(result).items():
        path = folder / f"{name}.csv"
        write_atomically(path, as_csv(rows).encode())
        written.append(path)
    return written


def tables(result: Result) -> dict[str, list[Row]]:
    """Return every table of `result` with its header, by name; empty ones are left out."""
    found = {
        "about": _about(result),
        "layers": _layers(result),
        "recall": _recall(result),
        "freshness": _freshness(result),
        "speed": _speed(result),
        "adapter_curve": _curve(result),
        "verdicts": _verdicts(result),
        "questions": _questions(result),
        "places": _places(result),
    }
    return {name: rows for name, rows in found.items() if len(rows) > 1}


def as_csv(rows: Iterable[Row]) -> str:
    """Return rows as CSV (RFC 4180); text that a spreadsheet would run is quoted by a mark."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for row in rows:
        writer.writerow([_safe(cell) for cell in row])
    return text.getvalue()


def _safe(cell: object) -> object:
    if isinstance(cell, str):
        shown = cell.encode("utf-8", "replace").decode()  # paths need not be text
        return f"'{shown}" if shown.startswith(FORMULA) else shown
    return "" if cell is None else cell


def _estimate(value: Estimate | None) -> tuple[object, ...]:
    return ("", "", "") if value is None else (value.value, value.low, value.high)


def _columns(*names: str) -> list[str]:
    return [f"{name}{end}" for name in names for end in ("", "_low", "_high")]


def _about(result: Result) -> list[Row]:
    keys = (
        "date", "project", "model", "seed", "program", "identity", "memory", "commit", "quick",
        "machine", "embedder", "files", "chunks", "notes", "seconds",
    )  # fmt: skip
    lines: list[Row] = [("key", "value"), *((key, getattr(result, key)) for key in keys)]
    return [*lines, *(("left out", sentence) for sentence in result.left_out)]


def _layers(result: Result) -> list[Row]:
    figures = (
        "perplexity", "bits", "exact", "similarity", "gain", "exact_gain", "similarity_gain",
    )  # fmt: skip
    rows: list[Row] = [("layer", "n", "tokens", "changed", *_columns(*figures), "reason")]
    for layer in result.layers:
        values = [cell for name in figures for cell in _estimate(getattr(layer, name))]
        rows.append((layer.name, layer.n, layer.tokens, layer.changed, *values, layer.reason))
    return rows


def _recall(result: Result) -> list[Row]:
    figures = ("hit1", "hit5", "hit10", "mrr", "gain")
    rows: list[Row] = [("source", "system", "n", *_columns(*figures))]
    for row in result.recall:
        values = [cell for name in figures for cell in _estimate(getattr(row, name))]
        rows.append((row.source, row.system, row.n, *values))
    return rows


def _freshness(result: Result) -> list[Row]:
    rows: list[Row] = [("at_seconds", "action", "waited_seconds", "found")]
    return [*rows, *((t.at, t.action, t.waited, t.found) for t in result.freshness.touches)]


def _speed(result: Result) -> list[Row]:
    rows: list[Row] = [("what", "unit", "n", "p50", "p95")]
    return [*rows, *((s.name, s.unit, s.n, s.p50, s.p95) for s in result.speed)]


def _curve(result: Result) -> list[Row]:
    rows: list[Row] = [("step", "loss", "heldout")]
    return [*rows, *((p.step, p.loss, p.heldout) for p in result.curve)]


def _verdicts(result: Result) -> list[Row]:
    rows: list[Row] = [("subject", "outcome", "sentence")]
    return [*rows, *((v.subject, v.outcome, v.sentence) for v in result.verdicts)]


def _questions(result: Result) -> list[Row]:
    rows: list[Row] = [("source", "question", "answers", "system", "rank")]
    for item in result.asked:
        answers = "; ".join(item.answers)
        rows += [
            (item.source, item.text, answers, system, rank)
            for system, rank in zip(item.systems, item.ranks, strict=False)
        ]
    return rows


def _places(result: Result) -> list[Row]:
    rows: list[Row] = [
        ("path", "line", "characters", "layer", "nll_nats", "tokens", "exact", "similarity",
         "changed")
    ]  # fmt: skip
    for place in result.places:
        rows += [
            (place.path, place.line, place.characters, s.layer, s.nll, s.tokens, s.exact,
             s.similarity, s.changed)
            for s in place.scores
        ]  # fmt: skip
    return rows
