"""``commonplace chats``: the conversations of a project on the command line."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import click

from commonplace.book.records import FILE_NAME as RECORDS
from commonplace.book.records import Records
from commonplace.chat.export import message_json, to_json, to_markdown
from commonplace.chat.kept import Chat, Kept, path_to
from commonplace.chat.prompt import one_line
from commonplace.chat.store import ConversationStore
from commonplace.cli import printing
from commonplace.engine.options import states_folder
from commonplace.engine.states import forget
from commonplace.errors import UserError
from commonplace.paths import StatePaths
from commonplace.storage.files import write_atomically

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
id_argument = click.argument("conversation", metavar="ID")
SHORT_ID = 8


@click.group()
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_context
def chats(ctx: click.Context, path: Path) -> None:
    """List, read, search, export and delete the conversations about PATH.

    The project's folder need not be there any more: its conversations are kept
    in your data folder.
    """
    ctx.obj = path


@chats.command("list")
@click.pass_obj
@json_option
def list_chats(path: Path, *, as_json: bool) -> None:
    """List the conversations: the pinned first, then the latest."""
    with _opened(path) as store:
        found = store.chats()
    if as_json:
        printing.json_line({"conversations": [dataclasses.asdict(chat) for chat in found]})
        return
    for chat in found:
        _print_chat(chat)
    if not found:
        click.echo("No conversations yet.")


@chats.command()
@click.pass_obj
@id_argument
@json_option
def show(path: Path, conversation: str, *, as_json: bool) -> None:
    """Show the conversation ID, or the only one whose id begins so."""
    with _opened(path) as store:
        chat, messages, leaf = _read(store, conversation)
    if as_json:
        shown = path_to(messages, leaf)
        printing.json_line(
            {**dataclasses.asdict(chat), "messages": [message_json(m) for m in shown]}
        )
        return
    for line in to_markdown(chat, messages, leaf).split("\n"):
        click.echo(one_line(line.expandtabs(4)))


@chats.command()
@click.pass_obj
@click.argument("words")
@json_option
def search(path: Path, words: str, *, as_json: bool) -> None:
    """Find conversations that hold all of WORDS in one message or in the title."""
    with _opened(path) as store:
        hits = store.find(words)
    if as_json:
        printing.json_line({
            "query": words,
            "conversations": [
                {**dataclasses.asdict(h.chat), "message": str(h.message or ""), "text": h.text}
                for h in hits
            ],
        })  # fmt: skip
        return
    for hit in hits:
        _print_chat(hit.chat)
        if hit.text:
            click.echo(f"    {one_line(hit.text)}")
    if not hits:
        click.echo("No conversation holds these words.")


@chats.command()
@click.pass_obj
@id_argument
@click.option(
    "--format", "form", type=click.Choice(["markdown", "json"]), default="markdown",
    show_default=True, help="Markdown has the branch read last, JSON everything.",
)  # fmt: skip
@click.option("--to", type=click.Path(path_type=Path), help="The file to write.")
@json_option
def export(path: Path, conversation: str, form: str, to: Path | None, *, as_json: bool) -> None:
    """Write the conversation ID as Markdown or JSON, to the screen or into a file."""
    with _opened(path) as store:
        chat, messages, leaf = _read(store, conversation)
    if form == "json":
        text = f"{json.dumps(to_json(chat, messages, leaf), ensure_ascii=False, indent=1)}\n"
    else:
        text = to_markdown(chat, messages, leaf)
    if to is None:
        click.echo(text, nl=False)
        return
    if to.exists():
        raise UserError(f"{to} is already there.", "Name another file, or move that one away.")
    write_atomically(to, text.encode())
    if as_json:
        printing.json_line({"id": chat.id, "file": str(to)})
    else:
        click.echo(f"Written to {to}.")


@chats.command()
@click.pass_obj
@id_argument
@json_option
def delete(path: Path, conversation: str, *, as_json: bool) -> None:
    """Delete the conversation ID for good, with what a model has read of it."""
    with _opened(path) as store:
        chat = store.named(conversation)
        store.remove(chat.id)
        deleted = store.purge()
        copies = store.damaged_copies()
    for gone in deleted:
        forget(states_folder(StatePaths.from_environment()), gone)
    _forget_events(path, deleted)
    if as_json:
        printing.json_line({"deleted": deleted, "damaged_copies": [str(p) for p in copies]})
    else:
        click.echo(f"Deleted: {one_line(chat.title)}")
    for copy in copies:
        click.echo(f"{copy} was set aside as damaged and may still hold it.", err=True)


@contextmanager
def _opened(path: Path) -> Iterator[ConversationStore]:
    paths = StatePaths.from_environment()
    store = ConversationStore(paths.project_data(path.expanduser().resolve()))
    try:
        yield store
    finally:
        store.close()
        if store.note:
            click.echo(store.note, err=True)


def _forget_events(path: Path, deleted: Sequence[str]) -> None:
    """Take from the book's records what conversations left for drafts."""
    folder = StatePaths.from_environment().project_data(path.expanduser().resolve())
    if not (folder / RECORDS).is_file():
        return
    with closing(Records(folder)) as records:
        for conversation in deleted:
            records.forget_events_of(conversation)
        records.scrub()


def _read(store: ConversationStore, conversation: str) -> tuple[Chat, list[Kept], int]:
    chat = store.named(conversation)
    return chat, store.messages(chat.id), store.leaf(chat.id)


def _print_chat(chat: Chat) -> None:
    day = dt.datetime.fromtimestamp(chat.updated, tz=dt.UTC).astimezone()
    pin = "  (pinned)" if chat.pinned else ""
    click.secho(chat.id[:SHORT_ID], bold=True, nl=False)
    click.echo(f"  {day:%Y-%m-%d %H:%M}  {one_line(chat.title)}{pin}")
