"""``commonplace apply`` and ``commonplace edits``: changes of files, and the way back."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from commonplace.chat.prompt import one_line
from commonplace.cli import printing
from commonplace.desktop.visible import visible
from commonplace.edits.changes import FileChange, Problem, Proposal
from commonplace.edits.document import body_of
from commonplace.edits.journal import Record
from commonplace.edits.room import Edits, Step
from commonplace.edits.rows import end_mark, rows, usual_end
from commonplace.errors import EditChangedError, EditError
from commonplace.paths import StatePaths
from commonplace.workspace.project import Workspace

MAX_PATCH = 16 * 1024 * 1024

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
path_argument = click.argument("path", type=click.Path(path_type=Path))
id_argument = click.argument("change", required=False, default="", metavar="[ID]")


@click.command("apply")
@path_argument
@click.argument("patch", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--yes", is_flag=True, help="Write the changes; without it they are only shown.")
@click.option(
    "--settings-too",
    is_flag=True,
    help="Say yes a second time, to files that build servers, editors or shells run by themselves.",
)
@json_option
def apply_patch(path: Path, patch: Path, *, yes: bool, settings_too: bool, as_json: bool) -> None:
    """Show what FILE would change in the folder PATH, and with --yes change it.

    FILE is a unified diff, or an answer with search-and-replace blocks; '-'
    reads standard input. If any part of it cannot be placed, nothing is written.
    """
    edits = _edits(path)
    proposal = edits.propose_patch(_read(patch))
    step: Step | None = None
    if yes and not proposal.problems and proposal.files:
        plan = proposal.plan(proposal.everything(), "" if str(patch) == "-" else patch.name)
        step = edits.apply(plan, confirmed=settings_too)
    if as_json:
        printing.json_line({**proposal_json(proposal), "applied": step and step.record.id})
    else:
        _print_recovered(step)
        _print_proposal(proposal)
    if proposal.problems:
        raise EditError(
            f"{len(proposal.problems)} of the changes cannot be placed, so nothing was written.",
            "The reasons are above.",
        )
    if as_json:
        return
    if step is not None:
        click.echo(f"Changed. “commonplace edits undo {path}” takes it back.")
    elif proposal.files:
        click.echo("Nothing was written. Add --yes to write it.")
    else:
        click.echo("The files are like this already.")


class PathFirst(click.Group):
    """A group that takes ``PATH list`` for ``list PATH``, which is how other commands read."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Put the command first."""
        if len(args) > 1 and args[0] not in self.commands and args[1] in self.commands:
            args = [args[1], args[0], *args[2:]]
        return super().resolve_command(ctx, args)


@click.group(cls=PathFirst)
def edits() -> None:
    """List, show, undo and redo the changes made through Commonplace."""


@edits.command("list")
@path_argument
@json_option
def list_edits(path: Path, *, as_json: bool) -> None:
    """List the changes of PATH, the newest first."""
    room = _edits(path)
    recovered = room.recover()
    records = room.history()
    if as_json:
        changes = [record_json(record) for record in records]
        printing.json_line({"changes": changes, "recovered": recovered})
        return
    for sentence in recovered:
        click.echo(sentence, err=True)
    for record in records:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.when))
        state = "" if record.applied else "  (undone)"
        click.echo(f"{record.id}  {when}  {one_line(record.title)}{state}")
    if not records:
        click.echo("No changes yet.")


@edits.command()
@path_argument
@id_argument
@json_option
def show(path: Path, change: str, *, as_json: bool) -> None:
    """Show a change as it was made, by default the last one."""
    room = _edits(path)
    record = room.find(change) if change else _last(room)
    proposal = room.shown(record.id)
    if as_json:
        printing.json_line({**record_json(record), **proposal_json(proposal)})
        return
    _print_proposal(proposal)


@edits.command()
@path_argument
@id_argument
@json_option
def undo(path: Path, change: str, *, as_json: bool) -> None:
    """Take a change back, by default the last one."""
    _turn(_edits(path), change, as_json=as_json, back=True)


@edits.command()
@path_argument
@id_argument
@json_option
def redo(path: Path, change: str, *, as_json: bool) -> None:
    """Do a change again that was undone, by default the last one."""
    _turn(_edits(path), change, as_json=as_json, back=False)


def proposed(path: Path, answer: str) -> Proposal:
    """Return what `answer` would change in the folder `path`; nothing is written."""
    return _edits(path).propose(answer)


def say_proposed(path: Path, proposal: Proposal) -> None:
    """Say on standard error what an answer would change, and how it is applied."""
    for problem in proposal.problems:
        _print_problem(problem)
    if not proposal.files:
        click.echo("The answer holds no change that can be applied.", err=True)
        return
    for change in proposal.files:
        added, removed = change.counts
        click.echo(f"  {one_line(change.path)}  +{added} −{removed}", err=True)
    click.echo(
        "Nothing was written. Keep the answer in a file, look at it with "
        f"'commonplace apply {path} FILE', and add --yes to write it.",
        err=True,
    )


def record_json(record: Record) -> dict[str, Any]:
    """Return a change of the journal as the command line promises it."""
    return {
        "id": record.id,
        "when": record.when,
        "title": record.title,
        "applied": record.applied,
        "files": [file.path for file in record.files],
    }


def proposal_json(proposal: Proposal) -> dict[str, Any]:
    """Return proposed changes as the command line promises them."""
    return {
        "changes": [_change_json(change) for change in proposal.files],
        "problems": [{"path": p.path, "reason": p.reason} for p in proposal.problems],
    }


def _change_json(change: FileChange) -> dict[str, Any]:
    added, removed = change.counts
    return {
        "path": change.path,
        "old_path": change.old_path,
        "kind": change.kind,
        "added": added,
        "removed": removed,
        "notes": list(change.notes),
        "asks_twice": change.asks_twice,
        "diff": "\n".join(line for line, _ in _diff(change)),
    }


def _turn(room: Edits, change: str, *, as_json: bool, back: bool) -> None:
    try:
        step = room.undo(change) if back else room.redo(change)
    except EditChangedError:
        record = room.find(change) if change else _last(room, applied=back)
        if not as_json:
            click.echo("This is what it would mean now:", err=True)
            for file in room.difference(record.id).files:
                for line, colour in _diff(file):
                    click.secho(line, fg=colour, err=True)
        raise
    if as_json:
        printing.json_line({**record_json(step.record), "recovered": step.recovered})
        return
    _print_recovered(step)
    click.echo(f"{'Undone' if back else 'Done again'}: {one_line(step.record.title)}")


def _last(room: Edits, *, applied: bool | None = None) -> Record:
    records = [r for r in room.history() if applied is None or r.applied == applied]
    if not records:
        raise EditError("There is no change.", "Apply one first.")
    return records[0]


def _print_recovered(step: Step | None) -> None:
    for sentence in step.recovered if step is not None else ():
        click.echo(sentence, err=True)


def _print_proposal(proposal: Proposal) -> None:
    for change in proposal.files:
        for line, colour in _diff(change):
            click.secho(line, fg=colour)
        for note in change.notes:
            click.echo(f"  note: {one_line(note)}")
        if change.asks_twice:
            click.echo(f"  needs --settings-too: {change.asks_twice}")
    for problem in proposal.problems:
        _print_problem(problem)


def _print_problem(problem: Problem) -> None:
    place = one_line(problem.path) or "a change"
    click.secho(f"{place}: {one_line(problem.reason)}", err=True, fg="yellow")
    for line in problem.text.splitlines()[:6]:
        click.echo(f"    {one_line(line)[:100]}", err=True)


def _diff(change: FileChange) -> Iterator[tuple[str, str | None]]:
    """Yield a unified diff for people, with its colours; hidden characters are visible."""
    usual = usual_end(change)
    yield f"--- {one_line(change.old_path) if change.before is not None else '/dev/null'}", "red"
    yield f"+++ {one_line(change.path) if change.after is not None else '/dev/null'}", "green"
    for row in rows(change):
        line = visible(body_of(row.text)) + end_mark(row.text, usual)
        if row.kind == "hunk":
            yield f"@@ line {row.old} @@", "cyan"
        elif row.kind == "old":
            yield f"-{line}", "red"
        elif row.kind == "new":
            yield f"+{line}", "green"
        elif row.kind == "same":
            yield f" {line}", None


def _edits(path: Path) -> Edits:
    return Edits(Workspace(path).root, StatePaths.from_environment())


def _read(path: Path) -> bytes:
    try:
        if str(path) == "-":
            return sys.stdin.buffer.read(MAX_PATCH)
        with path.open("rb") as file:
            return file.read(MAX_PATCH)
    except OSError as error:
        raise EditError(
            f"{path} cannot be read: {error.strerror}.", "Choose a unified diff."
        ) from error
