"""Conversations are kept, found, branched, and deleted so that no byte is left."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from commonplace.chat import kept
from commonplace.chat.database import FILE_NAME, MIGRATIONS, open_database
from commonplace.chat.kept import end_of, new_id, path_to, sound, versions_of
from commonplace.chat.searching import words_in
from commonplace.chat.store import ConversationStore
from commonplace.errors import ConversationError, StorageError
from unit.chat.conversations import answer, asked, said

ODD = "\u202eevil\u202c \x00\x07\x1b[31m \u200b tab\t é \U0001f600 'quote\" %_\\ end"


@pytest.fixture
def store(tmp_path):
    with closing(ConversationStore(tmp_path)) as store:
        yield store


def bytes_below(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def put(store, name, *questions):
    parent, kept = 0, []
    for text in questions:
        question = asked(name, text, parent)
        reply = said(question, f"About {text}")
        store.keep(question)
        store.keep(reply)
        kept += [question, reply]
        parent = reply.id
    return kept


def test_an_answer_comes_back_with_everything_it_rests_on(store, tmp_path):
    question, reply = put(store, "c1", "where is a?")
    with closing(ConversationStore(tmp_path)) as other:
        assert other.messages("c1") == [question, reply]
        assert other.leaf("c1") == reply.id
        turn = other.messages("c1")[1].answer.turn("where is a?")
    assert turn == reply.answer.turn("where is a?")
    assert turn.asked == "[1] src/a.py\nwhere is a?"


def test_nothing_is_written_before_something_is_kept(store, tmp_path):
    assert store.chats() == []
    assert store.find("x") == []
    assert store.purge() == []
    assert (store.last, store.draft("")) == ("", "")
    store.set_draft("", " ")
    store.set_last("")
    assert list(tmp_path.iterdir()) == []


def test_the_list_has_pinned_ones_first_then_the_latest(store):
    for name in ("a", "b", "c"):
        put(store, name, f"question {name}")
    store.pin("a", pinned=True)
    assert [chat.id for chat in store.chats()] == ["a", "c", "b"]
    put(store, "b", "again")
    assert [chat.id for chat in store.chats()] == ["a", "b", "c"]
    store.rename("c", "  A better\nname ")
    store.rename("b", "   ")
    assert [chat.title for chat in store.chats()] == ["question a", "question b", "A better name"]


def test_words_are_found_in_messages_and_titles(store):
    put(store, "one", "how does loadSettings work?")
    put(store, "two", "what is snake_case_name for?", "and the Größe?")
    store.rename("one", "Reading 100% of_it")

    def found(words):
        return {hit.chat.id for hit in store.find(words)}

    assert found("settings") == found("loadsettings") == found("LOADS") == {"one"}
    assert found("snake_case_name") == found("case na") == found("grosse") | {"two"}
    assert found("größe snake") == set(), "all words stand in one message"
    assert found("100%") == found("of_it") == {"one"}
    assert found('what or not: "AND* (') == set()
    assert found("  !?") == set()
    hit = store.find("loadSettings")[0]
    assert "loadSettings" in hit.text
    assert hit.message


def test_versions_and_branches_stay_reachable(store):
    first, answer_1, second, answer_2 = put(store, "c", "one", "two")
    edited = asked("c", "one, edited", 0)
    store.keep(edited)
    retried = said(first, "another answer")
    store.keep(retried)
    messages = store.messages("c")
    assert path_to(messages, store.leaf("c")) == [first, retried]
    assert versions_of(messages, retried) == [answer_1.id, retried.id, edited.id]
    assert versions_of(messages, second) == [answer_2.id]
    assert end_of(messages, answer_1.id) == answer_2.id
    store.read_from("c", answer_2.id)
    assert path_to(messages, store.leaf("c")) == [first, answer_1, second, answer_2]


def test_a_clock_that_goes_back_keeps_the_order(monkeypatch):
    monkeypatch.setattr(kept, "_last_id", 0)  # and as it was when this is over
    monkeypatch.setattr(time, "time_ns", lambda: 5)
    parent = 9_000_000_000_000_000_000
    assert new_id(parent) > parent
    assert new_id() < new_id()


def test_drafts_survive_and_go_when_they_are_sent(store, tmp_path):
    put(store, "c", "x")
    store.set_draft("", f"half a question {ODD}")
    store.set_draft("c", "other")
    store.set_draft("gone", "not kept")
    assert store.draft("gone") == ""
    with closing(ConversationStore(tmp_path)) as other:
        assert other.draft("") == f"half a question {ODD}"
        other.set_draft("", "  ")
        assert other.draft("") == ""
        assert other.draft("c") == "other"


@pytest.mark.parametrize("text", [ODD, "x" * 2_000_000, "word " * 400_000, "\ud800 half"])
def test_any_text_comes_back_as_it_was(store, text):
    question = asked("c", text)
    store.keep(question)
    store.keep(said(question, text))
    messages = store.messages("c")
    assert [m.text for m in messages] == [sound(text)] * 2
    assert messages[1].answer is not None
    assert len(store.chats()[0].title) <= 81


def test_deleting_leaves_no_byte(store, tmp_path):
    secret = "xyzzyplugh"
    put(store, "stays", "something else")
    question = asked("goes", f"what is {secret}Marker and {secret}?")
    store.keep(question)
    store.keep(said(question, f"It is {secret}. " * 500))
    store.rename("goes", f"about {secret}")
    store.set_draft("goes", f"more {secret}")
    store.set_last("goes")
    assert any(secret.encode() in data for data in bytes_below(tmp_path).values())
    store.remove("goes")
    assert [chat.id for chat in store.chats()] == ["stays"]
    assert store.find(secret) == []
    store.restore("goes")
    assert store.find(secret)
    store.remove("goes")
    assert store.purge() == ["goes"]
    assert not [p for p, data in bytes_below(tmp_path).items() if secret.encode() in data.lower()]
    assert store.last == ""
    assert store.find("something")
    with pytest.raises(ConversationError):
        store.restore("goes")
    with pytest.raises(ConversationError):
        store.keep(asked("goes", "and then?", question.id))


def test_ids_can_be_shortened(store):
    put(store, "abc1", "x")
    put(store, "abd2", "y")
    assert store.named("abd").id == "abd2"
    with pytest.raises(ConversationError, match="2 conversations"):
        store.named("ab")
    with pytest.raises(ConversationError, match="There is no"):
        store.named("")


def test_details_that_cannot_be_read_do_not_hide_the_text(store):
    question, reply = put(store, "c", "x")
    store._conn.execute("UPDATE details SET data = x'00'")
    assert [m.text for m in store.messages("c")] == [question.text, reply.text]
    assert store.messages("c")[1].answer is None


def test_a_backup_is_made_before_a_migration(store, tmp_path):
    put(store, "c", "kept across versions")
    store.close()
    newer = (*MIGRATIONS, ("ALTER TABLE conversations ADD COLUMN colour TEXT",))
    with closing(ConversationStore(tmp_path, newer)) as migrated:
        assert len(migrated.messages("c")) == 2
        assert migrated._conn.execute("SELECT colour FROM conversations").fetchall() == [(None,)]
        backup = tmp_path / f"{FILE_NAME}.before-2"
        with closing(sqlite3.connect(backup)) as copy:
            assert copy.execute("PRAGMA user_version").fetchone() == (1,)
            assert copy.execute("SELECT count(*) FROM messages").fetchone() == (2,)
        migrated.remove("c")
        migrated.purge()
        assert not backup.exists(), "it held what was deleted"
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(StorageError, match="newer version"):
        ConversationStore(tmp_path).chats()
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_a_failed_migration_changes_nothing(store, tmp_path):
    put(store, "c", "x")
    store.close()
    bad = (*MIGRATIONS, ("CREATE TABLE extra (x)", "NOT SQL"))
    with pytest.raises(StorageError):
        ConversationStore(tmp_path, bad).chats()
    with closing(ConversationStore(tmp_path)) as again:
        assert len(again.messages("c")) == 2


@pytest.mark.parametrize("damage", ["no database", "a torn page"])
def test_a_damaged_file_is_set_aside_and_told(store, tmp_path, damage):
    put(store, "c", "before the damage " + "x " * 5000)
    store.close()
    path = tmp_path / FILE_NAME
    data = bytearray(path.read_bytes())
    data[:] = b"garbage" * 2000 if damage == "no database" else data[:8192] + os.urandom(8192)
    path.write_bytes(data)
    with closing(ConversationStore(tmp_path)) as again:
        assert again.chats() == []
        assert "damaged" in again.note
        [aside] = again.damaged_copies()
        assert aside.read_bytes() == data
        put(again, "d", "after it")
    with closing(ConversationStore(tmp_path)) as later:
        assert [chat.id for chat in later.chats()] == ["d"]
        assert later.note == ""


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be used"):
        put(ConversationStore(tmp_path / "file"), "c", "x")


def test_a_full_disk_loses_nothing_that_was_kept(store):
    kept_before = put(store, "c", "before")
    pages = store._conn.execute("PRAGMA page_count").fetchone()[0]
    store._conn.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StorageError, match=r"cannot be used.*Free some space"):
        put(store, "c", "x" * 200_000)
    assert store.messages("c") == kept_before
    store._conn.execute("PRAGMA max_page_count = 1000000")
    put(store, "c", "x" * 200_000)
    assert len(store.messages("c")) == 4


WRITER = """
import sys
from pathlib import Path
from commonplace.chat.store import ConversationStore
from unit.chat.conversations import asked, said
store = ConversationStore(Path(sys.argv[1]))
parent = 0
for n in range(10_000):
    question = asked("c", f"question {n} " + "x" * 3000, parent)
    store.keep(question)
    print(question.id, flush=True)
    reply = said(question, f"answer {n}")
    store.keep(reply)
    print(reply.id, flush=True)
    parent = reply.id
"""


def test_killed_at_any_moment_only_the_message_in_flight_is_lost(tmp_path):
    roots = os.pathsep.join(p for p in sys.path if p)
    for turn in range(4):
        folder = tmp_path / str(turn)
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": roots},
        ) as writer:
            lines = [writer.stdout.readline() for _ in range(10 + 7 * turn)]
            os.kill(writer.pid, signal.SIGKILL)
            lines += writer.stdout.readlines()
        told = [int(line) for line in lines if line.endswith(b"\n")]
        with closing(ConversationStore(folder)) as store:
            assert store.note == ""
            kept = [m.id for m in store.messages("c")]
            assert kept[: len(told)] == told
            assert len(kept) - len(told) <= 1
            assert [m.id for m in path_to(store.messages("c"), store.leaf("c"))] == kept
            store._conn.execute("INSERT INTO words (words) VALUES ('integrity-check')")


def test_two_processes_may_use_the_same_file(store, tmp_path):
    put(store, "c", "from the one")
    with closing(ConversationStore(tmp_path)) as other:
        put(other, "d", "from the other")
        other.remove("c")
        other.purge()
    assert [chat.id for chat in store.chats()] == ["d"]


def test_the_file_is_for_its_owner_alone(tmp_path):
    put(ConversationStore(tmp_path / "data"), "c", "x")
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0


def test_open_database_makes_the_newest_schema(tmp_path):
    conn, note = open_database(tmp_path)
    with closing(conn):
        assert conn.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert note == ""


NAMES = st.sampled_from(["a", "b", "c"])
TEXTS = st.text(max_size=40) | st.sampled_from(["loadSettings", "snake_case", "zebra Zebra"])


class Model(RuleBasedStateMachine):
    """Random operations against dictionaries."""

    def __init__(self):
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.store = ConversationStore(Path(self.folder.name))
        self.kept, self.leaf, self.pinned, self.gone, self.drafts = {}, {}, set(), set(), {}

    def teardown(self):
        self.store.close()
        self.folder.cleanup()

    @rule(name=NAMES, text=TEXTS, back=st.integers(0, 3), reply=TEXTS)
    def ask(self, name, text, back, reply):
        messages = self.kept.get(name, [])
        answers = [m.id for m in messages if m.role == "assistant"]
        parent = answers[-1 - back] if back < len(answers) else 0
        question = asked(name, text, parent)
        self.store.keep(question)
        answered = said(question, reply)
        self.store.keep(answered)
        self.kept.setdefault(name, []).extend([question, answered])
        self.leaf[name] = answered.id

    @rule(name=NAMES, on=st.booleans())
    def pin(self, name, on):
        if self._expects(name, lambda: self.store.pin(name, pinned=on)):
            self.pinned = self.pinned | {name} if on else self.pinned - {name}

    @rule(name=NAMES)
    def remove(self, name):
        if self._expects(name, lambda: self.store.remove(name)):
            self.gone.add(name)

    @rule(name=NAMES)
    def restore(self, name):
        if self._expects(name, lambda: self.store.restore(name)):
            self.gone.discard(name)

    @rule()
    def purge(self):
        assert set(self.store.purge()) == self.gone
        for name in self.gone:
            for held in (self.kept, self.leaf, self.drafts):
                held.pop(name, None)
        self.pinned -= self.gone
        self.gone = set()

    @rule(name=NAMES | st.just(""), text=TEXTS)
    def draft(self, name, text):
        self.store.set_draft(name, text)
        if name in self.kept or not name:
            self.drafts[name] = sound(text) if text.strip() else ""

    @rule()
    def reopen(self):
        self.store.close()

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def search(self, data):
        name = data.draw(st.sampled_from(sorted(self.kept)))
        text = data.draw(st.sampled_from([m.text for m in self.kept[name]]))
        # Beyond ASCII, SQLite's tables of letters are older than Python's.
        plain = words_in(text) if text.isascii() else []
        if plain:
            found = {hit.chat.id for hit in self.store.find(plain[0])}
            assert (name in found) == (name not in self.gone)
        assert {hit.chat.id for hit in self.store.find(text)} <= set(self.kept) - self.gone

    def _expects(self, name, change):
        if name in self.kept:
            change()
            return True
        with pytest.raises(ConversationError):
            change()
        return False

    @invariant()
    def the_same_is_there(self):
        shown = {chat.id: chat for chat in self.store.chats()}
        assert set(shown) == set(self.kept) - self.gone
        assert {name for name, chat in shown.items() if chat.pinned} == self.pinned - self.gone
        for name, messages in self.kept.items():
            assert [m.text for m in self.store.messages(name)] == [sound(m.text) for m in messages]
            assert self.store.leaf(name) == self.leaf[name]
        for name, text in self.drafts.items():
            assert self.store.draft(name) == text


Model.TestCase.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
TestAgainstAModel = Model.TestCase


def test_the_helper_answers_are_whole():
    assert answer().turn("where is a?").passages
