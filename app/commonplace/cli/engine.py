"""``commonplace engine``: try a model at full speed again, or find a faster form of it."""

from __future__ import annotations

import argparse
import math
import shutil
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click

from commonplace.cli import printing
from commonplace.engine.gguf import read_header
from commonplace.engine.keys import keep_key
from commonplace.engine.library import choose_model, folders_of, own_folder
from commonplace.engine.options import load_options
from commonplace.engine.remote import RemoteModel
from commonplace.engine.session import EngineSession
from commonplace.engine.types import Judgement
from commonplace.errors import ModelError, StorageError
from commonplace.network.door import Door
from commonplace.network.grants import Grant, Origin, Purpose
from commonplace.paths import StatePaths
from commonplace.settings import Settings, load, save

READ_TOKENS, WRITE_TOKENS = 1000, 150
"""A usual question and its answer, by which speeds are weighed."""
WINS = 0.9
"""A form wins if it takes less than this share of the time."""
COSTS_NOTHING = 0.005
"""Nats a token by which the surprise at code may grow, half a percent of perplexity."""
CANDIDATES = ("Q8_0", "Q4_0")

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
model_option = click.option(
    "--model", type=click.Path(path_type=Path), help="The GGUF file; else the one in use."
)


@dataclass(frozen=True, slots=True)
class Form:
    """A quantisation of the model, judged; `seconds` are for a usual question."""

    kind: str
    bytes: int
    judgement: Judgement

    @property
    def seconds(self) -> float:
        """Return the seconds that a usual question and its answer take."""
        judged = self.judgement
        return READ_TOKENS / judged.read_speed + WRITE_TOKENS / judged.write_speed


@click.group()
def engine() -> None:
    """Try a model at full speed again, or find a faster form of it."""


@engine.command()
@model_option
def retry(model: Path | None) -> None:
    """Load the model with all that was asked, whatever did not hold before."""
    state, settings, path = _chosen(model)
    with EngineSession(load_options(settings, state), state.logs / "engine.log") as session:
        info = session.retry(path)
        verdict = session.verdict(path)
    click.echo(f"{info.name} runs {info.rung}. {info.fit}")
    for reason in verdict.reasons if verdict is not None else ():
        click.echo(f"  {reason}")


@engine.command()
@model_option
@click.option("--text", type=click.Path(path_type=Path), help="Code to judge by; else Python's.")
@click.option("--keep", is_flag=True, help="Keep the faster form in your models folder.")
@json_option
def faster(model: Path | None, text: Path | None, *, keep: bool, as_json: bool) -> None:
    """Measure whether another quantisation of the model is faster on this machine.

    It makes one file after the other in a temporary place, measures speed and
    perplexity, and removes it again. Nothing is changed without --keep.
    """
    state, settings, path = _chosen(model)
    sample = _sample(text)
    own = read_header(path).quantisation
    folder = own_folder(state)
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix=".faster-") as place,
        EngineSession(load_options(settings, state), state.logs / "engine.log") as session,
    ):
        first = _judged(session, path, own, sample)
        forms = [first]
        for kind in CANDIDATES:
            if kind != own:
                target = Path(place) / f"{_stem(path, own)}.{kind}.gguf"
                session.requantise(path, target, kind)
                forms.append(_judged(session, target, kind, sample))
        best = winner(first, forms[1:])
        kept = None
        if keep and best is not None:
            kept = folder / f"{_stem(path, own)}.{best.kind}.gguf"
            if kept.exists():
                raise StorageError(f"{kept} is there already.", "Choose it, or remove it first.")
            session.close()
            shutil.move(Path(place) / kept.name, kept)
    report = {
        "model": str(path),
        "forms": [{**asdict(form), "seconds": round(form.seconds, 2)} for form in forms],
        "faster": None if best is None else best.kind,
        "kept": None if kept is None else str(kept),
    }
    if as_json:
        printing.json_line(report)
    else:
        _print(forms, best, kept)


@engine.command()
@click.argument("address", required=False)
@click.option("--model", "name", default="", help="Which of the models it offers.")
@click.option("--off", is_flag=True, help="Answer on this machine again.")
@click.option("--yes", is_flag=True, help="Do not ask: you know what is sent.")
def endpoint(address: str | None, name: str, *, off: bool, yes: bool) -> None:
    """Let an OpenAI-compatible server at ADDRESS answer, after asking for consent.

    --off stops it and takes the permission back.
    """
    state = StatePaths.from_environment()
    settings = load(state.settings_file)
    if off == (address is not None):
        raise click.UsageError("Give an address, or --off.")
    if address is None:
        kept = [t for t in settings.network_allowed if not t.startswith(f"{Purpose.ENDPOINT} ")]
        save(state.settings_file, {"model.endpoint": "", "network.allowed": tuple(kept)})
        click.echo("Answers come from this machine again.")
        return
    grant = Grant(Purpose.ENDPOINT, Origin.of(address))
    if not yes:
        click.confirm(f"{grant.question()}\nAllow this?", abort=True)
    options = replace(load_options(settings, state), endpoint=address, endpoint_model=name)
    door = Door([grant], proxies=settings.network_proxies)
    info = RemoteModel(options, door).info
    allowed = tuple(dict.fromkeys((*settings.network_allowed, str(grant))))
    changes = {"model.endpoint": address, "model.endpoint_model": name, "network.allowed": allowed}
    save(state.settings_file, changes)
    click.echo(f"{info.name} answers from now on. {info.note}")


@engine.command()
@click.argument("address")
def key(address: str) -> None:
    """Keep the key for the server at ADDRESS in the system's keyring; empty deletes it."""
    Origin.of(address)
    keep_key(address, click.prompt("Key", default="", show_default=False, hide_input=True))
    click.echo("Kept in the keyring.")


def winner(first: Form, others: list[Form]) -> Form | None:
    """Return the fastest of `others` that clearly beats `first` and costs nothing."""
    good = [
        form
        for form in others
        if form.seconds < first.seconds * WINS
        and form.judgement.loss <= first.judgement.loss + COSTS_NOTHING
    ]
    return min(good, key=lambda form: form.seconds, default=None)


def _judged(session: EngineSession, path: Path, kind: str, sample: str) -> Form:
    session.load(path)
    return Form(kind, path.stat().st_size, session.judge(sample))


def _stem(path: Path, kind: str) -> str:
    name = path.stem
    return name[: -len(kind) - 1] if name.upper().endswith(kind.upper()) else name


def _sample(text: Path | None) -> str:
    source = text if text is not None else Path(argparse.__file__)
    try:
        return source.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise StorageError(
            f"{source} cannot be read: {error.strerror}.", "Name a file of code with --text."
        ) from error


def _chosen(model: Path | None) -> tuple[StatePaths, Settings, Path]:
    state = StatePaths.from_environment()
    settings = load(state.settings_file)
    named = str(model) if model is not None else settings.model_path
    path = choose_model(named, folders_of(settings, state))
    if path is None:
        raise ModelError("There is no model.", "Run 'make models', or name one with --model.")
    return state, settings, path


def _print(forms: list[Form], best: Form | None, kept: Path | None) -> None:
    click.echo(f"{'':8}  size MB  reads/s  writes/s  perplexity  question s")
    for form in forms:
        judged = form.judgement
        click.echo(
            f"{form.kind:8}  {form.bytes / 1e6:7.0f}  {judged.read_speed:7.0f}  "
            f"{judged.write_speed:8.0f}  {math.exp(judged.loss):10.3f}  {form.seconds:10.1f}"
        )
    if best is None:
        click.echo("No other form is clearly faster without costing accuracy.")
        return
    saved = 1 - best.seconds / forms[0].seconds
    click.echo(f"{best.kind} takes {saved:.0%} less time for a usual question and is as accurate.")
    click.echo(f"It is {kept}." if kept is not None else "Run the same with --keep to keep it.")
