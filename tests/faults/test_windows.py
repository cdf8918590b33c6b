"""Two windows, or a window and a command, on one project."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import closing

import pytest

from commonplace.errors import ProjectBusyError
from commonplace.memory.project import Memory
from faults.programs import MemoryWorker, assert_told, run, run_afresh, run_json, write_settings
from faults.trees import grow, put, source
from faults.truth import assert_index_is_disk


def test_the_second_window_is_told_while_the_first_goes_on(root, state):
    grow(root, 30, seed=31)
    with MemoryWorker() as first, MemoryWorker() as second:
        first.open(root)
        with pytest.raises(ProjectBusyError) as caught:
            second.open(root)
        assert "already open" in caught.value.message
        assert caught.value.remedy
        put(root, "later.py", source("zqlater", ".py"))
        first.wait_until_equal(root, lambda: assert_index_is_disk(root, state))
        assert first.ask("search", question="add_zqlater_1")["passages"][0]["path"] == "later.py"
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.stop()
        second.open(root)
        second.wait(lambda s: s.get("phase") == "ready")
        assert second.ask("search", question="add_zqlater_1")["passages"]


def test_commands_search_what_the_window_has_indexed(root, state):
    write_settings(state, "hash")
    grow(root, 30, seed=32)
    with MemoryWorker() as window:
        window.open(root)
        window.wait(lambda s: s.get("phase") == "ready")
        results = run_json("search", root, "add_zq32n1_0")["results"]
        assert results[0]["path"].rpartition("/")[2].startswith("file1.")
        answer = run("ask", root, "add_zq32n1_0", "--model", root / "none.gguf")
        assert_told(answer, "is not there")
        assert_told(run("index", root), "already open", "close it")


def test_commands_meet_a_window_that_has_only_begun(root, state):
    """Between the lock and the first commit there is nothing to search yet."""
    write_settings(state)
    put(root, "file.py", "x = 1\n")
    from commonplace.memory.project import lock_project

    state.project_cache(root.resolve()).mkdir(parents=True)
    lock = lock_project(state.project_cache(root.resolve()), root)
    try:
        for _ in range(2):
            assert_told(run("search", root, "anything"), "try again")
            (state.project_cache(root.resolve()) / "index.db").touch()
    finally:
        lock.release()
    assert run("search", root, "anything").returncode == 0


def test_many_commands_at_once_all_answer(root, state):
    write_settings(state, "hash")
    grow(root, 40, seed=33)
    done = []
    threads = [
        threading.Thread(target=lambda: done.append(run_afresh("search", root, "add_zq33n1_0")))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in done:
        assert result.returncode == 0 or "try again" in result.stderr, result.stderr
        assert "Traceback" not in result.stderr
    assert any(result.returncode == 0 for result in done)
    assert run("index", root).returncode == 0
    assert_index_is_disk(root, state)


def test_a_search_while_the_first_files_arrive_never_fails(root, state):
    """Statements of one search may see different moments of the index."""
    grow(root, 300, seed=34)
    with closing(Memory(root, state, embedder="hash")) as memory:
        failures: list[BaseException] = []
        ended = threading.Event()

        def ask() -> None:
            try:
                while not ended.is_set():
                    memory.search("where is add_zq34n1_0 and the value of file1", 5)
            except BaseException as error:  # noqa: BLE001 - whatever it is, the test shows it
                failures.append(error)

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(3):
                memory.refresh()
                memory.embed()
                for path in memory.files()[:200]:
                    (root / path).unlink()
                memory.refresh()
                grow(root, 300, seed=34)
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        assert failures == []
