"""Questions whose answer is known: from documentation and from kept notes.

Documentation: the first sentence that a person wrote about a function or class; the
answer is its file. All of that documentation is taken out of what is searched, in the
passage's text, words and vector, so that what has to be found is the code.

Notes: the title and text of a note that a person kept; the answers are the files it
is anchored to. The names of its anchors, should the note repeat them, are taken out,
and notes themselves are not searched here.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass

from commonplace.book.note import Anchor
from commonplace.errors import CommonplaceError
from commonplace.measure.sampling import shuffled
from commonplace.measure.snapshot import Snapshot
from commonplace.recall.documented import (
    MIN_LINES,
    QUOTES,
    Documented,
    documented_chunks,
    without_lines,
)

NOTE_CHARACTERS = 400
MIN_NOTE_WORDS = 3
STRING = re.compile(r"^[rRuUbB]{0,2}(\"{3}|'{3}|\"|')")
SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the paths of the files that answer it."""

    source: str
    text: str
    answers: tuple[str, ...]


def documentation(snapshot: Snapshot, count: int, seed: int) -> list[Documented]:
    """Return up to `count` documented definitions, drawn by `seed`, without their documentation."""
    unique: dict[str, Documented] = {}
    for item in documented_chunks(snapshot.conn):
        unique.setdefault(item.text.lower(), item)
    found: list[Documented] = []
    for key in shuffled(sorted(unique), seed):
        if len(found) == count:
            break
        bare = undocumented(unique[key])
        if bare is not None:
            found.append(bare)
    return found


def undocumented(item: Documented) -> Documented | None:
    """Return `item` without all that documents it; None if too little, or the sentence, stays."""
    lines = documentation_lines(item.whole, item.comments)
    code = without_lines(item.whole, lines)
    comments = without_lines(item.comments, lines)
    long_enough = sum(bool(line.strip()) for line in code.split("\n")) >= MIN_LINES
    if not long_enough or _plain(item.text) in _plain(code):
        return None
    return dataclasses.replace(item, code=code, other_comments=comments)


def documentation_lines(text: str, comments: str) -> list[str]:
    """Return the lines of `comments` that document the whole of `text`.

    A docstring ends where its quotes do; comments before the code end with the first
    line that is no comment.
    """
    lines = comments.split("\n")
    opening = STRING.match(lines[0].strip())
    if opening and QUOTES.match(lines[0].strip()):
        quotes = opening[1]
        rest = lines[0].strip()[opening.end() :]
        for number, line in enumerate([rest, *lines[1:]], 1):
            if quotes in line:
                return lines[:number]
        return lines
    taken: list[str] = []
    written = [line.strip() for line in text.split("\n") if line.strip()]
    for line, comment in zip(written, filter(str.strip, lines), strict=False):
        if line != comment.strip():
            break
        taken.append(comment)
    return taken or lines[:1]


def from_notes(snapshot: Snapshot, count: int, seed: int) -> list[Question]:
    """Return up to `count` questions from kept notes whose anchors lead to files that are there."""
    files = set(snapshot.files())
    found: list[Question] = []
    for _, listed in snapshot.book.catalogue.listed("WHERE recallable"):
        anchors = [Anchor.parse(target) for target in listed.anchors]
        answers = tuple(dict.fromkeys(a.path for a in anchors if a.path in files))
        if not answers:
            continue
        try:
            text = snapshot.book.note(listed.id).text
        except CommonplaceError:  # taken back, or damaged, since the index was copied
            continue
        asked = without_names(f"{listed.title}\n{text.strip()[:NOTE_CHARACTERS]}", anchors)
        if len(asked.split()) >= MIN_NOTE_WORDS:
            found.append(Question("notes", asked, answers))
    return shuffled(found, seed)[:count]


def without_names(text: str, anchors: Sequence[Anchor]) -> str:
    """Return `text` without the paths of `anchors`, which would be no question."""
    for anchor in anchors:
        for name in (anchor.target, anchor.path, anchor.path.rpartition("/")[2]):
            text = text.replace(name, " ")
    return text.strip()


def _plain(text: str) -> str:
    return SPACE.sub(" ", text).lower()
