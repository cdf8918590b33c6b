"""``commonplace measure``: what each layer of memory is worth on this project."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from commonplace.cli import printing
from commonplace.cli.progress import ERASE, INTERVAL
from commonplace.errors import StorageError
from commonplace.measure.comparing import Compared, Comparison, chosen, compared
from commonplace.measure.report import write_report
from commonplace.measure.results import Estimate, Result
from commonplace.measure.store import ResultStore
from commonplace.measure.tables import write_tables
from commonplace.paths import StatePaths, worker_command
from commonplace.wire.process import WorkerProcess
from commonplace.workspace.project import Workspace

FIGURES = {
    "bits": "bits per character",
    "exact": "next line exact",
    "similarity": "edit similarity",
    "mrr": "MRR",
}


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--quick", is_flag=True, help="Small samples: about two minutes on two cores.")
@click.option("--model", default="", help="The GGUF file; else the one in use.")
@click.option("--seed", default=1, show_default=True, help="Draws questions and places.")
@click.option(
    "--places",
    default=0,
    type=click.IntRange(0, 2000),
    help="How many held-out places the layers are measured at; else 60, with --quick 12.",
)
@click.option(
    "--resume/--fresh",
    default=True,
    help="Go on with a measurement that was cut off (the default), or begin anew.",
)
@click.option("--adapt", is_flag=True, help="Train an adapter for one file, and measure it too.")
@click.option("--html", type=click.Path(path_type=Path), help="Write a report to this file.")
@click.option("--csv", "tables", type=click.Path(path_type=Path), help="Write tables here.")
@click.option("--list", "listed", is_flag=True, help="List the results that are kept.")
@click.option(
    "--compare", is_flag=True, help="Hold the newest result against that of another model."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def measure(
    path: Path,
    model: str,
    seed: int,
    places: int,
    html: Path | None,
    tables: Path | None,
    *,
    quick: bool,
    resume: bool,
    adapt: bool,
    listed: bool,
    compare: bool,
    as_json: bool,
) -> None:
    """Measure what memory is worth in the folder PATH, with the model in use.

    It asks recall questions whose answers are known, lets the model foresee held-out
    lines with one layer of memory more each time, and times it all. Results are kept
    by date and model. Interrupted, it goes on where it was when it is started again.
    With --list and --compare nothing is measured.
    """
    if listed and compare:
        raise click.UsageError("Give --list or --compare, not both.")
    state = StatePaths.from_environment()
    root = Workspace(path).root
    store = ResultStore.of(root, state)
    if listed:
        _list(store, as_json=as_json)
        return
    if compare:
        comparison = _comparison(store)
        _export(comparison.new, html, tables, comparison.old)
        _print_comparison(comparison, as_json=as_json)
        return
    wanted = {
        "root": str(root),
        "model": _named(model),
        "quick": quick,
        "seed": seed,
        "places": places,
        "fresh": not resume,
        "adapt": adapt,
    }
    result, file = _measured(wanted, state)
    _export(result, html, tables, None)
    if as_json:
        click.echo(result.to_json(), nl=False)
    else:
        _print(result, store.folder / file)


def _named(model: str) -> str:
    """Return the model as the worker finds it: a path from here, or a name as it is."""
    path = Path(model).expanduser()
    return str(path.absolute()) if model and path.is_file() else model


def _measured(wanted: dict[str, Any], state: StatePaths) -> tuple[Result, str]:
    progress = _Progress()
    with WorkerProcess(worker_command("measure"), log_file=state.logs / "measure.log") as worker:
        try:
            done = worker.request("measure", wanted, on_data=progress.show)
        finally:
            progress.clear()
    file = str(done["file"])
    return ResultStore.of(Path(wanted["root"]), state).get(file), file


def _export(result: Result, html: Path | None, tables: Path | None, against: Result | None) -> None:
    if html is not None:
        write_report(result, html.expanduser().absolute(), against)
    if tables is not None:
        write_tables(result, tables.expanduser().absolute())


class _Progress:
    """A line on the terminal; nothing where standard error is a file."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._shown = 0.0

    def show(self, data: dict[str, Any]) -> None:
        """Show a stage as the worker streams it, at most ten times a second."""
        now = time.monotonic()
        if not self._terminal or now - self._shown < INTERVAL:
            return
        self._shown = now
        text = f"{data['fraction']:4.0%} {data['phase']}"
        if data["total"]:
            text += f" {data['done']:,} of {data['total']:,}"
        if data["seconds_left"] is not None:
            text += f", about {_duration(data['seconds_left'])} left"
        click.echo(f"{ERASE}{text}", nl=False, err=True)

    def clear(self) -> None:
        """Take the line away."""
        if self._terminal:
            click.echo(ERASE, nl=False, err=True)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _list(store: ResultStore, *, as_json: bool) -> None:
    found, unreadable = store.all()
    for file, result in found:
        row = {
            "file": file,
            "date": result.date,
            "model": result.model,
            "quick": result.quick,
            "seed": result.seed,
            "commit": result.commit,
        }
        if as_json:
            printing.json_line(row)
        else:
            kind = "quick, " if result.quick else ""
            model = result.model or "no model"
            click.echo(f"{result.date}  {model}  ({kind}seed {result.seed})  {file}")
    if not found and not as_json:
        click.echo("Nothing was measured in this project yet.")
    for item in unreadable:
        click.echo(f"{store.folder / item.file}: {item.why}", err=True)


def _comparison(store: ResultStore) -> Comparison:
    found, _ = store.all()
    pair = chosen([result for _, result in found])
    if pair is None:
        raise StorageError(
            "There is nothing to compare: fewer than two results are kept.",
            "Measure with one model, then with another.",
        )
    return compared(*pair)


def _print_comparison(comparison: Comparison, *, as_json: bool) -> None:
    old, new = comparison.old, comparison.new
    if as_json:
        printing.json_line(
            {
                "old": {"date": old.date, "model": old.model},
                "new": {"date": new.date, "model": new.model},
                "same_memory": comparison.same_memory,
                "rows": [asdict(row) for row in comparison.rows],
            }
        )
        return
    click.echo(f"old  {old.date}  {old.model or 'no model'}")
    click.echo(f"new  {new.date}  {new.model or 'no model'}")
    if not comparison.same_memory:
        click.echo("The files or notes differ, so not all of a difference is the model's.")
    header: Sequence[str] = ("", "", "old", "new", "new − old", "")
    rows = [header, *(_compared_row(row) for row in comparison.rows)]
    _table(rows)


def _compared_row(row: Compared) -> tuple[str, ...]:
    said = {"helps": "better", "hurts": "worse", "unsure": "cannot be told", "missing": ""}
    values = [f"{value.value:.3f}" if value else "–" for value in (row.old, row.new)]
    difference = _interval(row.difference, "+.3f") if row.difference else ""
    over = f"{said[row.outcome]} (n {row.n})" if row.n else "not paired"
    return (row.name, FIGURES[row.figure], *values, difference, over)


def _print(result: Result, file: Path) -> None:
    """Print a result for people."""
    kind = "quick" if result.quick else "full"
    click.secho(
        f"{result.project}: {result.files:,} files, {result.chunks:,} passages, "
        f"{result.notes:,} notes; {kind}, seed {result.seed}, {_duration(result.seconds)}",
        bold=True,
    )
    if result.recall:
        click.echo("\nRecall: share of questions with a right file among the first 1, 5 and 10")
        rows: list[Sequence[str]] = [("", "n", "hit@1", "hit@5", "hit@10", "MRR", "recall leads")]
        for row in result.recall:
            figures = (f"{e.value:.2f}" for e in (row.hit1, row.hit5, row.hit10))
            lead = _interval(row.gain, "+.3f") if row.gain else ""
            name = f"{row.source}: {row.system}"
            rows.append((name, str(row.n), *figures, _interval(row.mrr, ".3f"), lead))
        _table(rows)
    measured = [layer for layer in result.layers if layer.n]
    if measured:
        click.echo(f"\nLayers with {result.model}: {measured[0].n} held-out places")
        rows = [
            ("", "perplexity", "bits/char", "next line exact", "similarity", "gain, nats/token")
        ]
        for layer in measured:
            figures = (
                _interval(getattr(layer, name), form)
                for name, form in (
                    ("perplexity", ".2f"),
                    ("bits", ".3f"),
                    ("exact", ".2f"),
                    ("similarity", ".2f"),
                )
            )
            gain = _interval(layer.gain, "+.3f") if layer.gain else ""
            rows.append((layer.name, *figures, gain))
        _table(rows)
    if result.speed:
        click.echo("")
        rows = [
            (s.name, f"{s.p50:g} {s.unit}", f"p95 {s.p95:g}" if s.n > 1 else "", f"n {s.n}")
            for s in result.speed
        ]
        _table(rows)
    click.echo("\nWhat this says (95 % intervals)")
    for verdict in result.verdicts:
        click.echo(f"  {verdict.sentence}")
    for sentence in result.left_out:
        click.echo(f"  {sentence}")
    click.echo(f"\nKept as {file}")


def _interval(value: Estimate | None, form: str) -> str:
    if value is None:
        return "–"
    return f"{value.value:{form}} ({value.low:{form}} … {value.high:{form}})"


def _table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        click.echo(("  " + "  ".join(cells)).rstrip())
