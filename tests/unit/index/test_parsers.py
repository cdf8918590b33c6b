"""Parser processes: the same index as without them, whatever befalls one of them."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commonplace.errors import CancelledError
from commonplace.index import parsers, reading
from commonplace.index.entries import file_entries, from_frame, to_frame
from commonplace.index.parsers import Parser, ParserLostError, Parsers
from commonplace.index.parsing import read_frame
from commonplace.memory.background import NICENESS, _give_way
from commonplace.memory.project import Memory
from commonplace.paths import worker_command
from commonplace.workspace.files import FileStat

SOURCES = {
    "a.py": '"""Words."""\n\nclass Alpha:\n    def run_it(self):\n        return 1  # why\n',
    "b.md": "# Title\n\nText – with dashes.\n\n## More\n",
    "c.c": "int main(void) { return 0; } /* end */\n",
    "d.bin": "\0\0",
    "e.txt": "",
    "f.js": "export const go = () => 1\n" * 200,
}


@pytest.fixture(scope="module")
def parser():
    parser = Parser()
    yield parser
    parser.stop()


@pytest.fixture
def many(monkeypatch):
    """Make every project one of many files."""
    monkeypatch.setattr(reading, "MANY_BYTES", 0)


def tables(memory):
    rows = memory.store.db.conn.execute
    return [
        list(rows("SELECT path, hash, language, reason FROM files ORDER BY id")),
        list(rows("SELECT * FROM chunks ORDER BY id")),
        list(rows("SELECT * FROM names ORDER BY name, chunk_id")),
    ]


def read_anew(project, state):
    """Index a project from nothing and return what is stored."""
    memory = Memory(project, state, embedder="none")
    memory.store.rebuild()
    memory.refresh()
    found = tables(memory)
    memory.close()
    return found


def doctored(monkeypatch, program):
    """Let parser processes run `program` before they do their work."""
    serve = "from commonplace.index import parsing; real = parsing.file_entries\n"
    end = "\nparsing.main()"
    command = [sys.executable, "-c", serve + program + end]
    monkeypatch.setattr(parsers, "worker_command", lambda _: command)


@pytest.mark.parametrize("path", SOURCES)
def test_a_process_gives_what_a_call_gives(parser, path):
    data = SOURCES[path].encode()
    assert parser.parse(path, data) == file_entries(path, data)


@given(
    st.sampled_from(["x.py", "x.c", "x.rs", "x.md", "x.json", "x", "ä\ud800.go"]),
    st.one_of(st.binary(max_size=400), st.text(max_size=400).map(str.encode)),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_give_the_same_in_a_process(parser, path, data):
    entries = file_entries(path, data)
    assert parser.parse(path, data) == entries
    assert from_frame(*to_frame(entries)) == entries


def test_the_index_is_the_same_with_and_without(make_project, state, monkeypatch):
    project = make_project(
        {f"{n}/{name}": text for name, text in SOURCES.items() for n in range(9)}
    )
    alone = read_anew(project, state)
    monkeypatch.setattr(reading, "MANY_BYTES", 0)
    monkeypatch.setattr(parsers, "FILES_AHEAD", 5)
    assert read_anew(project, state) == alone


def test_a_file_that_crashes_is_cut_by_lines_and_remembered(make_project, state, monkeypatch, many):
    crash = 'parsing.file_entries = lambda p, d: os.abort() if p == "bad.py" else real(p, d)'
    doctored(monkeypatch, f"import os; {crash}")
    sources = {f"f{n}.py": f"def f{n}(): pass\n" for n in range(20)}
    project = make_project({**sources, "bad.py": "def bad(): pass\n"})
    for _ in range(2):
        memory = Memory(project, state, embedder="none")
        memory.refresh()
        names = {row[0] for row in memory.store.db.conn.execute("SELECT symbol FROM chunks")}
        assert names == {"", *(f"f{n}" for n in range(20))}
        assert memory.search("bad", 1).passages[0].path == "bad.py"
        assert len(memory._indexer._trials.failed) == 1
        memory.close()
        (project / "f1.py").touch()


def test_a_process_killed_by_chance_costs_nothing(make_project, state, monkeypatch, many):
    project = make_project({f"f{n}.py": f"def f{n}(): pass\n" for n in range(40)})
    expected = read_anew(project, state)
    parse, killed = Parser.parse, []

    def killing(parser, path, data):
        if path in {"f3.py", "f30.py"} and path not in killed:
            killed.append(path)
            if parser._process is not None:
                parser._process.kill()
        return parse(parser, path, data)

    monkeypatch.setattr(Parser, "parse", killing)
    assert read_anew(project, state) == expected
    assert sorted(killed) == ["f3.py", "f30.py"]


def test_a_process_that_says_nothing_is_ended(make_project, state, monkeypatch, many):
    hang = 'parsing.file_entries = lambda p, d: time.sleep(99) if p == "slow.py" else real(p, d)'
    doctored(monkeypatch, f"import time; {hang}")
    monkeypatch.setattr(parsers, "PATIENCE", 0.3)
    monkeypatch.setattr(parsers, "POLL_SECONDS", 0.02)
    project = make_project({"slow.py": "def slow(): pass\n", "b.py": "def b(): pass\n"})
    memory = Memory(project, state, embedder="none")
    memory.refresh()
    assert memory.search("slow", 1).passages[0].symbol == ""
    memory.close()


@pytest.mark.parametrize("program", ["/does/not/exist", "false"])
def test_without_processes_it_reads_here(make_project, state, monkeypatch, many, program):
    project = make_project({f"f{n}.py": f"def f{n}(): pass\n" for n in range(5)})
    expected = read_anew(project, state)
    monkeypatch.setattr(parsers, "worker_command", lambda _: [program])
    assert read_anew(project, state) == expected


def test_a_stop_ends_all_processes_at_once(make_project, state, monkeypatch, many):
    doctored(monkeypatch, "import time; parsing.file_entries = lambda p, d: time.sleep(60)")
    project = make_project({f"f{n}.py": "x = 1\n" for n in range(50)})
    memory = Memory(project, state, embedder="none")
    others = psutil.Process().children()
    began = time.monotonic()
    with pytest.raises(CancelledError):
        memory.refresh(stop=lambda: time.monotonic() - began > 1)
    assert time.monotonic() - began < 30
    assert psutil.Process().children() == others
    assert not memory._indexer._trials.failed
    memory.close()


def test_results_come_in_order_whoever_is_first():
    stats = [FileStat(f"{n}", n % 7, 0, 0, 0) for n in range(100)]

    def work(stat):
        time.sleep(0.002 * (stat.size == 0))
        return stat

    with Parsers(4) as some:
        assert list(some.in_order(stats, work, lambda: False)) == stats


def test_a_lost_process_is_told_and_replaced():
    parser = Parser()
    parser.parse("a.py", b"x = 1\n")
    parser._process.kill()
    with pytest.raises(ParserLostError):
        parser.parse("a.py", b"x = 1\n")
    assert parser.parse("a.py", b"x = 1\n").language == "python"
    parser.stop()


def test_it_ends_with_its_parent():
    program = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen({worker_command('parser')!r}, stdin=subprocess.PIPE, "
        "stdout=subprocess.PIPE)\n"
        "print(child.pid, flush=True); child.stdout.read(14); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        child = psutil.Process(int(json.loads(parent.stdout.readline())))
        parent.kill()
    child.wait(timeout=30)


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_it_outlives_an_interrupt():
    with subprocess.Popen(
        worker_command("parser"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        read_frame(child.stdout)
        os.kill(child.pid, signal.SIGINT)
        child.stdin.close()
        assert child.wait(timeout=30) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only there threads have a niceness")
def test_it_gives_way_as_the_thread_does_that_started_it():
    def niceness():
        parser = Parser()
        parser.parse("a.py", b"x = 1\n")
        found = psutil.Process(parser._process.pid).nice()
        parser.stop()
        return found

    def behind():
        _give_way()
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(niceness).result()

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(behind).result() == NICENESS
    assert niceness() == psutil.Process().nice()
