"""What the window says about notes: states, uses and changes in words."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from commonplace.book.note import AnchorCheck, Listed
from commonplace.desktop.book_link import Change, NoteView
from commonplace.desktop.key_names import KeyNames
from commonplace.desktop.visible import one_line

KINDS = ("", "inbox", "stale", "archived", "suggested")
"""The lists of the panel, in the order of their tabs."""


def kind_title(kind: str) -> str:
    """Return the name of a list of notes."""
    return {
        "": _tr("All"),
        "inbox": _tr("Inbox"),
        "stale": _tr("Stale"),
        "archived": _tr("Archive"),
        "suggested": _tr("Unused"),
    }[kind]


def empty_words(kind: str, words: str, keys: KeyNames | None = None) -> str:
    """Say why a list is empty, and how that changes; `keys` are named where there are some."""
    if words:
        return _tr("No note holds these words in its title, text, tags or anchors.")
    return {
        "": _tr(
            "The book is yours: notes in your own words, kept as Markdown files and trusted "
            "above everything a machine wrote.\n\n"
            "• {0} writes a note from anywhere.\n"
            "• {1} remembers what is selected, in an answer or in code.\n"
            "• Or put a Markdown file into .commonplace/notes.\n\n"
            "A note that is tied to code is checked whenever that code changes."
        ).format(*(keys.of(id_) if keys else "" for id_ in ("quick_note", "remember"))),
        "inbox": _tr(
            "Drafts wait here until you keep or discard them: what a model phrased, and what "
            "is proposed when you correct an answer, star it, or ask the same again. "
            "A draft is never used in an answer."
        ),
        "stale": _tr("No note speaks of code that changed since it was written."),
        "archived": _tr("Archived notes keep their files and are not used in answers."),
        "suggested": _tr(
            "Notes that have not helped for long and whose code changed are suggested for the "
            "archive here. Nothing leaves by itself."
        ),
    }[kind]


def state_words(note: Listed) -> tuple[str, str]:
    """Return the state of a note in a word, and the colour it is written in."""
    if note.broken:
        return _tr("broken header"), "error"
    if note.status == "archived":
        return _tr("archived"), "muted"
    if note.status == "inbox":
        return _tr("draft"), "info"
    if note.state == "gone":
        return _tr("code gone"), "warning"
    if note.state == "changed":
        return _tr("stale"), "warning"
    if note.pinned:
        return _tr("pinned"), "ok"
    return "", "muted"


def uses_words(count: int) -> str:
    """Return how often a note helped; nothing where it never did."""
    if not count:
        return ""
    return _tr("helped in 1 answer") if count == 1 else _tr("helped in {0} answers").format(count)


def about(note: Listed) -> str:
    """Return what is known about a note in a line."""
    if note.broken and note.problems:
        return one_line(note.problems[0])
    parts = [*note.anchors[:2], *(f"#{tag}" for tag in note.tags[:4]), uses_words(note.uses)]
    if note.shelf == "private":
        parts.append(_tr("private"))
    return one_line(" · ".join(filter(None, parts)) or note.created[:10] or note.path)


def check_words(check: AnchorCheck) -> str:
    """Return what became of the code that a note speaks of."""
    if check.state == "fresh":
        return one_line(_tr("{0} is as it was").format(check.target))
    return one_line(f"{check.target}: {check.what or check.state}")


def done_words(action: str, title: str) -> str:
    """Return what was done to a note."""
    words = {
        "add": _tr("Kept “{0}”."),
        "draft": _tr("“{0}” waits in the inbox."),
        "keep": _tr("Kept “{0}”."),
        "archive": _tr("Archived “{0}”."),
        "pin": _tr("Pinned “{0}”."),
        "unpin": _tr("Unpinned “{0}”."),
        "edit": _tr("Saved “{0}”."),
        "anchor": _tr("“{0}” is noted as still true."),
        "discard": _tr("Discarded “{0}”."),
    }
    name = one_line(title)
    return words.get(action, "“{0}”").format(name if len(name) <= 60 else f"{name[:59]}…")


def undone_words(change: Change) -> str:
    """Return which change was taken back."""
    words = {
        "add": _tr("Took back: writing “{0}”"),
        "keep": _tr("Took back: keeping “{0}”"),
        "archive": _tr("Took back: archiving “{0}”"),
        "discard": _tr("“{0}” is back"),
        "pin": _tr("Took back: pinning “{0}”"),
        "unpin": _tr("Took back: unpinning “{0}”"),
    }
    return words.get(change.action, _tr("Took back: a change of “{0}”")).format(
        one_line(change.title)[:60]
    )


def forget_words(note: Listed | NoteView) -> str:
    """Say all that goes when a note is forgotten."""
    lines = [
        _tr("These go, and nothing brings them back:"),
        _tr("• its file {0}").format(one_line(note.path)),
        _tr("• its words and vectors in the index"),
        _tr("• the record of its uses ({0})").format(note.uses),
        _tr("• earlier versions that undo would need"),
        _tr("• what conversations left for drafts and this note quotes"),
    ]
    if note.shelf == "shared":
        lines.append(_tr("\nThe history of git still holds it if it was committed."))
    return "\n".join(lines)


def cited_words(title: str, state: str) -> str:
    """Return how an answer names a note that it rests on."""
    name = one_line(title)
    if state == "changed":
        return _tr("your note “{0}”, written for an earlier version of the code").format(name)
    if state == "gone":
        return _tr("your note “{0}”, whose code is gone").format(name)
    return _tr("your note “{0}”").format(name)


def deed_title(verb: str, *, pinned: bool = False) -> str:
    """Return the name of a deed as buttons and menus show it."""
    return {
        "keep": _tr("Keep"),
        "edit": _tr("Edit"),
        "discard": _tr("Discard"),
        "archive": _tr("Archive"),
        "pin": _tr("Unpin") if pinned else _tr("Pin"),
        "confirm": _tr("Still True"),
        "forget": _tr("Forget…"),
    }[verb]


def _tr(text: str) -> str:
    return QCoreApplication.translate("Book", text)
