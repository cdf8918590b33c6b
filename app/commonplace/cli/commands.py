"""The commands.

Every command prints for people, or with ``--json`` one JSON object per
result. Exit status 0; 1 with one line on standard error that says what is
wrong and how to mend it; 2 for wrong usage.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO

import click

from commonplace.build import this_build
from commonplace.cli import printing
from commonplace.cli.adapt import adapt
from commonplace.cli.adapted import Adapted
from commonplace.cli.asking import Searcher, ask_model, count_uses, opened
from commonplace.cli.chats import chats
from commonplace.cli.doctor import examine
from commonplace.cli.edits import apply_patch, edits, proposal_json, proposed, say_proposed
from commonplace.cli.engine import engine
from commonplace.cli.measure import measure
from commonplace.cli.models import models
from commonplace.cli.notes import notes
from commonplace.cli.progress import Progress
from commonplace.cli.structure import show_usages, usages
from commonplace.cli.typed import read_typed, usages_asked
from commonplace.cli.window import open_window
from commonplace.errors import CancelledError, CommonplaceError
from commonplace.memory.project import Memory
from commonplace.paths import StatePaths
from commonplace.settings import Settings, load
from commonplace.workspace.project import Workspace

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
path_argument = click.argument("path", type=click.Path(path_type=Path))


class FolderGroup(click.Group):
    """A group whose first word may be a folder: ``commonplace PATH`` opens it."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Treat a first word that names no command but a folder as one to open."""
        known = bool(args) and self.get_command(ctx, args[0]) is not None
        if args and not known and Path(args[0]).exists():
            args = ["window", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=FolderGroup, invoke_without_command=True)
@click.version_option(this_build().version, message="\n".join(this_build().lines()))
@click.pass_context
def commands(ctx: click.Context) -> None:
    """Ask questions about your code, on your machine.

    Without a command, or with a folder alone, it opens the window.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(window)


@commands.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
def window(path: Path | None = None) -> None:
    """Open the window on the folder PATH."""
    raise click.exceptions.Exit(open_window(path))


@commands.command()
@path_argument
@json_option
def index(path: Path, *, as_json: bool) -> None:
    """Index the folder PATH: read what changed, embed what is new."""
    state, settings = _state()
    progress = Progress()
    began = time.monotonic()
    memory = Memory(
        path,
        state,
        embedder=settings.recall_embedder,
        adapter=settings.recall_adapter,
        depth=settings.recall_depth,
        on_status=progress.show,
    )
    try:
        opened_at = time.monotonic()
        memory.refresh()
        read_at = time.monotonic()
        memory.embed()
        ended = time.monotonic()
        memory.learn()
        learned_at = time.monotonic()
        skipped = memory.skipped()
        status = memory.status
    finally:
        progress.clear()
        memory.close()
    report = {
        "files": status.files,
        "chunks": status.chunks,
        "vectors": status.vectors,
        "seconds": round(ended - began, 3),
        "phases": {
            "open": round(opened_at - began, 3),
            "read": round(read_at - opened_at, 3),
            "embed": round(ended - read_at, 3),
            "learn": round(learned_at - ended, 3),
        },
        "peak_rss_mb": printing.peak_rss_mb(),
        "skipped": [{"path": item.path, "reason": item.reason} for item in skipped],
        "note": status.note,
        "adapter": status.adapter,
    }
    if as_json:
        printing.json_line(report)
    else:
        printing.index_report(report)


@commands.command()
@path_argument
@click.argument("question", required=False)
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1, 200))
@click.option(
    "--queries",
    type=click.File(encoding="utf-8", errors="replace"),
    help='A file with one JSON object with a "query" per line; prints one result per line.',
)
@json_option
def search(
    path: Path, question: str | None, limit: int, queries: IO[str] | None, *, as_json: bool
) -> None:
    """Find the passages of PATH that match QUESTION."""
    if (question is None) == (queries is None):
        raise click.UsageError("Give a question, or a file with --queries, but not both.")
    state, settings = _state()
    with opened(path, state, settings, many=queries is not None) as searcher:
        if queries is None:
            _search_one(searcher, str(question), limit, as_json=as_json)
            return
        for text in printing.read_queries(queries):
            _search_one(searcher, text, limit, as_json=True)


def _search_one(searcher: Searcher, question: str, limit: int, *, as_json: bool) -> None:
    found = searcher.search(question, limit)
    if as_json:
        printing.json_line(printing.found_json(found))
    else:
        printing.found_text(found)


@commands.command()
@path_argument
@click.argument("question")
@click.option("--model", type=click.Path(path_type=Path), help="The GGUF file that answers.")
@json_option
def ask(path: Path, question: str, model: Path | None, *, as_json: bool) -> None:
    """Answer QUESTION about the folder PATH, with citations.

    QUESTION may begin with a command, as in the window: /explain, /edit, /fix,
    /tests, /document, /commit, /changes or /usages; and it may mention files,
    folders and notes, which are read first: @src/app.py, @"note:Title". What /edit
    answers is a change of files for 'commonplace apply PATH FILE', where FILE may be -.
    """
    name = usages_asked(question)
    if name:
        show_usages(path, name, as_json=as_json)
        return
    state, settings = _state()

    def show(text: str) -> None:
        if not as_json:
            click.echo(text, nl=False)

    with opened(path, state, settings) as searcher:
        root = Workspace(path).root
        typed = read_typed(question, root, searcher.files, searcher.book)
        adapted = Adapted(typed, root, searcher.files, settings, state)
        answer = ask_model(typed, searcher.search, settings, state, model, show, adapted.prepare)
        count_uses(searcher, answer)
    proposal = proposed(path, answer.text) if typed.edits and answer.model else None
    if as_json:
        more = {} if proposal is None else proposal_json(proposal)
        if adapted.file:
            more["adapter"] = adapted.file
        printing.json_line({**printing.answer_json(answer), **more})
    elif proposal is None:
        printing.answer_text(answer)
    else:
        # Standard output has the change alone, so that it can be piped on.
        click.echo()
        printing.answer_sources(answer, err=True)
        say_proposed(path, proposal)


@commands.command()
@json_option
def doctor(*, as_json: bool) -> None:
    """Say what works on this machine, and how to mend what does not."""
    checks = examine(StatePaths.from_environment())
    if as_json:
        build = {"version": this_build().version, "build": asdict(this_build())}
        printing.json_line({**build, "checks": [c.to_json() for c in checks]})
    else:
        printing.checks_text(checks)


commands.add_command(models)
commands.add_command(notes)
commands.add_command(edits)
commands.add_command(apply_patch)
commands.add_command(chats)
commands.add_command(engine)
commands.add_command(usages)
commands.add_command(adapt)
commands.add_command(measure)


def run(args: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    try:
        result = commands.main(args=args, prog_name="commonplace", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt, CancelledError):
        click.echo("Stopped. What was done until now is kept.", err=True)
        return 1
    except CommonplaceError as error:
        click.echo(str(error), err=True)
        return 1
    except BrokenPipeError:
        # Whoever read our output has had enough, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return result if isinstance(result, int) else 0


def _state() -> tuple[StatePaths, Settings]:
    state = StatePaths.from_environment()
    return state, load(state.settings_file)
