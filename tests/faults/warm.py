"""A process that has imported the program, and forks whoever asks into a command.

Importing takes most of the time of a command that is refused in one line. What is forked
is a process of its own from then on: with its own arguments, environment, folder, standard
streams and exit, and with the same warnings as errors. Nothing has run before the fork but
the import: no thread, no connection, no setting that was read.

Requests come as JSON lines: arguments, environment, folder, and the two files that take
standard output and standard error. The answer is the exit status, one line each.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import commonplace.cli.commands
from commonplace.__main__ import main

Request = dict[str, Any]


def become(request: Request) -> None:
    """Take over arguments, environment, folder and streams in the forked process."""
    for number, name, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, request["out"], os.O_WRONLY),
        (2, request["err"], os.O_WRONLY),
    ):
        file = os.open(name, flags)
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = [str(commonplace.__main__.__file__), *request["args"]]


def serve() -> Request | None:
    """Fork for every request; return it in the forked process, and None at the end of all."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            asked: Request = json.loads(line)
            return asked
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
    return None


if __name__ == "__main__":
    if request := serve():
        become(request)
        main()
