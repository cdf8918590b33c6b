"""``commonplace adapt``: a small adapter for one file, kept only if it proves its worth."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from commonplace.adapt.store import AdapterStore
from commonplace.chat.prompt import one_line
from commonplace.cli import printing
from commonplace.cli.progress import ERASE
from commonplace.engine.library import choose_model, folders_of
from commonplace.engine.options import ELSEWHERE
from commonplace.errors import AdapterError, ModelError, ProjectError
from commonplace.paths import StatePaths, worker_command
from commonplace.settings import load
from commonplace.wire.process import WorkerProcess

DAY = 24 * 3600.0
PHASES = {
    "reading": "reading the file",
    "asking": "asking the model as it is",
    "loading": "loading the weights",
    "training": "training",
    "exporting": "writing the adapter",
    "judging": "asking with the adapter",
    "comparing": "comparing torch with llama.cpp",
}


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--neighbours", is_flag=True, help="Learn from what it imports and its siblings too.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1))
@click.option(
    "--model", type=click.Path(path_type=Path), help="The GGUF file; else the one in use."
)
@click.option("--list", "listing", is_flag=True, help="List the adapters of PATH.")
@click.option("--discard-all", is_flag=True, help="Delete the adapters of PATH.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def adapt(
    path: Path,
    file: Path | None,
    model: Path | None,
    seed: int,
    *,
    neighbours: bool,
    listing: bool,
    discard_all: bool,
    as_json: bool,
) -> None:
    """Adapt the model to FILE of the folder PATH, if that proves to help.

    A small adapter (LoRA) is trained on a part of FILE and kept only if it foretells
    another part better than the same model with the best prompt, does not harm other
    text, and computes the same in use as in training. The model itself is not changed.
    """
    if (file is not None) + listing + discard_all != 1:
        raise click.UsageError("Give a file, or --list, or --discard-all.")
    root = _folder(path)
    state = StatePaths.from_environment()
    if listing:
        _list(AdapterStore.of(state, root), as_json=as_json)
    elif discard_all:
        count = AdapterStore.of(state, root).discard_all()
        if as_json:
            printing.json_line({"discarded": count})
        else:
            click.echo(f"Discarded: {count}.")
    elif file is not None:
        params = {
            "root": str(root),
            "file": _inside(root, path, file),
            "model": str(_model(state, model)),
            "neighbours": neighbours,
            "seed": seed,
        }
        _adapt(state, params, as_json=as_json)


def _adapt(state: StatePaths, params: dict[str, Any], *, as_json: bool) -> None:
    progress = _Progress()
    command = worker_command("adapt")
    try:
        with (
            _stoppable() as stopped,
            WorkerProcess(command, log_file=state.logs / "adapt.log") as worker,
        ):
            estimate = worker.request("estimate", params, deadline=DAY, stop=stopped.is_set)
            _say_plan(estimate)
            outcome = worker.request(
                "adapt", params, deadline=DAY, on_data=progress.show, stop=stopped.is_set
            )
    except AdapterError as error:
        if as_json:
            printing.json_line(_refused(str(error)))
        raise
    finally:
        progress.clear()
    if as_json:
        printing.json_line(outcome)
    else:
        _show(outcome)


def _say_plan(estimate: dict[str, Any]) -> None:
    """Say what it takes; raises `AdapterError` if it will not be done."""
    refusal = estimate["refusal"]
    if refusal is not None:
        raise AdapterError(refusal["message"], refusal["remedy"])
    minutes = estimate["seconds"] / 60
    memory = estimate["memory_bytes"] / 1e9
    about = f"about {minutes:.0f} min" if minutes >= 1.5 else f"about {estimate['seconds']:.0f} s"
    click.echo(f"This takes {about} and {memory:.1f} GB of memory.{estimate['note']}", err=True)
    for source in estimate["files"]:
        click.echo(f"  {one_line(source['path'])}  ({source['why']})", err=True)


def _show(outcome: dict[str, Any]) -> None:
    click.secho("accepted" if outcome["accepted"] else "not accepted", bold=True)
    click.echo(outcome["reason"])
    for name in ("heldout", "regression"):
        figure = outcome["gate"][name]
        if figure["base"] is not None:
            change = 100 * (figure["adapted"] / figure["base"] - 1)
            low, high = (percent(bound) for bound in figure["ci"])
            click.echo(
                f"  {name:<11} perplexity {figure['base']:.3f} → {figure['adapted']:.3f}  "
                f"({change:+.2f} %, 95 %: {low} to {high}; {figure['tokens']} tokens)"
            )
    parity = outcome["gate"]["parity"]
    if parity["base"] is not None:
        click.echo(f"  {'parity':<11} {parity['base']:.4f} and {parity['adapted']:.4f} nats apart")
    if outcome["accepted"]:
        click.echo("It is used for this file only, until the file or the model changes.")
    click.echo(f"{outcome['seconds']:.0f} s")


def percent(bound: float | None) -> str:
    """Return a relative change for people; what has no bound is unknown."""
    return "unknown" if bound is None else f"{100 * bound:+.2f} %"


def _list(store: AdapterStore, *, as_json: bool) -> None:
    records = store.records()
    if as_json:
        printing.json_line({"adapters": [record.to_wire() for record in records]})
        return
    if not records:
        click.echo("There are no adapters for this folder.")
    for record in records:
        held = record.gate.heldout
        change = 100 * (held.adapted / held.base - 1)
        click.echo(f"{record.id}  {one_line(record.file)}  {change:+.1f} %  {record.created}")
        click.echo(f"    for {record.model}; {record.path}")
        try:
            store.verify(record)
        except AdapterError as error:
            click.echo(f"    {error}")


def _refused(reason: str) -> dict[str, Any]:
    from commonplace.adapt.records import Gate

    gate = Gate().to_wire()
    return {"accepted": False, "reason": reason, "seconds": 0.0, "gate": gate, "trained_on": []}


def _folder(path: Path) -> Path:
    root = Path(os.path.realpath(path))
    if not root.is_dir():
        raise ProjectError(f"There is no folder {path}.", "Choose a folder that exists.")
    return root


def _inside(root: Path, path: Path, file: Path) -> str:
    """Return `file` relative to the project: as given below PATH, or from here."""
    for candidate in (root / file, path / file, file):
        real = Path(os.path.realpath(candidate))
        if real.is_file() and real.is_relative_to(root):
            return real.relative_to(root).as_posix()
    raise ProjectError(f"There is no file {file} in {path}.", "Name a file of the project.")


def _model(state: StatePaths, model: Path | None) -> Path:
    settings = load(state.settings_file)
    if model is None and settings.model_endpoint:
        return ELSEWHERE
    named = str(model) if model is not None else settings.model_path
    path = choose_model(named, folders_of(settings, state))
    if path is None:
        raise ModelError("There is no model.", "Run 'make models', or name one with --model.")
    return path


@contextmanager
def _stoppable() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C into a request to stop; a second one ends at once."""
    stopped = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)


class _Progress:
    """Tells on standard error how far it is: one line on a terminal, else one per phase."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._told = ""

    def show(self, data: dict[str, Any]) -> None:
        """Show one message of the stream."""
        words = [PHASES.get(str(data["phase"]), str(data["phase"]))]
        if data["loss"] is not None:
            words.append(f"epoch {data['epoch']} step {data['step']} loss {data['loss']:.3f}")
        if data["heldout"] is not None:
            words.append(f"validation {data['heldout']:.3f}")
        text = f"{100 * data['fraction']:3.0f} %  {', '.join(words)}"
        if self._terminal:
            left = data["seconds_left"]
            click.echo(
                f"{ERASE}{text}" + (f"  {left:.0f} s left" if left is not None else ""),
                nl=False,
                err=True,
            )
        elif data["heldout"] is not None or data["phase"] != self._told:
            click.echo(text, err=True)
        self._told = str(data["phase"])

    def clear(self) -> None:
        """Take the line away."""
        if self._terminal:
            click.echo(ERASE, nl=False, err=True)
