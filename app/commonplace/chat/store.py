"""The conversations of one project, kept in the user's data folder.

Each change is one transaction, on disk when the call returns: a crash loses at
most the message in flight. Several processes may use the file at the same time.
One thread at a time may use one store.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from commonplace.chat.database import (
    FILE_NAME,
    MIGRATIONS,
    open_database,
    scrub,
    set_aside,
    storage_error,
)
from commonplace.chat.kept import (
    Chat,
    Hit,
    Kept,
    answer_from_data,
    answer_to_data,
    sound,
    title_of,
)
from commonplace.chat.searching import match_of, parts_of, snippet, words_in
from commonplace.errors import ConversationError
from commonplace.storage.database import Migration, transaction

COLUMNS = "c.id, c.title, c.pinned, c.created, c.updated"
LONGEST_TITLE = 200
HITS = 200
LOOKED_AT = 5000
"""Messages that match and are looked at, newest first, until `HITS` conversations are found."""


class ConversationStore:
    """The conversations in `folder`; the file is made when the first is kept.

    Every method raises `StorageError` for what the machine refuses. `note` says
    when a damaged file had to be set aside.
    """

    def __init__(self, folder: Path, migrations: Sequence[Migration] = MIGRATIONS) -> None:
        self._folder = folder
        self._path = folder / FILE_NAME
        self._migrations = migrations
        self._conn: sqlite3.Connection | None = None
        self.note = ""

    def close(self) -> None:
        """Close the file."""
        if self._conn is not None:
            self._conn.close()
        self._conn = None

    def chats(self) -> list[Chat]:
        """Return all conversations: the pinned first, then those spoken in last."""
        return [_chat(row) for row in self._rows(
            f"SELECT {COLUMNS} FROM conversations c WHERE removed = 0 "  # noqa: S608 - constants
            "ORDER BY c.pinned DESC, c.updated DESC, c.id"
        )]  # fmt: skip

    def chat(self, conversation: str) -> Chat:
        """Return one conversation; raises `ConversationError` if it is not there."""
        rows = self._rows(
            f"SELECT {COLUMNS} FROM conversations c WHERE c.id = ? AND removed = 0",  # noqa: S608
            [conversation],
        )
        if not rows:
            raise _missing(conversation)
        return _chat(rows[0])

    def named(self, start: str) -> Chat:
        """Return the one conversation whose id begins with `start`, as people type it."""
        found = [chat for chat in self.chats() if start and chat.id.startswith(start)]
        if len(found) > 1:
            raise ConversationError(
                f"{len(found)} conversations begin with {start}.", "Give more of the id."
            )
        if not found:
            raise _missing(start)
        return found[0]

    def messages(self, conversation: str) -> list[Kept]:
        """Return every message of a conversation with its details, the oldest first."""
        rows = self._rows(
            "SELECT m.id, m.conversation, m.parent, m.role, m.text, m.model, m.finish, d.data "
            "FROM messages m LEFT JOIN details d ON d.message = m.id "
            "WHERE m.conversation = ? ORDER BY m.id",
            [conversation],
        )
        return [_kept(row) for row in rows]

    def leaf(self, conversation: str) -> int:
        """Return the last message of the branch that was read last, or 0."""
        rows = self._rows("SELECT leaf FROM conversations WHERE id = ?", [conversation])
        return int(rows[0][0]) if rows else 0

    def find(self, words: str, limit: int = HITS) -> list[Hit]:
        """Return the conversations that hold all `words`, in a message or in the title.

        The last word may be the beginning of one; those spoken in last come first.
        """
        wanted = words_in(words)
        if not wanted:
            return []
        hits = {hit.chat.id: hit for hit in self._titled(wanted)}
        rows = self._rows(
            f"SELECT {COLUMNS}, m.id FROM (SELECT rowid FROM words WHERE words MATCH ? "  # noqa: S608
            "ORDER BY rowid DESC LIMIT ?) w JOIN messages m ON m.id = w.rowid "
            "JOIN conversations c ON c.id = m.conversation WHERE c.removed = 0",
            [match_of(wanted), LOOKED_AT],
        )
        for row in rows:
            if len(hits) >= limit:
                break
            if row[0] not in hits or not hits[row[0]].message:
                text = self._rows("SELECT text FROM messages WHERE id = ?", [row[5]])[0][0]
                hits[row[0]] = Hit(_chat(row[:5]), row[5], snippet(text, wanted))
        return sorted(hits.values(), key=lambda hit: -hit.chat.updated)[:limit]

    def keep(self, message: Kept) -> None:
        """Keep a message and make it the end of its branch.

        The first question of a conversation begins it and gives it its title; for
        any other, raises `ConversationError` if the conversation was deleted.
        """
        text = sound(message.text)
        with self._writing() as conn:
            if message.parent == 0 and message.role == "user":
                conn.execute(
                    "INSERT OR IGNORE INTO conversations (id, title, created, updated) "
                    "VALUES (?, ?, ?, ?)",
                    [message.conversation, sound(title_of(text)), message.at, message.at],
                )
            changed = conn.execute(
                "UPDATE conversations SET leaf = ?, updated = max(updated, ?) WHERE id = ?",
                [message.id, message.at, message.conversation],
            )
            if not changed.rowcount:
                raise _missing(message.conversation)
            conn.execute(
                "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?)",
                [message.id, message.conversation, message.parent, message.role, text,
                 sound(message.model), message.finish],
            )  # fmt: skip
            conn.execute(
                "INSERT INTO words (rowid, body, parts) VALUES (?, ?, ?)",
                [message.id, text, parts_of(text)],
            )
            if message.answer is not None:
                packed = _packed(answer_to_data(message.answer))
                conn.execute("INSERT INTO details VALUES (?, ?)", [message.id, packed])

    def read_from(self, conversation: str, leaf: int) -> None:
        """Remember the branch that is read: the one that ends in message `leaf`."""
        with self._writing() as conn:
            conn.execute("UPDATE conversations SET leaf = ? WHERE id = ?", [leaf, conversation])

    def rename(self, conversation: str, title: str) -> None:
        """Call a conversation `title`; an empty one changes nothing."""
        title = " ".join(sound(title).split())[:LONGEST_TITLE]
        if title:
            self._change("UPDATE conversations SET title = ? WHERE id = ?", title, conversation)

    def pin(self, conversation: str, *, pinned: bool) -> None:
        """Pin a conversation to the top of the list, or let it go."""
        self._change("UPDATE conversations SET pinned = ? WHERE id = ?", int(pinned), conversation)

    def draft(self, conversation: str) -> str:
        """Return what was typed and not sent; the empty name is the conversation to come."""
        rows = self._rows("SELECT text FROM drafts WHERE conversation = ?", [conversation])
        return str(rows[0][0]) if rows else ""

    def set_draft(self, conversation: str, text: str) -> None:
        """Keep what is typed."""
        if not text.strip() and not self._begun:
            return
        with self._writing() as conn:
            if text.strip():
                # One that was deleted meanwhile gets no draft: it would stay for ever.
                conn.execute(
                    "INSERT OR REPLACE INTO drafts SELECT ?1, ?2 WHERE ?1 = '' "
                    "OR EXISTS (SELECT 1 FROM conversations WHERE id = ?1)",
                    [conversation, sound(text)],
                )
            else:
                conn.execute("DELETE FROM drafts WHERE conversation = ?", [conversation])

    @property
    def last(self) -> str:
        """The conversation that was open last; empty for a new one."""
        rows = self._rows("SELECT value FROM facts WHERE name = 'last'")
        return str(rows[0][0]) if rows else ""

    def set_last(self, conversation: str) -> None:
        """Remember which conversation is open."""
        if not conversation and not self._begun:
            return
        with self._writing() as conn:
            conn.execute("INSERT OR REPLACE INTO facts VALUES ('last', ?)", [conversation])

    def remove(self, conversation: str) -> None:
        """Take a conversation out of every list; `restore` brings it back until `purge`."""
        self._change("UPDATE conversations SET removed = ? WHERE id = ?", time.time(), conversation)

    def restore(self, conversation: str) -> None:
        """Bring a removed conversation back; raises `ConversationError` when it is gone."""
        self._change("UPDATE conversations SET removed = 0 WHERE id = ?", conversation)

    def purge(self) -> list[str]:
        """Delete all removed conversations for good and return their ids.

        No word of them is left in the file, its log or its backups. What a
        model read of them is deleted by whoever keeps that.
        """
        gone = [row[0] for row in self._rows("SELECT id FROM conversations WHERE removed > 0")]
        if not gone or self._conn is None:
            return []
        with self._writing() as conn:
            for conversation in gone:
                _delete(conn, conversation)
        with self._errors():
            scrub(self._conn, self._path)
        return gone

    def damaged_copies(self) -> list[Path]:
        """Return damaged files that were set aside; they may hold what was deleted since."""
        return set_aside(self._folder)

    @property
    def _begun(self) -> bool:
        """Whether there is a file: none is made only to say that it is empty."""
        return self._conn is not None or self._path.exists()

    def _titled(self, wanted: Sequence[str]) -> list[Hit]:
        clauses = " AND ".join(["c.title LIKE ? ESCAPE '\\'"] * len(wanted))
        rows = self._rows(
            f"SELECT {COLUMNS} FROM conversations c WHERE removed = 0 AND {clauses} "  # noqa: S608
            "ORDER BY c.updated DESC LIMIT ?",
            [*(f"%{_escaped(word)}%" for word in wanted), HITS],
        )
        return [Hit(_chat(row), 0, "") for row in rows]

    def _change(self, statement: str, *values: Any) -> None:
        with self._writing() as conn:
            if not conn.execute(statement, values).rowcount:
                raise _missing(str(values[-1]))

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        if not self._begun:
            return []
        with self._errors():
            return self._open().execute(query, values).fetchall()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._errors(), transaction(self._open()) as conn:
            yield conn

    def _open(self) -> sqlite3.Connection:
        if self._conn is None:
            self._conn, self.note = open_database(self._folder, self._migrations)
        return self._conn

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise storage_error(error, self._folder) from error


def _delete(conn: sqlite3.Connection, conversation: str) -> None:
    query = "SELECT id, text FROM messages WHERE conversation = ?"
    for number, text in conn.execute(query, [conversation]).fetchall():
        # An index without content needs the words again to take them out.
        conn.execute(
            "INSERT INTO words (words, rowid, body, parts) VALUES ('delete', ?, ?, ?)",
            [number, text, parts_of(text)],
        )
        conn.execute("DELETE FROM details WHERE message = ?", [number])
    conn.execute("DELETE FROM messages WHERE conversation = ?", [conversation])
    conn.execute("DELETE FROM drafts WHERE conversation = ?", [conversation])
    conn.execute("DELETE FROM facts WHERE name = 'last' AND value = ?", [conversation])
    conn.execute("DELETE FROM conversations WHERE id = ?", [conversation])


def _chat(row: Sequence[Any]) -> Chat:
    return Chat(row[0], row[1], bool(row[2]), row[3], row[4])


def _kept(row: Sequence[Any]) -> Kept:
    *columns, data = row
    kept = Kept(*columns)
    if data is None:
        return kept
    try:
        about = json.loads(zlib.decompress(data))
        answer = answer_from_data(about, kept.text, kept.model, kept.finish)
    except (ValueError, KeyError, TypeError, zlib.error):
        return kept  # details that cannot be read must not hide what was said
    return replace(kept, answer=answer)


def _packed(data: dict[str, Any]) -> bytes:
    return zlib.compress(sound(json.dumps(data, ensure_ascii=False)).encode(), 6)


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _missing(conversation: str) -> ConversationError:
    return ConversationError(
        f"There is no conversation {conversation}.",
        "'commonplace chats PATH list' names those that are there.",
    )
