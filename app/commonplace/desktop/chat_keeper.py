"""The conversations of the open project, seen from the window.

One thread owns the file, so that no disk, however slow, holds the window up and
changes arrive in the order in which they were made. Results come back as signals.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from commonplace.chat.kept import Chat, Hit, Kept
from commonplace.desktop.background import Background
from commonplace.errors import CommonplaceError, ConversationError
from commonplace.paths import StatePaths

FINISH_MS = 3000


@dataclass(frozen=True, slots=True)
class Opened:
    """A conversation as it was read: every message, the end of its branch, its draft.

    An empty `id` is the conversation to come.
    """

    id: str = ""
    messages: tuple[Kept, ...] = ()
    leaf: int = 0
    draft: str = ""


class ChatKeeper(QObject):
    """Keeps, lists, finds and deletes the conversations of one project at a time."""

    listed = Signal(object)
    """All conversations (`Chat`), after anything about them changed."""
    found = Signal(str, object)
    """The words that were looked for, and the `Hit` objects."""
    opened = Signal(object)
    """An `Opened` that was asked for."""
    deleted = Signal(object)
    """Ids of conversations that are gone for good."""
    lost = Signal(str)
    """This conversation was deleted by another program while it was open."""
    exported = Signal(str)
    failed = Signal(object)
    told = Signal(str)

    def __init__(self, paths: StatePaths, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._paths = paths
        self._work = Background(self, threads=1)
        self._store: _Slot | None = None
        self._words = ""
        self._searching = 0
        self._reads = 0

    def open(self, path: Path) -> None:
        """Take up the project at `path`, in place of the one before."""
        self.close()
        self._store = _Slot(self._paths, path)
        self._run(_finish_deleting, self._deleted)
        self._list()

    def close(self) -> None:
        """Let go of the file once everything is written."""
        slot, self._store, self._words = self._store, None, ""
        if slot is not None:
            self._work.run(slot.close, _ignore, _ignore)

    def finish(self) -> None:
        """Write everything and close, at the end of the program."""
        self.close()
        self._work.drain(FINISH_MS)

    def read(self, conversation: str) -> None:
        """Read a conversation and remember it as the last one; `opened` follows."""
        self._read(lambda _store: conversation)

    def read_last(self) -> None:
        """Read the conversation that was open last; `opened` follows."""
        self._read(lambda store: str(store.last))

    def find(self, words: str) -> None:
        """Look for `words`; `found` follows, unless other words are asked for meanwhile."""
        self._words = words
        self._searching += 1

        def look(store: Any, ticket: int = self._searching) -> list[Hit] | None:
            return store.find(words) if ticket == self._searching else None

        self._run(look, partial(self._found, words))

    def keep(self, message: Kept) -> None:
        """Keep a message; `lost` follows if its conversation is gone."""

        def work(store: Any) -> bool:
            try:
                store.keep(message)
            except ConversationError:
                return False
            return True

        def kept(there: bool) -> None:
            if not there:
                self.lost.emit(message.conversation)

        self._run(work, kept)
        self._list()

    def open_new(self) -> None:
        """Remember that a new conversation is open, and read its draft."""
        self._read(lambda _store: "")

    def set_draft(self, conversation: str, text: str) -> None:
        """Keep what is typed."""
        self._run(lambda store: store.set_draft(conversation, text), _ignore)

    def read_from(self, conversation: str, leaf: int) -> None:
        """Remember which branch is read."""
        self._run(lambda store: store.read_from(conversation, leaf), _ignore)

    def set_last(self, conversation: str) -> None:
        """Remember which conversation is open."""
        self._run(lambda store: store.set_last(conversation), _ignore)

    def rename(self, conversation: str, title: str) -> None:
        """Call a conversation `title`."""
        self._change(lambda store: store.rename(conversation, title))

    def pin(self, conversation: str, *, pinned: bool) -> None:
        """Pin a conversation, or let it go."""
        self._change(lambda store: store.pin(conversation, pinned=pinned))

    def remove(self, conversation: str) -> None:
        """Take a conversation out of the list; `purge` deletes it for good."""
        self._change(lambda store: store.remove(conversation))

    def restore(self, conversation: str) -> None:
        """Bring a removed conversation back."""
        self._change(lambda store: store.restore(conversation))

    def purge(self) -> None:
        """Delete what was removed, for good; `deleted` follows."""
        self._run(_finish_deleting, self._deleted)

    def export(self, conversation: str, target: Path) -> None:
        """Write a conversation to `target`: as JSON by its name, else as Markdown."""
        self._run(lambda store: _export(store, conversation, target), self.exported.emit)

    def _read(self, choose: Callable[[Any], str]) -> None:
        """Read a conversation; one that was asked for before and not read yet is forgotten."""
        self._reads += 1
        ticket = self._reads

        def deliver(opened: Opened) -> None:
            if ticket == self._reads:
                self.opened.emit(opened)

        self._run(lambda store: _read(store, choose(store)), deliver)

    def _list(self) -> None:
        self._run(lambda store: (store.chats(), store.note), self._listed)
        if self._words:
            self.find(self._words)

    def _listed(self, outcome: tuple[list[Chat], str]) -> None:
        chats, note = outcome
        self.listed.emit(chats)
        if note:
            self.told.emit(note)

    def _found(self, words: str, hits: list[Hit] | None) -> None:
        if hits is not None and words == self._words:
            self.found.emit(words, hits)

    def _deleted(self, outcome: tuple[list[str], list[Path]]) -> None:
        gone, copies = outcome
        if gone:
            self.deleted.emit(gone)
        if gone and copies:
            names = ", ".join(str(path) for path in copies)
            self.told.emit(self.tr("A damaged copy may still hold it: {0}").format(names))

    def _change(self, change: Callable[[Any], None]) -> None:
        self._run(change, _ignore)
        self._list()

    def _run(self, work: Callable[[Any], Any], on_result: Callable[[Any], None]) -> None:
        """Do `work` with the store of now; what belongs to a project that is left is dropped."""
        slot = self._store
        if slot is None:
            return

        def deliver(value: Any) -> None:
            if slot is self._store:
                on_result(value)

        self._work.run(lambda: work(slot.store), deliver, self._fail)

    def _fail(self, error: CommonplaceError) -> None:
        self.failed.emit(error)


class _Slot:
    """The store of one project, made by the thread that uses it: its folder may be slow."""

    def __init__(self, paths: StatePaths, path: Path) -> None:
        self._paths = paths
        self._path = path
        self._store: Any = None

    @property
    def store(self) -> Any:
        if self._store is None:
            # Loaded here and not above: SQLite is not needed before a project is open.
            from commonplace.chat.store import ConversationStore

            self._store = ConversationStore(self._paths.project_data(self._path.resolve()))
        return self._store

    def close(self) -> None:
        if self._store is not None:
            self._store.close()


def _read(store: Any, conversation: str) -> Opened:
    if conversation and not any(chat.id == conversation for chat in store.chats()):
        conversation = ""  # deleted by another program, or taken out of the list
    if conversation != store.last:
        store.set_last(conversation)
    messages = tuple(store.messages(conversation)) if conversation else ()
    return Opened(conversation, messages, store.leaf(conversation), store.draft(conversation))


def _finish_deleting(store: Any) -> tuple[list[str], list[Path]]:
    return store.purge(), store.damaged_copies()


def _export(store: Any, conversation: str, target: Path) -> str:
    import json

    from commonplace.chat.export import to_json, to_markdown
    from commonplace.storage.files import write_atomically

    chat, messages = store.chat(conversation), store.messages(conversation)
    leaf = store.leaf(conversation)
    if target.suffix.lower() == ".json":
        text = json.dumps(to_json(chat, messages, leaf), ensure_ascii=False, indent=1) + "\n"
    else:
        text = to_markdown(chat, messages, leaf)
    write_atomically(target, text.encode())
    return str(target)


def _ignore(_value: object) -> None:
    """There is nothing to tell."""
