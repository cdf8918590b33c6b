"""The best prompt there is without an adapter, against which the adapter has to win.

It is what completing at that place would put before the cursor: passages that recall finds
in other files, the rest of the open file as far as it fits, and then once more the lines
just before the place. The first two are the same for all held-out blocks of a file, so the
model reads them once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from commonplace.adapt.blocks import Block, lines_of
from commonplace.chat.prompt import one_line, passage_text
from commonplace.recall.passages import Passage

RUN_UP_LINES = 12
"""Lines just before a held-out block that are repeated next to it."""

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Asked:
    """A held-out block and the run-up before it."""

    block: Block
    run_up: str


def best_prefix(
    path: str,
    rest: Sequence[Block],
    tokens: Sequence[int],
    near: Sequence[Block],
    passages: Sequence[Passage],
    *,
    room: int,
    passage_room: int,
    count: Count,
) -> str:
    """Return what stands before every held-out block of the file at `path`.

    `rest` are the other blocks and `tokens` how long each is; those nearest to a block of
    `near` win where `room` (in tokens, all together) does not hold them all.
    """
    shown: list[str] = []
    left = passage_room
    for number, passage in enumerate(passages, start=1):
        text = passage_text(number, passage)
        left -= count(text)
        if left < 0:
            break
        shown.append(text)
    room -= passage_room - max(left, 0)
    order = sorted(range(len(rest)), key=lambda n: (_distance(rest[n], near), n))
    kept: set[int] = set()
    for number in order:
        room -= tokens[number]
        if room < 0:
            break
        kept.add(number)
    body = "".join(block.text for n, block in enumerate(rest) if n in kept)
    name = one_line(path)
    return "".join(
        [*shown, f"# {name}\n", body, "" if body.endswith("\n") else "\n", f"# {name}\n"]
    )


def run_up(text: str, block: Block) -> str:
    """Return the lines of the file just before `block`."""
    return "".join(lines_of(text)[max(block.start - RUN_UP_LINES, 0) : block.start])


def question_of(path: str, blocks: Sequence[Block]) -> str:
    """Return what recall is asked for: the file's name and the first words of its blocks."""
    heads = [block.text.strip().split("\n")[0][:80] for block in blocks[:6]]
    return " ".join([path.rpartition("/")[2], *heads])[:400]


def _distance(block: Block, near: Sequence[Block]) -> int:
    return min((max(n.start - block.end, block.start - n.end, 0) for n in near), default=0)
