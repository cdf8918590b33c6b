"""The table of what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]
BORNE = 0.005


def table(rows: Sequence[Row]) -> str:
    """Return the figures by repository and together, in Markdown."""
    names = list(dict.fromkeys(row["repository"] for row in rows))
    lines = [
        "| repository | files | accepted | held-out, best prompt | held-out, bare | seconds |",
        "|---|---|---|---|---|---|",
    ]
    for name in [*names, ""]:
        some = [row for row in rows if not name or row["repository"] == name]
        judged = [row for row in some if "refused" not in row]
        lines.append(
            f"| {name or '**all**'} | {len(judged)} | {sum(row['accepted'] for row in judged)} "
            f"| {_percent(map(full_gain, judged))} | {_percent(r['bare_gain'] for r in judged)} "
            f"| {_median([r['seconds'] for r in judged])} |"
        )
    return "\n".join(lines)


def sentences(rows: Sequence[Row]) -> list[str]:
    """Say what the table does not: reasons, accepted ones measured again, times, swaps."""
    judged = [row for row in rows if "refused" not in row]
    accepted = [row for row in judged if row["accepted"]]
    again = [item for row in accepted for item in row["again"]]
    worse = [item for item in again if item["change"] > BORNE]
    unproved = [item for item in again if not item["passed"]]
    failing = sum(any(i["change"] > BORNE for i in row["again"]) for row in accepted)
    said = [
        f"Refused before training: {len(rows) - len(judged)} of {len(rows)}.",
        (
            f"Accepted: {len(accepted)} of {len(judged)}. Their mean held-out change with the best "
            f"prompt: {_percent(map(full_gain, accepted))}."
        ),
        (
            f"Accepted, measured again: {len(again)} regression sets; perplexity worse than "
            f"{BORNE:.1%} in {len(worse)} of them, that is {failing} adapters; the whole check, "
            f"interval and parts included, not passed in {len(unproved)}."
        ),
    ]
    said.append(
        "How much is the file's own: the accepted change the held-out part, behind nothing but "
        f"the lines before, by {_percent(row['bare_gain'] for row in accepted)} in the mean, other "
        f"files of the project by {_percent(_elsewhere(accepted, 'seed'))}, and files of other "
        f"projects by {_percent(_elsewhere(accepted, 'other'))}."
    )
    worst = max((item["change"] for item in again), default=None)
    said.append(f"Of the sets measured again the worst changed by {_percent([worst])}.")
    for question in ("heldout", "regression", "parity"):
        count = sum(
            not r["gate"][question]["passed"] for r in judged if r["gate"][question]["tokens"]
        )
        said.append(f"Question not passed, {question}: {count}.")
    said.append(
        f"Training found nothing better than the base: {sum(not r['swap_ms'] for r in judged)}."
    )
    phases = list(dict.fromkeys(name for row in judged for name in row["phases"]))
    times = ", ".join(
        f"{name} {_median([r['phases'].get(name, 0.0) for r in judged])}" for name in phases
    )
    said.append(f"Median seconds by phase: {times}.")
    totals = [sum(row["processor"].values()) for row in judged]
    said.append(
        f"Processor time, which other programs do not add to: median {_median(totals)} s, by "
        "phase "
        + ", ".join(
            f"{name} {_median([r['processor'].get(name, 0.0) for r in judged])}" for name in phases
        )
        + f"; median lines {_median([r['lines'] for r in judged])}."
    )
    swaps = [ms for row in judged for ms in row["swap_ms"]]
    if swaps:
        said.append(f"Swap: median {statistics.median(swaps):.0f} ms of {len(swaps)}.")
    return said


def beside(rows: Sequence[Row], others: Sequence[Row]) -> list[str]:
    """Compare the files that were judged in both runs, such as before and after a change."""
    before = {(row["repository"], row["file"]): row for row in others if "refused" not in row}
    pairs = [
        (before[key], row)
        for row in rows
        if "refused" not in row and (key := (row["repository"], row["file"])) in before
    ]
    both = [one["accepted"] for one, two in pairs if one["accepted"] == two["accepted"]]
    apart = [
        abs(gains[0] - gains[1])
        for one, two in pairs
        if None not in (gains := (full_gain(one), full_gain(two)))
    ]
    sides = []
    for name, some in zip(("there", "here"), zip(*pairs, strict=True), strict=False):
        gain = _percent(map(full_gain, some))
        totals = [sum(row["processor"].values()) for row in some]
        sides.append(
            f"{name} {sum(row['accepted'] for row in some)} accepted, held-out {gain}, "
            f"median processor time {_median(totals)} s"
        )
    return [
        f"Files judged in both runs: {len(pairs)}; {'; '.join(sides)}.",
        (
            f"The same verdict: {len(both)} ({sum(both)} accepted in both); held-out changes "
            f"differ by {_percent(apart)} in the mean, at most by "
            f"{_percent([max(apart, default=None)])}."
        ),
    ]


def full_gain(row: Row) -> float | None:
    """Return the relative change of the held-out perplexity behind the best prompt."""
    figure = row["gate"]["heldout"]
    return None if figure["base"] is None else figure["adapted"] / figure["base"] - 1


def _elsewhere(rows: Sequence[Row], sets: str) -> list[float]:
    """Return the changes of the project's part of the sets whose names begin so."""
    return [
        item["parts"]["project"]
        for row in rows
        for item in row["again"]
        if item["set"].startswith(sets) and "project" in item.get("parts", ())
    ]


def _percent(values: Any) -> str:
    there = [value for value in values if value is not None]
    return f"{100 * statistics.fmean(there):+.2f} %" if there else "–"


def _median(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.0f}" if values else "–"
