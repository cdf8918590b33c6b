"""What the model reads before a held-out place, with one layer of memory more each time.

* *base*: the file's name and the few lines above the place;
* *open file*: as much of the file above the place as fits;
* *recall*: passages of other files before that, found by the lines above the place;
* *book*: the kept notes that speak of this file or answer the same search, before those.

Each begins with what is new and ends with what the one before read, so that a difference
is the layer's alone.

The leak guard: what is below the place is never shown, no passage comes from the same
file, and no passage or note is shown that holds one of the held-out lines
(`COPIED` characters and more, spaces aside) or two in a row that make as many, wherever
it stands.
So a passage that merely shares an idiom may be withheld as well, and what is found is
rather too little than too much.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from commonplace.book.note import Note
from commonplace.chat.prompt import one_line
from commonplace.errors import CommonplaceError
from commonplace.index.languages import language_of
from commonplace.index.rows import read_chunks
from commonplace.measure.places import HeldOut
from commonplace.measure.snapshot import Snapshot
from commonplace.memory.joining import notes_for
from commonplace.recall.search import ranked_for
from commonplace.recall.shapes import read_question

BASE, OPEN_FILE, RECALL, BOOK, ADAPTER = "base", "open file", "recall", "book", "adapter"
NEAREST_LINES = 4
QUERY_LINES = 12
LOOKED_AT = 40
MOST_PASSAGES, MOST_NOTES = 6, 3
LEAST_TOKENS = 24
"""Room below which no further passage is begun."""
COPIED, LONG = 16, 24
HASH = frozenset(
    "python ruby bash perl r yaml toml make cmake elixir julia nim powershell dockerfile".split()
)
DASHES = frozenset({"lua", "haskell", "sql", "ada", "elm"})

Count = Callable[[Sequence[str]], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Room:
    """Tokens that each layer may take."""

    open_file: int
    recall: int
    book: int

    def within(self, context: int) -> Room:
        """Return the same shares, smaller where a model sees only `context` tokens."""
        wanted = self.open_file + self.recall + self.book
        share = min(1.0, (context - MARGIN) / wanted)
        if share < LEAST_SHARE:
            raise ValueError("the model sees too little at once")
        return Room(*(int(part * share) for part in (self.open_file, self.recall, self.book)))


MARGIN = 400
"""Tokens kept for the held-out lines, headers, and counting line by line."""
LEAST_SHARE = 0.2
QUICK, FULL = Room(320, 320, 128), Room(960, 768, 256)


@dataclass(frozen=True, slots=True)
class Context:
    """What is read with the layers up to `layer`; `withheld` counts what the guard left out."""

    layer: str
    text: str
    changed: bool
    withheld: int = 0


class Guard:
    """Knows the held-out lines again; see the module's description."""

    def __init__(self, target: str) -> None:
        lines = [squeezed(line) for line in target.split("\n") if line.strip()]
        self._lines = {line for line in lines if _size(line) >= COPIED}
        # Two closing brackets in a row are no copy of anything.
        self._pairs = {p for p in itertools.pairwise(lines) if _size("".join(p)) >= COPIED}

    def holds(self, text: str) -> bool:
        """Whether `text` repeats what is held out."""
        lines = [squeezed(line) for line in text.split("\n") if line.strip()]
        if not self._lines.isdisjoint(lines):
            return True
        if not self._pairs.isdisjoint(itertools.pairwise(lines)):
            return True
        return any(len(own) >= LONG and own in line for own in self._lines for line in lines)


def squeezed(line: str) -> str:
    """Return a line with every run of spaces as one, and none at its ends."""
    return " ".join(line.split())


class Contexts:
    """Makes the contexts of places from one snapshot; `count` gives the tokens of texts."""

    def __init__(self, snapshot: Snapshot, count: Count, room: Room) -> None:
        self._snapshot = snapshot
        self._count = count
        self._room = room

    def of(self, place: HeldOut, *, book: bool) -> list[Context]:
        """Return the contexts of `place`, layer by layer, the book's where asked for."""
        mark = comment_mark(place.path)
        head = f"{mark} {one_line(place.path)}\n"
        lines = place.above.splitlines(keepends=True)
        base = head + "".join(lines[-NEAREST_LINES:])
        opened = head + self._last(lines, self._room.open_file)
        guard, query = Guard(place.target), query_of(place.above)
        passages, withheld = self._passages(place, query, guard, mark)
        recalled = passages + opened
        contexts = [
            Context(BASE, base, changed=True),
            Context(OPEN_FILE, opened, changed=opened != base),
            Context(RECALL, recalled, changed=bool(passages), withheld=withheld),
        ]
        if book:
            notes, kept_back = self._notes(place, query, guard, mark)
            contexts.append(Context(BOOK, notes + recalled, bool(notes), kept_back))
        return contexts

    def _passages(self, place: HeldOut, query: str, guard: Guard, mark: str) -> tuple[str, int]:
        """Return the passages of other files, the best last, and how many were withheld."""
        snapshot = self._snapshot
        question = read_question(query)
        ranked = ranked_for(question, snapshot.conn, snapshot.embedder, snapshot.vectors)
        ids = [item.chunk_id for item in ranked[:LOOKED_AT]]
        rows = read_chunks(snapshot.conn, ids)
        others = [rows[i] for i in ids if i in rows and rows[i].path != place.path]
        safe = [row for row in others if not guard.holds(row.text)]
        texts = ((row.path, row.text) for row in safe)
        parts = [
            f"{mark} {one_line(path)}\n{text}\n"
            for path, text in self._fitting(texts, self._room.recall, MOST_PASSAGES)
        ]
        return "".join(reversed(parts)), len(others) - len(safe)

    def _notes(self, place: HeldOut, query: str, guard: Guard, mark: str) -> tuple[str, int]:
        """Return the notes as comments, and how many were withheld."""
        notes = list(self._about(place.path, query))
        safe = [(title, text) for title, text in notes if not guard.holds(f"{title}\n{text}")]
        parts = []
        for title, text in self._fitting(iter(safe), self._room.book, MOST_NOTES):
            lines = [f"Note: {one_line(title)}", *text.strip().split("\n")]
            parts.append("".join(f"{mark} {line}".rstrip() + "\n" for line in lines) + "\n")
        return "".join(parts), len(notes) - len(safe)

    def _about(self, path: str, query: str) -> Iterator[tuple[str, str]]:
        """Yield title and text of the notes anchored in the file, then those that answer."""
        book, seen = self._snapshot.book, set[str]()
        anchored = book.catalogue.listed("WHERE recallable")
        for _, listed in anchored:
            targets = (target.partition("::")[0] for target in listed.anchors)
            if any(t == path or t.startswith(f"{path}:") for t in targets):
                seen.add(listed.id)
                note = _note(self._snapshot, listed.id)
                if note is not None:
                    yield note.title, note.text
        if query.strip() and anchored:
            for passage in notes_for(query, MOST_NOTES, self._snapshot.sources()):
                if passage.note not in seen:
                    yield passage.symbol, passage.text

    def _last(self, lines: Sequence[str], room: int) -> str:
        """Return the last of `lines` that fit into `room` tokens, at least the nearest."""
        counts = self._count(lines[-room:])  # a line has a token at least
        used, first = 0, len(lines)
        for size in reversed(counts):
            if used + size > room and len(lines) - first >= NEAREST_LINES:
                break
            used += size
            first -= 1
        return "".join(lines[first:])

    def _fitting(
        self, texts: Iterator[tuple[str, str]], room: int, most: int
    ) -> Iterator[tuple[str, str]]:
        """Yield the texts that fit into `room` tokens; the last is cut after a line."""
        for number, (name, text) in enumerate(texts):
            if number == most or room < LEAST_TOKENS:
                return
            lines = text.rstrip().splitlines(keepends=True)[:room]
            kept = 0
            for size in self._count(lines):
                if size > room:
                    break
                room -= size
                kept += 1
            if kept:
                yield name, "".join(lines[:kept]).rstrip("\n")
            if kept < len(lines):
                return


def query_of(above: str) -> str:
    """Return what recall is asked before a place: the lines above it that say something."""
    lines = [line.strip() for line in above.split("\n") if line.strip()]
    return "\n".join(lines[-QUERY_LINES:])


def comment_mark(path: str) -> str:
    """Return what begins a comment in the language of `path`."""
    name = language_of(path).name
    return "#" if name in HASH else "--" if name in DASHES else "//"


def _size(line: str) -> int:
    return len(line.replace(" ", ""))


def _note(snapshot: Snapshot, note: str) -> Note | None:
    try:
        return snapshot.book.note(note)
    except CommonplaceError:  # taken back, or damaged, meanwhile
        return None
