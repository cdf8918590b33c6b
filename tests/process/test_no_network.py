"""Whole commands with the door closed: the interpreter itself reports every attempt."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import commonplace

# Runs before the program: `python -c`, with the command line that follows.
WATCH = """
import os, sys
def watch(event, args):
    if event in {"socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto",
                 "socket.gethostbyname", "urllib.Request"}:
        os.write(2, f"CONTACT {event} {args}\\n".encode())
        os._exit(77)
sys.addaudithook(watch)
from commonplace.cli.commands import run
sys.exit(run(sys.argv[1:]))
"""


def watched(*args):
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(commonplace.__file__).parents[1]),
    }
    return subprocess.run(
        [sys.executable, "-P", "-c", WATCH, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        check=False,
    )


@pytest.mark.parametrize(
    ("args", "status"),
    [
        (["index", "PROJECT"], 0),
        (["search", "PROJECT", "settings"], 0),
        (["models", "list"], 0),
        (["models", "catalogue"], 0),
        (["models", "download", "qwen2.5-coder-7b"], 1),
        (["doctor"], 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_contacts_nobody(make_project, args, status):
    project = make_project({"a.py": "def load_settings():\n    return 1\n"})
    done = watched(*(project if arg == "PROJECT" else arg for arg in args))
    assert "CONTACT" not in done.stderr
    assert done.returncode == status, done.stderr


def test_the_watch_sees_an_open_door():
    """What the other test relies on: with permission the same command is caught."""
    done = watched("models", "download", "qwen2.5-coder-7b", "--allow-network")
    assert done.returncode == 77
    assert "CONTACT socket.getaddrinfo" in done.stderr
