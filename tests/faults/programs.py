"""Running the program as users do: commands and worker processes of their own."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from commonplace.paths import StatePaths, worker_command
from commonplace.wire.process import WorkerProcess

COMMAND = [sys.executable, "-W", "error", "-m", "commonplace"]
PATIENCE = 180.0
"""Seconds until a condition that never comes fails the test."""


def write_settings(state: StatePaths, embedder: str = "none", text: str = "") -> None:
    state.settings_file.parent.mkdir(parents=True, exist_ok=True)
    state.settings_file.write_text(f'[recall]\nembedder = "{embedder}"\n{text}', encoding="utf-8")


def run(*args: str | bytes | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in a process forked from one that has imported the program.

    What the interpreter itself reads at its start needs a start: see `run_afresh`.
    """
    if not hasattr(os, "fork") or any(name.startswith("PYTHON") for name in environment):
        return run_afresh(*args, **environment)
    return WARM.run([os.fsdecode(arg) for arg in args], {**os.environ, **environment})


def run_afresh(*args: str | bytes | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, from the start of the interpreter on."""
    return subprocess.run(
        [*COMMAND, *args],
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        env={**os.environ, **environment},
        timeout=PATIENCE,
        check=False,
    )


class WarmProcess:
    """Starts `faults.warm` when it is first needed; one command at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, args: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
            request = {
                "args": args,
                "environment": environment,
                "folder": str(Path.cwd()),
                "out": out.name,
                "err": err.name,
            }
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            answered, _, _ = select.select([process.stdout], [], [], PATIENCE)
            if not answered:
                os.killpg(process.pid, signal.SIGKILL)
                self.close()
                raise subprocess.TimeoutExpired(args, PATIENCE)
            status = int(process.stdout.readline())
            said = (file.read().decode("utf-8", "surrogateescape") for file in (out, err))
            return subprocess.CompletedProcess(args, status, *said)

    def close(self) -> None:
        """End it; safe to repeat. The next command starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.communicate(timeout=PATIENCE)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "error", "-P", str(Path(__file__).with_name("warm.py"))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
                # A process with threads should not be forked.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            )
        return self._process


WARM = WarmProcess()


def run_json(*args: str | Path) -> Any:
    """Run a command that must succeed and return what it printed."""
    done = run(*args, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_told(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Assert exit status 1 and exactly one line on standard error, with `words` in it."""
    assert done.returncode == 1, (done.returncode, done.stderr)
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in lines[0]


class MemoryWorker:
    """A memory process, with what it has told so far."""

    def __init__(self) -> None:
        self.status: dict[str, Any] = {}
        self.process = WorkerProcess(worker_command("memory"), on_event=self._heard)
        self.process.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stop()

    def open(self, root: Path, embedder: str = "hash") -> dict[str, Any]:
        return self.process.request("open", {"path": str(root), "embedder": embedder})

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        return self.process.request(method, params, deadline=PATIENCE)

    def wait(self, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until a status fits, and return it; `ask` keeps the pipe moving."""
        waited = Patience()
        while not reached(self.status):
            self.status = self.ask("status")
            waited.once(self.status)
        return self.status

    def wait_until_equal(self, root: Path, check: Callable[[], None]) -> None:
        """Wait until `check` passes: events may come in pieces, but the end is equality."""
        waited = Patience()
        while True:
            self.wait(lambda s: s.get("phase") == "ready" and s["vectors"] == s["chunks"])
            try:
                check()
            except AssertionError as error:
                waited.once(error)
                self.status = {}
            else:
                return

    def _heard(self, event: str, data: dict[str, Any]) -> None:
        if event == "status":
            self.status = data


class Patience:
    """Ends a wait that takes too long, and rests a little between two looks."""

    def __init__(self, seconds: float = PATIENCE) -> None:
        import time

        self._clock = time
        self._end = time.monotonic() + seconds

    def once(self, last: object) -> None:
        if self._clock.monotonic() > self._end:
            raise AssertionError(f"waited too long; the last look saw: {last}")
        self._clock.sleep(0.02)
