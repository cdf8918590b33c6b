"""Runs a task's test on a copy of its project, with limits.

The test runs what a model wrote. It gets a folder of its own that is deleted
afterwards, an empty environment, no network where the kernel lets an ordinary
user take it away, and limits of time, memory and file size. It is no prison:
the program may still read what this user may read.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from bench.tasks.task import TOOLS, Task

SECONDS = 30.0
CPU_SECONDS = 10
MEMORY_KB = 2_000_000
FILE_BLOCKS = 16_384
SHOWN = 600
"""Characters of the output that are kept: its end, where errors stand."""
NO_NETWORK = ("unshare", "--user", "--map-root-user", "--net")


@dataclass(frozen=True, slots=True)
class Tested:
    """How a test ended, and the end of what it printed."""

    outcome: Literal["passed", "failed", "too slow"]
    output: str


def missing_tool(task: Task) -> str:
    """Return the program that the test of `task` needs and that is not here, or nothing."""
    tool = TOOLS[task.language]
    return "" if tool == "{python}" or shutil.which(tool) else tool


@cache
def without_network() -> tuple[str, ...]:
    """Return what to put before a command to take the network away; nothing if it cannot be."""
    if shutil.which(NO_NETWORK[0]) is None:
        return ()
    done = subprocess.run([*NO_NETWORK, "true"], capture_output=True, check=False)
    return NO_NETWORK if done.returncode == 0 else ()


def run_test(task: Task, project: Path, *, seconds: float = SECONDS) -> Tested:
    """Run the test of `task` on a copy of the folder `project`."""
    with tempfile.TemporaryDirectory(prefix="commonplace-task-") as home:
        folder = Path(home) / "project"
        shutil.copytree(project, folder, ignore=shutil.ignore_patterns(".commonplace"))
        for name, text in task.tests.items():
            # Also over a file of that name: an answer cannot change its own test.
            (folder / name).write_text(text, encoding="utf-8")
        return _run(task, folder, Path(home), seconds)


def _run(task: Task, folder: Path, home: Path, seconds: float) -> Tested:
    command = [sys.executable if part == "{python}" else part for part in task.test]
    process = subprocess.Popen(
        [*without_network(), "sh", "-c", f'{_limits(task)}; exec "$@"', "sh", *command],
        cwd=folder,
        env=_environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return Tested("too slow", _end(output, folder))
    return Tested("failed" if process.returncode else "passed", _end(output, folder))


def _limits(task: Task) -> str:
    """Return the limits; Node reserves more addresses than it uses, so it gets none of those."""
    memory = "" if task.language == "javascript" else f"; ulimit -v {MEMORY_KB}"
    return f"ulimit -t {CPU_SECONDS}; ulimit -f {FILE_BLOCKS}; ulimit -c 0{memory}"


def _environment(home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _end(output: bytes, folder: Path) -> str:
    text = output.decode("utf-8", "replace").replace(f"{folder}/", "").strip()
    return text if len(text) <= SHOWN else f"…{text[-SHOWN:]}"
