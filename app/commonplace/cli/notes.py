"""``commonplace notes``: the book on the command line."""

from __future__ import annotations

import difflib
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from commonplace.book.book import Book
from commonplace.book.code import IndexedCode
from commonplace.book.note import AnchorCheck, Listed, Status
from commonplace.chat.prompt import one_line
from commonplace.cli import printing
from commonplace.cli.asking import opened
from commonplace.errors import ProjectBusyError
from commonplace.memory.booking import visited
from commonplace.memory.project import Memory
from commonplace.paths import StatePaths
from commonplace.recall.passages import Found
from commonplace.settings import load

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
path_argument = click.argument("path", type=click.Path(path_type=Path))
id_argument = click.argument("note", metavar="ID")
STATE_WORDS = {
    "fresh": "",
    "changed": "STALE: the code changed",
    "gone": "STALE: the code is gone",
    "moved": "the code moved",
    "unchecked": "not checked",
}


@click.group()
def notes() -> None:
    """Keep notes about a project: Markdown files that rank above everything else."""


@notes.command("list")
@path_argument
@click.argument("words", required=False, default="")
@click.option("--status", type=click.Choice(["inbox", "kept", "archived"]), help="Only these.")
@click.option("--stale", is_flag=True, help="Only notes whose code changed or went.")
@json_option
def list_notes(
    path: Path, words: str, status: Status | None, *, stale: bool, as_json: bool
) -> None:
    """List the notes of PATH, or those that hold all of WORDS."""
    with _book(path) as (book, _):
        rows = [row for row in book.notes(words, status) if row.stale or not stale]
        unread = book.unread()
        shown = [row_json(book, row) for row in rows]
    left_out = [{"path": i.file, "shelf": shelf, "reason": i.reason} for shelf, i in unread]
    if as_json:
        printing.json_line({"notes": shown, "unread": left_out})
        return
    for row, data in zip(rows, shown, strict=True):
        _print_row(row, data["path"])
    for item in left_out:
        click.echo(f"  left out {one_line(item['path'])}: {item['reason']}", err=True)
    if not rows:
        click.echo("There are no such notes." if words or status or stale else "No notes yet.")


@notes.command()
@path_argument
@id_argument
@json_option
def show(path: Path, note: str, *, as_json: bool) -> None:
    """Show one note with the state of what it speaks of."""
    with _book(path) as (book, _):
        data = note_json(book, note)
    if as_json:
        printing.json_line(data)
        return
    _print_note(data)


@notes.command()
@path_argument
@click.option("--title", required=True, help="What the note is called.")
@click.option("--text", required=True, help="What to remember, in Markdown; '-' reads it.")
@click.option(
    "--anchor", "anchors", multiple=True, metavar="FILE[::SYMBOL]",
    help="The code that the note speaks of: FILE, FILE::SYMBOL or FILE:10-20; may be repeated.",
)  # fmt: skip
@click.option("--tag", "tags", multiple=True, help="A word to find it by; may be repeated.")
@click.option("--private", is_flag=True, help="Keep it in your data folder, not in the project.")
@click.option("--draft", is_flag=True, help="Put it into the inbox; it is not recalled yet.")
@json_option
def add(
    path: Path,
    title: str,
    text: str,
    anchors: Sequence[str],
    tags: Sequence[str],
    *,
    private: bool,
    draft: bool,
    as_json: bool,
) -> None:
    """Write a note and keep it."""
    if text == "-":
        text = sys.stdin.read()
    with _book(path) as (book, code):
        note = book.add(
            title, text, code, shelf="private" if private else "shared", draft=draft,
            anchors=anchors, tags=tags,
        )  # fmt: skip
        data = note_json(book, note.id)
    if as_json:
        printing.json_line(data)
        return
    click.echo(f"{data['id']}  {data['path']}")


@notes.command()
@path_argument
@id_argument
@json_option
def keep(path: Path, note: str, *, as_json: bool) -> None:
    """Keep a draft or an archived note: from now on it is recalled."""
    with _book(path) as (book, _):
        _done(book, book.keep(note).id, "Kept", as_json=as_json)


@notes.command()
@path_argument
@id_argument
@json_option
def archive(path: Path, note: str, *, as_json: bool) -> None:
    """Put a note into the archive: its file stays, and it is not recalled."""
    with _book(path) as (book, _):
        _done(book, book.archive(note).id, "Archived", as_json=as_json)


@notes.command()
@path_argument
@id_argument
@click.option("--title", help="A new title.")
@click.option("--text", help="A new text; '-' reads it from standard input.")
@click.option("--anchor", "anchors", multiple=True, metavar="FILE[::SYMBOL]", help="New anchors.")
@click.option("--tag", "tags", multiple=True, help="New tags.")
@click.option("--pin/--unpin", "pinned", default=None, help="Let it stand in every prompt.")
@click.option("--confirm", is_flag=True, help="It is still true: anchor it to the code as it is.")
@json_option
def edit(
    path: Path,
    note: str,
    title: str | None,
    text: str | None,
    anchors: Sequence[str],
    tags: Sequence[str],
    *,
    pinned: bool | None,
    confirm: bool,
    as_json: bool,
) -> None:
    """Change a note; what is not named stays as it is."""
    if text == "-":
        text = sys.stdin.read()
    with _book(path) as (book, code):
        name = book.note(note).id
        if title is not None:
            book.rename(name, title)
        if text is not None:
            book.edit(name, text)
        if tags:
            book.tag(name, tags)
        if anchors:
            book.anchor(name, anchors, code)
        if pinned is not None:
            book.pin(name, pinned=pinned)
        if confirm:
            book.confirm(name, code)
        _done(book, name, "Changed", as_json=as_json)


@notes.command()
@path_argument
@id_argument
@json_option
def forget(path: Path, note: str, *, as_json: bool) -> None:
    """Remove a note from everywhere; there is no way back."""
    with _book(path) as (book, _):
        gone = book.forget(note)
    if as_json:
        printing.json_line({"id": gone.id, "title": gone.title, "forgotten": True})
        return
    click.echo(f"Forgotten: {one_line(gone.title)}")
    if gone.shelf == "shared":
        click.echo("If it was committed, git's history still holds it.", err=True)


@notes.command()
@path_argument
@click.option("--change", default=0, help="The number of a change, as 'undo --list' shows it.")
@click.option("--list", "listed", is_flag=True, help="Show what can be undone.")
@json_option
def undo(path: Path, change: int, *, listed: bool, as_json: bool) -> None:
    """Take back the last change of a note, or the one named."""
    with _book(path) as (book, _):
        if listed:
            found = [_change_json(item) for item in book.records.changes()]
            if as_json:
                printing.json_line({"changes": found})
            else:
                for item in found:
                    click.echo(f"{item['id']:>5}  {item['action']:<8} {one_line(item['title'])}")
            return
        done = _change_json(book.undo(change))
    if as_json:
        printing.json_line(done)
        return
    click.echo(f"Undone: {done['action']} of {one_line(done['title'])}")


@notes.command()
@path_argument
@json_option
def check(path: Path, *, as_json: bool) -> None:
    """Check every note against the code it speaks of."""
    with _book(path, index=True) as (book, code):
        count = book.check(code)
        rows = [row for row in book.notes() if row.anchors and row.status != "archived"]
        details = {row.id: book.open(row.id).checks for row in rows}
        shown = [
            {**row_json(book, row), "checks": [c.to_wire() for c in details[row.id]]}
            for row in rows
        ]
    if as_json:
        printing.json_line({"checked": count, "notes": shown})
        return
    stale = 0
    for row, data in zip(rows, shown, strict=True):
        if row.state != "fresh":
            _print_row(row, data["path"])
            for result in details[row.id]:
                _print_check(result)
        stale += row.stale
    click.echo(f"{len(rows)} notes speak of code; {stale} are stale.")


@notes.command()
@path_argument
@json_option
def suggest(path: Path, *, as_json: bool) -> None:
    """Name notes that could go to the archive, and why. Nothing is done by itself."""
    with _book(path) as (book, _):
        found = [
            {**row_json(book, item.note), "reasons": list(item.reasons)} for item in book.suggest()
        ]
    if as_json:
        printing.json_line({"suggestions": found})
        return
    for data in found:
        click.echo(f"{data['id']}  {one_line(data['title'])}: {'; '.join(data['reasons'])}")
    if not found:
        click.echo("Nothing to suggest.")


@notes.command()
@path_argument
@click.argument("question")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1, 200))
@json_option
def search(path: Path, question: str, limit: int, *, as_json: bool) -> None:
    """Find the kept notes that have to do with QUESTION; 'commonplace search' adds the code."""
    state = StatePaths.from_environment()
    with opened(path, state, load(state.settings_file)) as searcher:
        began = time.perf_counter()
        passages = searcher.search_notes(question, limit)
    ms = round((time.perf_counter() - began) * 1000, 2)
    found = Found(question, "", ms, tuple(passages))
    if as_json:
        printing.json_line(printing.found_json(found))
        return
    printing.found_text(found)


@contextmanager
def _book(path: Path, *, index: bool = False) -> Iterator[tuple[Book, IndexedCode]]:
    """Open the book; with `index` the project's index is brought up to date first."""
    state = StatePaths.from_environment()
    if index:
        _refresh(path, state)
    with visited(path, state) as (book, code):
        yield book, code


def _refresh(path: Path, state: StatePaths) -> None:
    """Bring the index up to date, unless another process is doing that all the time."""
    try:
        memory = Memory(path, state, embedder="none")
    except ProjectBusyError:
        return
    try:
        memory.refresh()
    finally:
        memory.close()


def row_json(book: Book, row: Listed) -> dict[str, Any]:
    """Return a row of a list as the command line promises it."""
    return {"kind": "note", **row.to_wire(), "path": book.shown_path(row.shelf, row.path)}


def note_json(book: Book, name: str) -> dict[str, Any]:
    """Return one note as the command line promises it."""
    shown = book.open(name)
    note = shown.note
    return {
        "id": note.id,
        "kind": "note",
        "title": note.title,
        "text": note.text,
        "path": shown.path,
        "shelf": note.shelf,
        "status": note.status,
        "origin": note.origin,
        "pinned": note.pinned,
        "author": note.author,
        "created": note.created,
        "tags": list(note.tags),
        "anchors": [anchor.target for anchor in note.anchors],
        "evidence": note.evidence,
        "problems": [str(problem) for problem in note.problems],
        "checks": [check.to_wire() for check in shown.checks],
        "uses": shown.uses.count,
    }


def _done(book: Book, name: str, verb: str, *, as_json: bool) -> None:
    data = note_json(book, name)
    if as_json:
        printing.json_line(data)
        return
    click.echo(f"{verb}: {data['id']}  {one_line(data['title'])}")


def _change_json(change: Any) -> dict[str, Any]:
    data = asdict(change)
    del data["before"]
    return data


def _print_row(row: Listed, path: str) -> None:
    marks: list[str] = [row.status] if row.status != "kept" else []
    marks += ["pinned"] if row.pinned else []
    marks += [STATE_WORDS[row.state]] if STATE_WORDS.get(row.state) else []
    marks += [f"helped in {row.uses} answers"] if row.uses else []
    click.secho(f"{row.id}  {one_line(row.title)}", bold=True, nl=False)
    click.echo(f"  ({', '.join(marks)})" if marks else "")
    click.echo(f"    {one_line(path)}" + "".join(f"  @{one_line(a)}" for a in row.anchors[:3]))
    for problem in row.problems:
        click.echo(f"    {one_line(problem)}")


def _print_note(data: dict[str, Any]) -> None:
    click.secho(one_line(data["title"]), bold=True)
    about = [data["id"], data["status"], data["author"], data["created"], one_line(data["path"])]
    click.echo("  ".join(filter(None, about)))
    for problem in data["problems"]:
        click.echo(f"  {one_line(problem)}")
    for check_data in data["checks"]:
        _print_check(AnchorCheck(**check_data))
    click.echo("")
    click.echo("\n".join(one_line(line.expandtabs(4)) for line in data["text"].splitlines()))


def _print_check(result: AnchorCheck) -> None:
    what = f": {result.what}" if result.what else ""
    click.echo(f"    @{one_line(result.target)} {result.state}{one_line(what)}")
    if not result.before or result.before == result.after:
        return
    lines = difflib.unified_diff(
        result.before.splitlines(), result.after.splitlines(), "then", "now", n=2, lineterm=""
    )
    for line in list(lines)[:40]:
        click.echo(f"      {one_line(line.expandtabs(4))[:160]}")
