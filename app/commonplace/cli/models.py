"""``commonplace models``: see, download, import and remove models."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, TypeVar

import click

from commonplace.chat.prompt import one_line
from commonplace.cli import printing
from commonplace.cli.progress import ERASE
from commonplace.engine.catalogue import CatalogueModel, read_catalogue
from commonplace.engine.entries import LibraryEntry, Place, describe
from commonplace.engine.gguf import size_in_words
from commonplace.engine.importing import import_model, remove_model, unfinished
from commonplace.engine.library import (
    choose_model,
    folders_of,
    list_models,
    own_folder,
)
from commonplace.engine.library_worker import devices_here, download_model
from commonplace.engine.options import load_options
from commonplace.engine.package_manifest import SUFFIX
from commonplace.engine.packages import inspect_package, install_package
from commonplace.engine.packing import pack_model
from commonplace.engine.progress import Progress
from commonplace.errors import UserError
from commonplace.paths import StatePaths
from commonplace.settings import Settings, load

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
UNKNOWN = "unknown"


@click.group()
def models() -> None:
    """See, download, import and remove models."""


@models.command("list")
@json_option
def list_command(*, as_json: bool) -> None:
    """List the models on this machine, what they need and whether that is there."""
    state, settings = _state()
    entries = list_models(settings, state, devices_here(state))
    begun = unfinished(own_folder(state))
    if as_json:
        printing.json_line({"models": [e.to_wire() for e in entries], "unfinished": begun})
        return
    if not entries:
        click.echo("There is no model yet. 'commonplace models catalogue' lists what there is.")
    for entry in entries:
        _entry_text(entry)
    for file, size in begun.items():
        click.echo(f"unfinished: {one_line(file)}, {size_in_words(size)} so far")


@models.command()
@json_option
def catalogue(*, as_json: bool) -> None:
    """List the models that can be downloaded, with their licences. Asks no server."""
    known = read_catalogue().models
    if as_json:
        printing.json_line({"models": [asdict(model) for model in known]})
        return
    for model in known:
        click.secho(model.id, bold=True, nl=False)
        size = size_in_words(model.size) if model.size else "size unknown"
        needs = f", needs about {size_in_words(model.memory)}" if model.memory else ""
        click.echo(f"  {model.name}, {size}{needs}")
        click.echo(f"    {model.licence_line}")
        click.echo(f"    {model.note}")


@models.command()
@click.argument("model")
@click.option(
    "--allow-network",
    is_flag=True,
    help="Contact the model hub this once, without its being allowed in the settings.",
)
@click.option("--yes", is_flag=True, help="Accept the model's licence without being asked.")
@json_option
def download(model: str, *, allow_network: bool, yes: bool, as_json: bool) -> None:
    """Download MODEL, an id of the catalogue; a broken-off download is gone on with."""
    from commonplace.network.door import Door
    from commonplace.network.grants import Grant, Origin, Purpose, read_grants

    state, settings = _state()
    known = read_catalogue()
    wanted = known.find(model)
    url = known.url(wanted, settings.models_address)
    grants = set(read_grants(settings.network_allowed))
    asked = Grant(Purpose.MODELS, Origin.of(url))
    click.echo(f"{wanted.name}: {wanted.licence_line}", err=True)
    click.echo(wanted.checks_line, err=True)
    if asked not in grants and not allow_network:
        click.echo(asked.question(), err=True)
        raise UserError(
            "The network is closed, and nothing was contacted.",
            f"Give --allow-network to allow this download, or add {str(asked)!r} to "
            "network.allowed in the settings.",
        )
    if wanted.commercial != "yes" and not yes:
        click.confirm("Do you accept this licence?", abort=True, err=True)
    path = _shown(
        lambda tell: download_model(
            wanted,
            settings,
            state,
            door=Door(grants | {asked}, proxies=settings.network_proxies),
            on_progress=tell,
        )
    )
    _done(path, wanted, as_json=as_json)


@models.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--link", is_flag=True, help="Leave the file where it is and only refer to it.")
@json_option
def import_command(path: Path, *, link: bool, as_json: bool) -> None:
    """Bring the GGUF file PATH, with all its parts, into the folder of models."""
    state, _settings = _state()
    folder = own_folder(state)
    how = "link" if link else "copy"
    target = _shown(lambda tell: import_model(path, folder, how, on_progress=tell))  # type: ignore[arg-type]
    _done(target, None, as_json=as_json)


@models.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--licence",
    "licence_file",
    required=True,
    type=click.File(encoding="utf-8", errors="replace"),
    help="The file with the text of the model's licence.",
)
@click.option("--licence-name", default="", help="Its name, if the model does not say it.")
@click.option("--name", default="", help="What the model is called, if not as it says itself.")
@click.option("--source", default="", help="Where the model comes from.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The package to make.")
@json_option
def pack(
    model: Path,
    licence_file: IO[str],
    licence_name: str,
    name: str,
    source: str,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    """Make a package of the GGUF file MODEL and its licence, to carry it on a stick."""
    target = output or Path(model.with_suffix(SUFFIX).name)
    text = licence_file.read()
    manifest = _shown(
        lambda tell: pack_model(
            model,
            target,
            text,
            licence=licence_name,
            name=name,
            origin=source,
            on_progress=tell,
        )
    )
    if as_json:
        printing.json_line({"path": str(target), "package": manifest.to_wire()})
    else:
        click.echo(str(target))


@models.command()
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Accept the model's licence without being asked.")
@json_option
def install(package: Path, *, yes: bool, as_json: bool) -> None:
    """Install the model of the file PACKAGE, after its licence was shown and accepted."""
    state, _settings = _state()
    manifest = inspect_package(package)
    size = size_in_words(manifest.size)
    for line in manifest.licence_text.splitlines():
        click.echo(one_line(line.expandtabs()), err=True)  # a terminal must not be spoken to
    click.echo(f"\n{one_line(manifest.name)}, {size}: {one_line(manifest.licence)}", err=True)
    if not yes:
        click.confirm("Do you accept this licence?", abort=True, err=True)
    path = _shown(
        lambda tell: install_package(package, own_folder(state), manifest.digest, on_progress=tell)
    )
    _done(path, None, as_json=as_json)


@models.command()
@click.argument("model")
@click.option("--yes", is_flag=True, help="Delete without being asked.")
@json_option
def remove(model: str, *, yes: bool, as_json: bool) -> None:
    """Delete MODEL, a file in the folder of models, for good."""
    state, _settings = _state()
    folder = own_folder(state)
    path = Path(model).expanduser()
    path = path.absolute() if path.is_absolute() or path.exists() else folder / model
    if not yes:
        click.confirm(f"Delete {path} for good?", abort=True, err=True)
    removed = [str(file) for file in remove_model(path, folder)]
    if as_json:
        printing.json_line({"removed": removed})
    for file in [] if as_json else removed:
        click.echo(f"Deleted {file}")


@models.command()
@click.argument("model")
@json_option
def show(model: str, *, as_json: bool) -> None:
    """Say all that is known of MODEL: a file, a package, or an id of the catalogue."""
    state, settings = _state()
    known = {entry.id: entry for entry in read_catalogue().models}
    if model in known and not Path(model).exists():
        about = asdict(known[model])
        if as_json:
            printing.json_line({"catalogue": about})
        else:
            _facts({**about, "licence": known[model].licence_line})
        return
    if model.lower().endswith(SUFFIX):
        manifest = inspect_package(Path(model)).to_wire()
        if as_json:
            printing.json_line({"package": manifest})
        else:
            _facts({name: value for name, value in manifest.items() if name != "licence_text"})
        return
    path = choose_model(model, folders_of(settings, state))
    assert path is not None, "a model that is named is found or an error"
    place = Place(path, ours=path.parent == own_folder(state))
    entry = describe(place, load_options(settings, state), devices_here(state))
    if as_json:
        printing.json_line({"model": entry.to_wire()})
    else:
        _facts(entry.to_wire())


T = TypeVar("T")


def _shown(work: Callable[[Callable[[Progress], None]], T]) -> T:
    """Do `work` with a line of progress on a terminal."""
    terminal = sys.stderr.isatty()

    def tell(progress: Progress) -> None:
        if terminal:
            click.echo(f"{ERASE}{progress_line(progress)}", nl=False, err=True)

    try:
        return work(tell)
    finally:
        if terminal:
            click.echo(ERASE, nl=False, err=True)


def progress_line(progress: Progress) -> str:
    """Say where a download is in one line."""
    text = f"{progress.phase} {size_in_words(progress.done)}"
    if progress.total:
        text += f" of {size_in_words(progress.total)} ({progress.done / progress.total:.0%})"
    if progress.speed:
        text += f", {size_in_words(int(progress.speed))}/s"
    return text


def _done(path: Path, model: CatalogueModel | None, *, as_json: bool) -> None:
    if as_json:
        printing.json_line({"path": str(path), "model": model.id if model else None})
    else:
        click.echo(str(path))


def _entry_text(entry: LibraryEntry) -> None:
    click.secho(one_line(entry.title), bold=True, nl=False)
    whose = f"  ({entry.owner})" if entry.owner else ""
    click.echo(f"{whose}  {one_line(entry.path)}")
    if entry.problem:
        click.echo(f"    cannot be chosen: {one_line(entry.problem)} {one_line(entry.remedy)}")
        return
    chat = "" if entry.chat else ", was not taught to answer"
    licence = one_line(entry.licence) or UNKNOWN
    click.echo(
        f"    {one_line(entry.architecture)} {entry.quantisation}, {size_in_words(entry.size)}, "
        f"context {entry.context:,}, licence {licence}{chat}"
    )
    click.echo(f"    {entry.fit_sentence}")


def _facts(facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        if value not in ("", None, ()):
            click.echo(f"{name.replace('_', ' ')}: {one_line(str(value))}")


def _state() -> tuple[StatePaths, Settings]:
    state = StatePaths.from_environment()
    return state, load(state.settings_file)
