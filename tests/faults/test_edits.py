"""A change of several files is made whole or not at all, whatever fails, and when."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from commonplace.edits.room import Edits
from commonplace.edits.system import System
from commonplace.errors import EditError, StorageError
from faults.edit_killer import AFTER, BEFORE, PLAN, files, fresh

CALLS = frozenset(
    {"write_new", "write_like", "replace", "publish", "unlink", "make_folder", "remove_folder"}
    | {"write", "done", "flush"}
)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_kill_after_any_call_leaves_all_files_or_none(memory_folder):
    program = Path(__file__).with_name("edit_killer.py")
    ran = subprocess.run(
        [sys.executable, program, memory_folder], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    points = json.loads(ran.stdout)
    assert sum(sum(each.values()) for each in points.values()) >= 120
    for outcome in (points["apply"], points["undo"]):
        assert set(outcome) == {"old", "new"}, "the kills came all before or all after"


@pytest.fixture
def memory_folder(tmp_path):
    """A folder in memory where there is one: a killed process needs no disk, and flushes wait."""
    shared = Path("/dev/shm")
    if not os.access(shared, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=shared) as folder:
        yield Path(folder)


class Failing(System):
    """Fails its call number `at`, before or after its effect, once or from then on."""

    def __init__(self, at: int, *, once: bool) -> None:
        self._at = at
        self._once = once
        self.failed = 0
        self._count = 0

    def __getattribute__(self, name):
        found = super().__getattribute__(name)
        if name not in CALLS:
            return found

        def call(*args):
            self._count += 1
            if self._count == self._at or (self._count > self._at and not self._once):
                self.failed += 1
                raise OSError(errno.ENOSPC, "No space left on device")
            return found(*args)

        return call


@pytest.mark.parametrize("once", [True, False], ids=["once", "from then on"])
def test_a_disk_that_fails_at_any_call_leaves_all_files_or_none(memory_folder, once):
    outcomes = set()
    for at in range(1, 1000):
        root, paths = fresh(memory_folder, at)
        system = Failing(at, once=once)
        try:
            Edits(root, paths, system).apply(PLAN)
            told = True
        except (EditError, StorageError):
            told = False
        if once:
            assert files(root) == (AFTER if told else BEFORE)
        edits = Edits(root, paths)
        edits.recover()
        now = files(root)
        assert now in (BEFORE, AFTER)
        if told:
            assert now == AFTER
        outcomes.add(now == AFTER)
        assert bool(edits.last(applied=True)) == (now == AFTER)
        if not system.failed:
            break
    assert at > 60
    assert outcomes == {True, False}


def test_what_somebody_changed_after_a_crash_is_left_alone(memory_folder):
    """The file changed by hand keeps its new content, and the others go back."""
    for at in range(1, 1000):
        root, paths = fresh(memory_folder, at)
        system = Failing(at, once=False)
        try:
            Edits(root, paths, system).apply(PLAN)
            break
        except (EditError, StorageError):
            pass
        half = files(root)
        (root / "a.py").write_bytes(b"mine\n")
        said = Edits(root, paths).recover()
        assert files(root) == {**BEFORE, "a.py": b"mine\n"}
        if any(name in half and half[name] != BEFORE.get(name) for name in AFTER):
            assert "a.py" in said[0]
