"""A file cut into syntax blocks, and the blocks into what is learned and what is asked.

The held-out blocks decide at the gate and are seen by nothing before it. The validation
blocks choose the best epoch. The rest is learned, without what the other two repeat.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass

from commonplace.index.chunks import chunk_file

MAX_LINES, FEWEST_LINES, BLOCKS = 24, 6, 30
"""A longer definition is cut at its blank or least indented lines, in a short file sooner, so
that there are about so many blocks: each is a draw of the bootstrap, and few long ones would
make wide intervals."""
MIN_LINES = 3
HELD_OUT, VALIDATION = 0.18, 0.08
"""Shares of the file's tokens."""
ASKED = 5
"""Blocks that are held out at least; of a short file that is a larger share."""
TELLING = 12
"""Characters of a line from which its being elsewhere too is a leak, not a coincidence."""
MOST_SHARED = 0.5
"""Share of a block's telling lines in the held-out part from which it is not learned."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines of the file, from `start` (from 0) up to `end`; every line is in one block."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Parts:
    """The blocks by what they are for, each in the order of the file.

    `embargoed` are those left out of training because they repeat what is held out.
    """

    training: tuple[Block, ...]
    validation: tuple[Block, ...]
    heldout: tuple[Block, ...]
    embargoed: tuple[Block, ...] = ()


def cut(path: str, text: str) -> list[Block]:
    """Return the blocks of a file, in order; together they are the whole text."""
    lines = lines_of(text)
    _, chunks = chunk_file(path, text)
    starts = sorted({0, *(chunk.start_line - 1 for chunk in chunks)} & set(range(len(lines))))
    bounds = [*starts, len(lines)]
    most = min(max(len(lines) // BLOCKS, FEWEST_LINES), MAX_LINES)
    blocks: list[tuple[int, int]] = []
    for start, end in itertools.pairwise(bounds):
        blocks += _cut_long(lines, start, end, most)
    merged: list[tuple[int, int]] = []
    for start, end in blocks:
        if merged and end - start < MIN_LINES and end - merged[-1][0] <= most:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return [Block(start, end, "".join(lines[start:end])) for start, end in merged]


def window(blocks: Sequence[Block], tokens: Sequence[int], most: int) -> tuple[int, int]:
    """Return (first, end) of the blocks that are used of a long file: as many as `most` allows.

    They are those from the beginning; `tokens` counts each block's.
    """
    total = 0
    for position, count in enumerate(tokens):
        total += count
        if total > most:
            return 0, max(position, 1)
    return 0, len(blocks)


def divide(blocks: Sequence[Block], tokens: Sequence[int], seed: int) -> Parts:
    """Draw the held-out and the validation part by `seed`; the rest is the training part.

    The first block is never held out: nothing in the file stands before it. Blocks
    without a telling line say nothing and stay in training.
    """
    order = [n for n in range(1, len(blocks)) if _telling(blocks[n])]
    random.Random(seed).shuffle(order)  # noqa: S311 - a draw, not a secret
    total = sum(tokens)
    heldout = _draw(order, tokens, HELD_OUT * total, ASKED)
    validation = _draw([n for n in order if n not in heldout], tokens, VALIDATION * total, 1)
    asked = {line for n in heldout for line in _telling(blocks[n])}
    training: list[Block] = []
    embargoed: list[Block] = []
    for number, block in enumerate(blocks):
        if number in heldout or number in validation:
            continue
        telling = _telling(block)
        shared = sum(line in asked for line in telling)
        repeats = bool(telling) and shared > MOST_SHARED * len(telling)
        (embargoed if repeats else training).append(block)
    return Parts(
        tuple(training),
        tuple(blocks[n] for n in sorted(validation)),
        tuple(blocks[n] for n in sorted(heldout)),
        tuple(embargoed),
    )


def lines_learned(parts: Parts, others: Sequence[str] = ()) -> frozenset[str]:
    """Return the telling lines that training sees, in the file or in `others`.

    Tokens of the held-out part on such lines do not count at the gate: they could be
    repeated rather than foretold.
    """
    texts = [*(block.text for block in (*parts.training, *parts.validation)), *others]
    return frozenset(line for text in texts for line in telling_lines(text))


def telling_lines(text: str) -> list[str]:
    """Return the stripped lines of `text` that are long enough to tell something."""
    return [s for line in text.split("\n") if len(s := line.strip()) >= TELLING]


def counted(text: str, sizes: Sequence[int], learned: frozenset[str]) -> list[bool]:
    """Say for each token of `text` whether it counts at the gate.

    `sizes` are the tokens' lengths in bytes of UTF-8. A token counts if no part of it
    lies on a line that training saw.
    """
    allowed: list[bool] = []
    for line in lines_of(text):
        allowed += [line.strip() not in learned] * len(line.encode("utf-8", "surrogatepass"))
    marks: list[bool] = []
    position = 0
    for size in sizes:
        span = allowed[position : position + size]
        marks.append(all(span))
        position += size
    return marks


def lines_of(text: str) -> list[str]:
    """Return the lines of `text` with their ends; only a line feed ends one, as in the index."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _draw(order: Sequence[int], tokens: Sequence[int], wanted: float, fewest: int) -> set[int]:
    """Take blocks in this order until `wanted` tokens in `fewest` blocks are together."""
    taken: set[int] = set()
    total = 0
    for number in order:
        if total >= wanted and len(taken) >= fewest:
            break
        if total + tokens[number] <= 1.5 * wanted or len(taken) < fewest:
            taken.add(number)
            total += tokens[number]
    return taken


def _telling(block: Block) -> list[str]:
    return telling_lines(block.text)


def _cut_long(lines: Sequence[str], start: int, end: int, most: int) -> list[tuple[int, int]]:
    """Cut lines into pieces of at most `most`, at the best line in each second half."""
    pieces = []
    while end - start > most:
        candidates = range(start + most // 2, start + most + 1)
        stop = min(candidates, key=lambda at: (_depth(lines, at), -at))
        pieces.append((start, stop))
        start = stop
    return [*pieces, (start, end)]


def _depth(lines: Sequence[str], at: int) -> int:
    """Return how deep a cut before line `at` would go; before it a blank line is best."""
    if not lines[at - 1].strip():
        return -1
    line = lines[at]
    return len(line) - len(line.lstrip()) if line.strip() else 1000
