"""``commonplace usages``: where a name is defined, and where it is used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import click

from commonplace.chat.prompt import one_line
from commonplace.cli import printing
from commonplace.cli.progress import Progress
from commonplace.errors import ProjectBusyError
from commonplace.index.codeplaces import CodePlace, NamePlaces
from commonplace.index.structure import PLACES
from commonplace.memory.project import Memory
from commonplace.memory.shared import SharedMemory
from commonplace.paths import StatePaths

MORE = "There are more; --limit shows them."


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("name")
@click.option("--limit", default=PLACES, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def usages(path: Path, name: str, limit: int, *, as_json: bool) -> None:
    """Find where the code of PATH defines NAME and where it uses it.

    NAME may be dotted, as in Session.send; usages are found by its last part.
    """
    show_usages(path, name, limit, as_json=as_json)


def show_usages(path: Path, name: str, limit: int = PLACES, *, as_json: bool = False) -> None:
    """Print where the code of `path` defines `name` and where it uses it."""
    with _opened(path) as memory:
        found = memory.places(name, limit)
    if as_json:
        printing.json_line(found.to_wire())
    else:
        _show(found)


@contextmanager
def _opened(path: Path) -> Iterator[Memory | SharedMemory]:
    """Open the project at `path` and bring its words up to date; vectors have to wait."""
    state, progress = StatePaths.from_environment(), Progress()
    memory: Memory | SharedMemory
    try:
        memory = Memory(path, state, embedder="none", on_status=progress.show)
    except ProjectBusyError:
        memory = SharedMemory(path, state, embedder="none")
    try:
        if isinstance(memory, Memory):
            memory.refresh()
        progress.clear()
        yield memory
    finally:
        progress.clear()
        memory.close()


def _show(found: NamePlaces) -> None:
    if not found.definitions and not found.usages:
        click.echo(f"No code in this project holds {one_line(found.name)}.")
        return
    _show_places("defined", found.definitions, symbols=True)
    _show_places("used", found.usages, symbols=False)
    if found.more:
        click.echo(MORE, err=True)


def _show_places(title: str, places: Sequence[CodePlace], *, symbols: bool) -> None:
    if not places:
        return
    click.secho(title, bold=True)
    for path, group in groupby(places, key=lambda place: place.path):
        for place in group:
            what = f"  ({place.kind} {one_line(place.symbol)})" if symbols else ""
            click.echo(f"  {one_line(path)}:{place.line}{what}")
            click.echo(f"      {one_line(place.text.strip().expandtabs(4))[:120]}")
