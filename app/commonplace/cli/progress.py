"""A line on standard error that says how far a long work is."""

from __future__ import annotations

import sys
import time

import click

from commonplace.memory.status import Status

INTERVAL = 0.1
ERASE = "\r\x1b[K"


class Progress:
    """Shows a status on a terminal; says nothing when standard error is a file."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._shown = 0.0

    def show(self, status: Status) -> None:
        """Show where the work is, at most ten times a second."""
        now = time.monotonic()
        if self._terminal and status.total and now - self._shown > INTERVAL:
            self._shown = now
            text = f"{status.phase} {status.done:,} of {status.total:,}"
            click.echo(f"{ERASE}{text}", nl=False, err=True)

    def clear(self) -> None:
        """Take the line away."""
        if self._terminal:
            click.echo(ERASE, nl=False, err=True)
