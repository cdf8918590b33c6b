"""Definitions, usages, importers and relations, asked of an index of real files."""

import pytest

from commonplace.errors import QuestionError
from commonplace.index.chunks import chunk_file
from commonplace.index.codeplaces import NamePlaces
from commonplace.index.references import number_of, numbers
from commonplace.index.structure import (
    definitions_of,
    importers_of,
    imports_of,
    places_of,
    relations,
    usages_of,
)
from commonplace.memory.project import Memory

FILES = {
    "pkg/__init__.py": "from .session import Session\n",
    "pkg/session.py": (
        "import json\n\n\n"
        "# send_all is not used in this comment\n"
        "class Session:\n"
        "    '''Opens a Session; see send_all.'''\n\n"
        "    def send_all(self, request):\n"
        "        text = 'send_all in a string'\n"
        "        return self.adapter.send(request, text)\n\n\n"
        "def send(request):\n"
        "    return Session().send_all(request)\n"
    ),
    "pkg/cli.py": (
        "from pkg.session import Session, send\nfrom pkg import session\n\n\n"
        "def main(sendAll=None):\n    s = Session()\n    s.send_all(1); s.send_all(2)\n"
    ),
    "pkg/lonely.py": "def alone():\n    return Session\n",
    "web/app.js": "import x from './lib.js'\nfunction sendAll() { return x.sendAll(); }\n",
    "web/lib.js": "export function other() {}\n",
    "README.md": "# Session\n\nCall `Session().send_all` to send.\n",
}


@pytest.fixture
def memory(make_project, state):
    opened = Memory(make_project(FILES), state, embedder="none")
    opened.refresh()
    yield opened
    opened.close()


@pytest.fixture
def conn(memory):
    reader = memory.store.reader()
    yield reader
    reader.close()


def at(places):
    return [(place.path, place.line) for place in places]


def test_definitions_are_found_by_name_and_by_dotted_name(conn):
    assert at(definitions_of(conn, "Session")) == [("README.md", 1), ("pkg/session.py", 5)]
    (place,) = definitions_of(conn, "Session.send_all")
    assert (place.path, place.line, place.symbol) == ("pkg/session.py", 8, "Session.send_all")
    assert place.text == "    def send_all(self, request):"
    assert definitions_of(conn, "Other.send_all") == []


def test_the_spelling_decides_where_it_can(conn):
    assert at(definitions_of(conn, "send_all")) == [("pkg/session.py", 8)]
    assert at(definitions_of(conn, "sendAll")) == [("web/app.js", 2)]
    assert at(definitions_of(conn, "SENDALL")) == [("pkg/session.py", 8), ("web/app.js", 2)]


def test_usages_are_lines_of_code_and_no_comments_or_strings(conn):
    assert at(usages_of(conn, "send_all")) == [
        ("pkg/cli.py", 7),
        ("pkg/session.py", 8),
        ("pkg/session.py", 14),
    ]
    found = places_of(conn, "Session.send_all")
    assert at(found.usages) == [("pkg/cli.py", 7), ("pkg/session.py", 14)]
    assert not found.more
    assert NamePlaces.from_wire(found.to_wire()) == found


def test_places_say_when_there_are_more(conn):
    found = places_of(conn, "Session", limit=1)
    assert len(found.usages) == 1
    assert found.more


@pytest.mark.parametrize("name", ["", "()", "1.2", '"'])
def test_what_is_no_name_is_refused(conn, name):
    with pytest.raises(QuestionError):
        places_of(conn, name)


def test_a_name_may_hold_anything(conn):
    for name in ("naïve", "a" * 5000, "x\0y", 'a"b', "send*", "\udc80a", "Session\n.send"):
        places_of(conn, name)


def test_imports_and_importers(conn):
    found = imports_of(conn, "pkg/cli.py")
    assert [(item.line, item.target, item.paths) for item in found] == [
        (1, "pkg/session/Session", ("pkg/session.py",)),
        (1, "pkg/session/send", ("pkg/session.py",)),
        (2, "pkg/session", ("pkg/session.py",)),
    ]
    importers = importers_of(conn, "pkg/session.py", limit=1)
    assert (importers.paths, importers.count) == (("pkg/__init__.py",), 2)
    assert importers_of(conn, "nowhere.py").count == 0


def test_relations_among_chunks(conn):
    rows = conn.execute("SELECT c.id, f.path FROM chunks c JOIN files f ON f.id = c.file_id")
    paths = dict(rows.fetchall())
    found = relations(conn, list(paths))
    edges = {(paths[a], paths[b]): weight for a, b, weight in found.references}
    assert edges["pkg/cli.py", "pkg/session.py"] > 0
    assert not any(start == "README.md" for start, _ in edges)
    assert set(found.imports) == {
        ("pkg/__init__.py", "pkg/session.py"),
        ("pkg/cli.py", "pkg/session.py"),
        ("web/app.js", "web/lib.js"),
    }
    assert found.importers["pkg/session.py"] == 2
    assert relations(conn, []).references == ()


def test_relations_follow_edits(memory, conn):
    (memory.root / "pkg/cli.py").write_text("def main():\n    return 1\n")
    memory.refresh()
    assert importers_of(conn, "pkg/session.py").paths == ("pkg/__init__.py",)
    (memory.root / "pkg/session.py").rename(memory.root / "pkg/other.py")
    memory.refresh()
    assert importers_of(conn, "pkg/other.py").count == 0
    assert [item.paths for item in imports_of(conn, "pkg/__init__.py")] == [()]


REFERENCES = {
    "a.py": "x = call_me(Thing)  # not_me\ny = 'nor_me'\n",
    "a.js": "const x = call_me(Thing); // not_me\nlet y = 'nor_me', z = \"nor_me\";\n",
    "a.go": 'package a\nvar x = call_me(Thing) // not_me\nvar y = "nor_me"\n',
    "a.rs": "fn f<'a>(x: &'a Thing) { call_me(x, 'c', \"nor_me\") } // not_me\n",
    "A.java": 'class A { Thing x = call_me("nor_me"); /* not_me */ }\n',
    "a.c": "Thing x = call_me('n', \"nor_me\"); /* not_me */\n",
    "a.cpp": 'Thing x = call_me<int>("nor_me"); // not_me\n',
    "a.cs": 'class A { Thing x = call_me("nor_me"); } // not_me\n',
    "a.php": "<?php\n$x = call_me(new Thing, 'nor_me'); // not_me\n",
    "a.rb": "x = call_me Thing, 'nor_me' # not_me\n",
    "a.kt": 'val x: Thing = call_me("nor_me") // not_me\n',
    "a.swift": 'let x: Thing = call_me("nor_me") // not_me\n',
    "a.sh": "call_me Thing 'nor_me' # not_me\n",
    "a.lua": "local x = call_me(Thing, 'nor_me') -- not_me\n",
    "a.ex": 'x = call_me(Thing, "nor_me") # not_me\n',
    "a.hs": "x = call_me Thing' \"nor_me\" -- not_me\n",
    "a.zig": 'const x: Thing = call_me("nor_me"); // not_me\n',
    "a.scala": 'val x: Thing = call_me("nor_me") // not_me\n',
}  # fmt: skip


@pytest.mark.parametrize("path", REFERENCES)
def test_references_are_the_identifiers_of_code(path):
    _, chunks = chunk_file(path, REFERENCES[path])
    held = {number for chunk in chunks for number in numbers(chunk.references)}
    assert number_of("call_me") in held
    assert number_of("Thing") in held
    assert not held & {number_of("not_me"), number_of("nor_me")}


def test_prose_and_data_refer_to_nothing():
    for path in ("a.md", "a.txt", "a.json", "a.yaml", "a.toml"):
        _, chunks = chunk_file(path, "call_me: Thing\n")
        assert all(chunk.references == b"" for chunk in chunks)
