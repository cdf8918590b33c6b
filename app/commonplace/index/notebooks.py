"""Jupyter notebooks: the cells people wrote, without what running them printed.

A notebook is JSON in which each line of a cell's source stands on a line of its
own, as a string. So a cell is cut as the code or prose it holds, and its chunks
keep the file's own lines, which can be found on the disk again. Outputs and
metadata are left out. A notebook in any other layout is not indexed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from commonplace.index.text import EDGE, NotTextError

if TYPE_CHECKING:
    from commonplace.index.chunks import Chunk

CELL_TYPE = re.compile(r'^\s*"cell_type": "(\w+)"')
SOURCE = re.compile(r'^\s*"source": \[\s*$')
END = re.compile(r"^\s*\],?\s*$")
KERNEL = re.compile(r'"language": "(\w+)"')
SUFFIXES = {"python": ".py", "r": ".r", "julia": ".jl", "scala": ".scala", "javascript": ".js"}


@dataclass(frozen=True, slots=True)
class Cell:
    """The source of one cell. `start` is the line, from 0, of its first line."""

    kind: str
    start: int
    lines: tuple[str, ...]


def cells(lines: Sequence[str]) -> Iterator[Cell]:
    """Yield the cells of a notebook whose file has these lines."""
    kind = ""
    position = 0
    while position < len(lines):
        match = CELL_TYPE.match(lines[position])
        kind = match[1] if match else kind
        if kind and SOURCE.match(lines[position]):
            start = position + 1
            while position + 1 < len(lines) and not END.match(lines[position + 1]):
                position += 1
            held = [_unquoted(line) for line in lines[start : position + 1]]
            if any(line.strip() for line in held):
                yield Cell(kind, start, tuple(held))
            kind = ""
        position += 1


def notebook_chunks(text: str, cut: Callable[[str, str], list[Chunk]]) -> list[Chunk]:
    """Return the chunks of a notebook's cells; `cut` cuts a file by its path and its text.

    Raises `NotTextError` when there is source, but not laid out in lines.
    """
    lines = text.split("\n")
    if sum(map(bool, map(CELL_TYPE.match, lines))) < text.count('"cell_type"'):
        raise NotTextError("a notebook that does not keep its cells in lines of their own")
    language = KERNEL.search(text[-EDGE:])
    suffix = SUFFIXES.get(language[1].lower() if language else "python", ".txt")
    found: list[Chunk] = []
    for cell in cells(lines):
        name = f"cell{suffix}" if cell.kind == "code" else "cell.md"
        for chunk in cut(name, "\n".join(cell.lines)):
            first, last = cell.start + chunk.start_line, cell.start + chunk.end_line
            found.append(
                replace(
                    chunk,
                    start_line=first,
                    end_line=last,
                    kind="cell" if chunk.kind == "block" else chunk.kind,
                    text="\n".join(lines[first - 1 : last]),
                )
            )
    return found


def _unquoted(line: str) -> str:
    """Return the line of source that a line of the file holds; of no string, the line as it is."""
    try:
        value = json.loads(line.strip().removesuffix(","))
    except ValueError:
        return line
    return value.rstrip("\n").replace("\n", " ") if isinstance(value, str) else line
