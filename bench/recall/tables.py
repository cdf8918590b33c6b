"""Tables that read well in a terminal and in Markdown."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bench.machine import machine


@dataclass(frozen=True, slots=True)
class Table:
    """A title, a header, rows of cells and the notes below them."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = field(default=())

    def text(self) -> str:
        """Return aligned columns: the first to the left, figures to the right."""
        grid = [list(self.header), *map(list, self.rows)]
        widths = [max(len(row[n]) for row in grid) for n in range(len(self.header))]
        lines = [self.title]
        for row in grid:
            first = row[0].ljust(widths[0])
            rest = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
            lines.append("  " + "  ".join([first, *rest]).rstrip())
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def markdown(self) -> str:
        """Return a Markdown table under its title."""
        rule = ["---", *["---:"] * (len(self.header) - 1)]
        grid = [self.header, rule, *self.rows]
        lines = [f"**{self.title}**", "", *("| " + " | ".join(row) + " |" for row in grid)]
        for note in self.notes:
            lines += ["", note]
        return "\n".join(lines)


def show(tables: Iterable[Table], *, markdown: bool) -> None:
    """Print the machine once, then each table as soon as it is there."""
    print(f"Measured on {machine()}.", flush=True)
    for table in tables:
        print(f"\n{table.markdown() if markdown else table.text()}", flush=True)


def add_markdown(parser: argparse.ArgumentParser) -> None:
    """Let the user choose Markdown."""
    parser.add_argument("--markdown", action="store_true", help="print tables as Markdown")


def score(value: float) -> str:
    """Write a share between 0 and 1."""
    return f"{value:.3f}"


def seconds(value: float) -> str:
    """Write a duration."""
    return f"{value:.2f} s" if value < 100 else f"{value:.0f} s"
