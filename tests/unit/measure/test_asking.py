"""Questions whose answer is known: what they are made from, and that the answer is not in them."""

import shutil
import subprocess

import pytest

from commonplace.book.note import Anchor
from commonplace.measure import asking
from commonplace.measure.asking import rank_of, summarised
from commonplace.measure.grep import Grep
from commonplace.measure.history import changes, question_of
from commonplace.measure.questions import (
    Question,
    documentation,
    documentation_lines,
    undocumented,
    without_names,
)
from commonplace.measure.results import Asked
from commonplace.measure.snapshot import snapshot
from commonplace.measure.trees import Git, Tree, is_inside
from commonplace.memory.commits import Commit
from commonplace.paths import StatePaths
from commonplace.settings import Settings
from commonplace.workspace.files import never

PROJECT = {
    "store.py": '''
def keep(values, folder):
    """Write the values into a file of their own.

    The quokka is only named in this paragraph of the documentation.
    """
    path = folder / "values.txt"
    with path.open("w") as file:
        for value in values:
            file.write(value)
    return path
''',
    "net.js": """
/**
 * Opens a connection and waits for the greeting.
 * The numbat is only named here.
 */
function connect(address, timeout) {
  const socket = open(address);
  socket.timeout = timeout;
  socket.wait();
  return socket;
}
""",
    "notes.md": "# Reading\n\nNothing here opens or writes anything at all.\n",
}


LONG = 'def f():\n    """One.\n\n    More.\n    """\n    # 2'


@pytest.fixture
def taken(make_project, state):
    root = make_project(PROJECT)
    with snapshot(root, state, Settings(), never, lambda _status: None) as found:
        yield found


def test_documentation_becomes_questions_and_leaves_the_code(taken):
    items = documentation(taken, 10, 1)
    by_path = {item.path: item for item in items}
    assert by_path["store.py"].text == "Write the values into a file of their own."
    assert by_path["net.js"].text == "Opens a connection and waits for the greeting."
    for item, secret in (("store.py", "quokka"), ("net.js", "numbat")):
        assert secret not in by_path[item].code
        assert secret not in by_path[item].other_comments
        assert by_path[item].text not in by_path[item].code
    assert "file.write(value)" in by_path["store.py"].code
    assert "socket.wait()" in by_path["net.js"].code
    assert documentation(taken, 1, 1) == items[:1]


def test_nothing_of_the_documentation_can_be_found_in_what_is_asked(taken):
    items = documentation(taken, 10, 1)
    with asking.documentation_corpus(taken, items, never) as corpus:
        for word in ("quokka", "numbat"):
            ranks = corpus.ask(Question("documentation", word, ("store.py", "net.js")))
            found = dict(zip(ranks.systems, ranks.ranks, strict=True))
            assert found["grep"] == found["words"] == 0
            assert not corpus.conn.execute(
                "SELECT rowid FROM words WHERE words MATCH ?", [word]
            ).fetchall()
    plain = asking.corpus_of(taken).ask(Question("documentation", "quokka", ("store.py",)))
    assert plain.ranks == (1,) * len(plain.systems)


def test_all_systems_answer_with_files(taken):
    corpus = asking.corpus_of(taken)
    asked = corpus.ask(Question("documentation", "open a connection", ("net.js",)))
    assert asked.systems == asking.SYSTEMS
    assert all(rank in {1, 2, 3} for rank in asked.ranks)


@pytest.mark.parametrize(
    ("text", "comments", "lines"),
    [
        ('def f():\n    """One."""\n    x = 1  # two', '"""One."""\n# two', ['"""One."""']),
        (LONG, LONG.partition("\n")[2].replace("    # 2", "# 2").removeprefix("    "),
         ['"""One.', "", "    More.", '    """']),
        ("# One.\n# More.\ndef f():\n    # two", "# One.\n# More.\n# two", ["# One.", "# More."]),
        ("// One.\nint f() { // two", "// One.\n// two", ["// One."]),
        ("r'''One'''", "r'''One'''", ["r'''One'''"]),
        ('"""never closed', '"""never closed\n# x', ['"""never closed', "# x"]),
    ],
)  # fmt: skip
def test_documentation_ends_where_it_ends(text, comments, lines):
    assert documentation_lines(text, comments) == lines


def test_what_repeats_its_documentation_is_no_question(taken):
    item = documentation(taken, 1, 1)[0]
    repeated = item.whole + f"\n    # {item.text}\n"
    import dataclasses

    assert undocumented(dataclasses.replace(item, whole=repeated, comments='"""x."""')) is None


def test_names_of_the_answer_are_no_question():
    anchors = [Anchor.parse("src/a.py::f"), Anchor.parse("b.py:1-3")]
    asked = without_names("In src/a.py::f, that is a.py, and b.py: why", anchors)
    assert "a.py" not in asked
    assert "b.py" not in asked
    assert asked.endswith("why")


@pytest.mark.parametrize(
    ("message", "paths", "asked"),
    [
        ("Keep the order of the options", ["a.py"], True),
        ("Keep the order of the options", ["CHANGES.rst"], False),
        ("Keep the order of the options", [f"{n}.py" for n in range(11)], False),
        ("Fix it", ["a.py"], False),
        ("Merge branch 'main' into other", ["a.py"], False),
        ("Bump version to the next one", ["a.py"], False),
    ],
)
def test_some_commits_are_questions(message, paths, asked):
    assert (question_of(message, paths) is not None) == asked


def test_a_commits_question_is_what_a_person_would_ask():
    text = "Keep the order of the options\n\nUsers rely on it.\nFixes #3\n\nSigned-off-by: A"
    assert question_of(text, ["a.py", "CHANGES"]) == (
        "Keep the order of the options\nUsers rely on it.", ("a.py",)
    )  # fmt: skip


def test_the_same_seed_draws_the_same_commits():
    commits = [Commit(str(n), n, f"Change the thing number {n}", ("a.py",)) for n in range(50)]
    drawn = changes(commits, 5, 1)
    assert drawn == changes(commits, 5, 1) != changes(commits, 5, 2)
    assert [int(c.id) for c in drawn] == sorted(int(c.id) for c in drawn)
    assert len(changes(commits, 500, 1)) == 50


def test_grep_ranks_by_different_words_then_by_times():
    grep = Grep([("one", "alpha alpha alpha"), ("two", "alpha beta"), ("three", "Beta alpha beta")])
    assert grep.files_for("where is the alpha of beta?", 10) == ["three", "two", "one"]
    assert grep.files_for("alphabet", 10) == []
    grep.change("two", "alpha beta", "gamma")
    grep.put("three", None)
    assert grep.files_for("alpha beta", 10) == ["one"]


def test_ranks_are_summarised_by_source_and_system():
    def item(source, *ranks):
        return Asked(source, "q", ("a",), ("recall", "grep"), ranks)

    rows = summarised([item("notes", 1, 0), item("notes", 4, 2), item("history", 1, 1)], 1)
    assert [(r.source, r.system, r.n) for r in rows] == [
        ("notes", "recall", 2), ("notes", "grep", 2),
        ("history", "recall", 1), ("history", "grep", 1),
    ]  # fmt: skip
    recall, grep = rows[:2]
    assert (recall.hit1.value, recall.hit5.value, recall.mrr.value) == (0.5, 1.0, 0.625)
    assert recall.gain is None
    assert grep.gain is not None
    assert grep.gain.value == pytest.approx(0.625 - 0.25)
    assert summarised([], 1) == []


def test_a_system_that_was_not_always_there_is_left_out():
    some = [
        Asked("notes", "q", ("a",), ("recall", "vectors"), (1, 1)),
        Asked("notes", "q", ("a",), ("recall",), (1,)),
    ]
    assert [row.system for row in summarised(some, 1)] == ["recall"]


def test_the_rank_is_that_of_the_first_right_file():
    assert rank_of(("b", "c"), ("a", "c", "b")) == 2
    assert rank_of(("x",), ("a",)) == 0


@pytest.mark.parametrize(
    "path", ["../a", "a/../b", "/a", "a//b", ".git/config", "a/.GIT/hooks/x", "a\\b", "C:a", "."]
)
def test_paths_of_a_tree_stay_inside(path):
    assert not is_inside(path)
    assert is_inside("a/b c/é.py")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_past_is_asked_of_the_parents_files_alone(make_project, tmp_path):
    root = make_project({"a.py": "def walk():\n    return 1\n", "b.py": "x = 1\n"})

    def git(*arguments):
        who = ("-c", "user.name=A", "-c", "user.email=a@b")
        subprocess.run(["git", "-C", str(root), *who, *arguments], check=True, capture_output=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "Begin")
    (root / "a.py").write_text("def walk():\n    return 'wombat'\n")
    (root / "new.py").write_text("wombat = 1\n")
    (root / "link").symlink_to("/etc/passwd")
    git("add", ".")
    git("commit", "-qm", "Let walk return what it is called for")
    past = Git(root)
    assert sorted(past.files("HEAD")) == ["a.py", "b.py", "new.py"]  # the link is none of ours
    folder = tmp_path / "tree"
    folder.mkdir()
    state = StatePaths(*(tmp_path / name for name in ("config", "data", "cache")))
    asked = asking.Past(Tree(past, folder), folder, state, "none")
    change = changes(
        [
            Commit(
                past.head(), 0, "Let walk return what it is called for wombat", ("a.py", "new.py")
            )
        ],
        1,
        1,
    )[0]
    found = asked.ask(change, past.parent(change.id), None, never)
    assert found is not None
    assert found.answers == ("a.py",)
    assert dict(zip(found.systems, found.ranks, strict=True))["recall"] == 1
    assert "wombat" not in (folder / "a.py").read_text()
    assert not (folder / "new.py").exists()
    assert past.parent(past.parent(change.id)) == ""
    assert Git(tmp_path / "nowhere").head() == ""


def test_a_very_large_project_is_asked_without_grep(taken, monkeypatch):
    monkeypatch.setattr(asking, "GREP_FILES", 1)
    question = Question("documentation", "open a connection", ("net.js",))
    assert asking.corpus_of(taken).ask(question).systems == ("recall", "vectors", "words")
    with asking.documentation_corpus(taken, documentation(taken, 9, 1), never) as corpus:
        assert "grep" not in corpus.ask(question).systems
