"""Recall over a small project: the right lines first, with reasons, true on the disk."""

from dataclasses import replace

import pytest

from commonplace.errors import QuestionError
from commonplace.index.rows import ChunkRow
from commonplace.memory.project import Memory
from commonplace.recall.search import _Disk

FILES = {
    "src/session.py": (
        "class Session:\n"
        '    """Keeps cookies and connections between requests."""\n\n'
        "    def __init__(self):\n"
        "        self.cookies = {}\n"
        "        self.adapters = []\n"
        "        self.trust = True\n\n"
        "    def send_request(self, request, timeout):\n"
        '        """Send a prepared request through its adapter."""\n'
        "        adapter = self.get_adapter(request.url)\n"
        "        response = adapter.send(request, timeout)\n"
        "        self.cookies.update(response.cookies)\n"
        "        return response\n\n"
        "    def get_adapter(self, url):\n"
        "        for adapter in self.adapters:\n"
        "            if adapter.handles(url):\n"
        "                return adapter\n"
        "        raise LookupError(url)\n"
    ),
    "src/retry.py": (
        "def backoff_delays(attempts, base):\n"
        '    """Yield growing delays, in seconds, between attempts."""\n'
        "    for attempt in range(attempts):\n"
        "        yield base * 2 ** attempt\n\n\n"
        "class RetryPolicy:\n"
        "    maximum = 5\n"
        "    base = 0.1\n"
        "    status_codes = (502, 503)\n"
        "    methods = ('GET',)\n"
    ),
    "tests/test_session.py": (
        "from session import Session\n\n\n"
        "def test_send_request():\n"
        "    session = Session()\n"
        "    assert session.send_request(request, 1).ok\n"
        "    assert session.cookies\n"
    ),
    "README.md": "# Courier\n\nA small client.\n\n## Retries\n\nFailed requests are sent again.\n",
}


@pytest.fixture
def memory(make_project, state):
    memory = Memory(make_project(FILES), state, embedder="hash")
    memory.refresh()
    memory.embed()
    memory.report(phase="ready")
    yield memory
    memory.close()


def test_a_symbol_finds_its_definition_first(memory):
    found = memory.search("send_request", 5)
    assert found.shape == "symbol"
    first = found.passages[0]
    assert (first.path, first.symbol) == ("src/session.py", "Session.send_request")
    assert any("defines" in reason for reason in first.reasons)
    assert memory.search("sendRequest", 5).passages[0].symbol == "Session.send_request"
    assert memory.search("Session.send_request", 5).passages[0].symbol == "Session.send_request"


def test_a_sentence_finds_the_code_before_its_test(memory):
    paths = [p.path for p in memory.search("where are cookies kept between requests?", 5).passages]
    assert paths[0] == "src/session.py"


def test_tests_are_not_demoted_when_asked_for(memory):
    paths = [p.path for p in memory.search("test for send request of session", 3).passages]
    assert paths[0] == "tests/test_session.py"


def test_a_stack_trace_leads_to_its_line(memory):
    trace = (
        'Traceback (most recent call last):\n  File "/home/x/src/session.py", line 20, in get\n'
        "LookupError: http://a"
    )
    first = memory.search(trace, 3).passages[0]
    assert first.path == "src/session.py"
    assert first.start_line <= 20 <= first.end_line
    assert "named by the stack trace" in first.reasons


def test_a_path_finds_its_file(memory):
    assert memory.search("src/retry.py", 3).passages[0].path == "src/retry.py"


def test_every_passage_says_why_and_where(memory):
    for passage in memory.search("retry backoff delays", 5).passages:
        assert passage.reasons
        lines = (memory.root / passage.path).read_text().split("\n")
        assert "\n".join(lines[passage.start_line - 1 : passage.end_line]) == passage.text


def test_a_passage_that_moved_is_reported_where_it_is_now(memory):
    path = memory.root / "src/retry.py"
    path.write_text("import os\n\n\n" + path.read_text())
    first = memory.search("backoff_delays", 1).passages[0]
    assert first.start_line == 4


def test_a_passage_that_is_gone_is_never_shown(memory):
    told = []
    (memory.root / "src/retry.py").write_text("nothing = 0\n")
    (memory.root / "README.md").unlink()
    found = memory.search("backoff_delays retries", 10, on_stale=told.append)
    assert all(p.path not in {"src/retry.py", "README.md"} for p in found.passages)
    assert {"src/retry.py", "README.md"} <= set(told)


@pytest.mark.parametrize("text", ["", "  \n", "\0"])
def test_an_empty_question_is_a_clear_error(memory, text):
    if text == "\0":
        assert memory.search(text, 5).passages == ()
    else:
        with pytest.raises(QuestionError):
            memory.search(text, 5)


@pytest.mark.parametrize(
    "text",
    ["session AND (", '"', "col:umn*", "NEAR(a b)", "'; DROP TABLE files; --", "^x", "???",
     "-session", "the of and", "漢字", "🎉", "x " * 50_000],
)  # fmt: skip
def test_no_question_is_syntax(memory, text):
    memory.search(text, 5)
    assert memory.files()


def test_the_question_is_answered_while_the_index_is_built(memory):
    memory.report(phase="reading")
    assert "still being built" in memory.search("session", 3).note


def test_of_equal_lines_those_are_meant_that_were_found(tmp_path):
    body = "def close(self):\n    self.handle.close()\n    self.handle = None\n    return True\n"
    text = f"class A:\n    x = 1\n\n\n{body}\n\nclass B:\n    y = 2\n\n\n{body}"
    row = ChunkRow(1, "a.py", "python", 15, 18, "function", "close", body.rstrip("\n"))
    disk = _Disk(lambda _: text.encode())
    assert text.split("\n")[14] == "def close(self):"
    assert disk.locate(row) == 15
    assert disk.locate(replace(row, start_line=9)) == 5
    assert disk.locate(replace(row, text="def open(self):")) is None
