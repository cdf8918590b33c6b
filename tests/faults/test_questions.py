"""Whatever is asked, the answer is passages or one clear sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commonplace.errors import QuestionError
from commonplace.memory.project import Memory
from commonplace.paths import StatePaths
from faults.programs import assert_told, run, run_json, write_settings
from faults.trees import grow, put
from faults.truth import listing

ODD = {
    "punctuation": "?!.,;:…—()[]{}<>/\\|@#$%^&*~`'\"",
    "stop words": "what is the of and how do I where are they",
    "operators": 'AND OR NOT NEAR(a b, 3) * "x" ^y path : z -w (q) {u}',
    "half a string": '"unclosed',
    "a column": "path : add_zq51n1_0",
    "quotes of SQL": "'; DROP TABLE chunks; -- \" ' ''",
    "nul": "add\0zq51n1\0",
    "only nul": "\0",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 😀",
    "right to left": "איפה הפונקציה \u202eadd_zq51n1_0\u202c أين",
    "cjk": "在哪里加载配置文件 どこで 어디",
    "combining": "e\u0301" * 500,
    "a lone surrogate": "caf\udce9 \ud800 add_zq51n1_0",
    "100,000 letters": "a" * 100_000,
    "100,000 characters": "where is add_zq51n1_0? " * 4348,
    "100,000 underscores": "_" * 100_000,
    "many paths": "a/b.c:1 " * 12_500,
    "slashes": "a/" * 50_000,
    "dots": "a." * 50_000,
    "camels": "aB" * 50_000,
    "a line far away": 'File "file1.py", line 99999999999999999999999999',
    "a line of 5000 digits": "at file1.py:" + "9" * 5000 + "\nat file2.py:1",
    "digits of another script": 'File "file1.py", line ١٢',
    "only underscores": "___ __ _",
    "a minus": "-",
    "a NUL byte's name": "%00 \\0 \\x00",
}


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    base = tmp_path_factory.mktemp("questions")
    root = base / "project"
    grow(root, 40, seed=51)
    put(root, "cjk.md", "# 配置\n\n在哪里加载配置文件 どこで\n")
    state = StatePaths(*(base / name for name in ("config", "data", "cache")))
    with closing(Memory(root, state, embedder="hash")) as memory:
        memory.refresh()
        memory.embed()
        yield memory


@pytest.mark.parametrize("name", ODD)
def test_an_odd_question_finds_passages_or_nothing(name, memory):
    found = memory.search(ODD[name], 5)
    assert len(found.passages) <= 5
    assert found.ms < 10_000
    assert found.to_wire()["passages"] is not None


@pytest.mark.parametrize("question", ["", " ", "\n\t \u2003"])
def test_an_empty_question_is_refused(question, memory):
    with pytest.raises(QuestionError, match="empty"):
        memory.search(question, 5)


@pytest.mark.parametrize("limit", [1, 7, 10_000])
def test_any_limit_is_kept(limit, memory):
    assert len(memory.search("add_zq51n1_0", limit).passages) <= limit


@given(st.text(max_size=200))
@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_text_breaks_a_search(memory, text):
    try:
        assert len(memory.search(text, 3).passages) <= 3
    except QuestionError:
        assert not text.strip()


def test_the_index_is_as_it_was_after_hostile_questions(memory):
    before = memory.files()
    memory.search(ODD["quotes of SQL"], 5)
    assert memory.files() == before
    assert memory.search("add_zq51n1_0", 5).passages


@pytest.mark.parametrize("command", ["search", "ask"])
def test_commands_refuse_an_empty_question_in_one_line(command, root, state):
    write_settings(state)
    put(root, "file.py", "x = 1\n")
    assert_told(run(command, root, " "), "empty", "Type")


def test_commands_take_bytes_that_are_no_text(root, state):
    write_settings(state)
    put(root, "größe 文.py", "größe = 1\n")
    before = listing(root)
    for question in (b"caf\xe9 gr\xc3\xb6\xc3\x9fe", "größe".encode()):
        for form in ((), ("--json",)):
            done = run("search", root, question, *form)
            assert (done.returncode, done.stderr) == (0, "")
            assert ".py" in done.stdout
    done = run("search", root, "größe", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert run_json("index", root)["files"] == 1
    assert listing(root) == before


def test_a_folder_whose_name_is_no_text_can_be_used_from_the_command_line(tmp_path, state):
    write_settings(state)
    root = Path(f"{tmp_path}/caf\udce9")
    root.mkdir()
    put(root, "file.py", "größe = 1\n")
    for command in (("index", root), ("search", root, "größe")):
        for form in ((), ("--json",)):
            done = run(*command, *form)
            assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert_told(run("index", root / "missing"), "does not exist")


@pytest.mark.parametrize("line", ["{", "[]", "null", '{"q": 1}', "\udc80"])
def test_a_bad_line_of_queries_is_told_by_number(line, root, state, tmp_path):
    write_settings(state)
    put(root, "file.py", "x = 1\n")
    queries = tmp_path / "queries.jsonl"
    queries.write_bytes(f'{{"query": "x"}}\n{line}\n'.encode("utf-8", "surrogateescape"))
    done = run("search", root, "--queries", queries)
    assert done.returncode in {1, 2}
    assert "Traceback" not in done.stderr
