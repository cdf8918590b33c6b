"""The man page, with the commands as the program itself describes them."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from pathlib import Path

_ASK = """
import json, sys
import click
from commonplace.cli.commands import commands
def told(group, before=""):
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from told(command, before + name + " ")
        elif not command.hidden:
            yield before + name, command.get_short_help_str(200)
json.dump(list(told(commands)), sys.stdout)
"""


def commands_of(source: Path) -> list[tuple[str, str]]:
    """Return the commands of the program in `source`, each with what it does."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", _ASK],
        env={"PYTHONPATH": str(source / "app"), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
        check=True,
        stdout=subprocess.PIPE,  # what goes wrong is said on standard error
        text=True,
    )
    return [(name, about) for name, about in json.loads(done.stdout)]


def page(template: Path, version: str, epoch: int, commands: list[tuple[str, str]]) -> str:
    """Return the man page, in roff."""
    day = datetime.datetime.fromtimestamp(epoch, datetime.UTC).date().isoformat()
    listed = "\n".join(f".TP\n.B {_plain(name)}\n{_plain(about)}" for name, about in commands)
    text = template.read_text(encoding="utf-8")
    return text.replace("@DATE@", day).replace("@VERSION@", version).replace("@COMMANDS@", listed)


def _plain(text: str) -> str:
    """Return `text` so that roff reads nothing into it."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text
