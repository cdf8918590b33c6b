"""The regression set: text that an adapter must not make harder to foretell.

Four parts: other files of the project, general code, prose, and a fixed set of small tasks.
The last three are shipped (``resources/adapt/texts.toml``) and were written for this. Texts
marked for replay are never asked at the gate, and the gate's are never trained on.
"""

from __future__ import annotations

import functools
import random
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass

from commonplace.adapt.blocks import cut
from commonplace.adapt.corpus import Text
from commonplace.errors import DefectError
from commonplace.paths import resource

PARTS = ("project", "code", "prose", "tasks")
PER_PART = {"project": 8, "code": 4, "prose": 3, "tasks": 5}
CHARACTERS, CONTEXT = 340, 160
"""About how long a text of the gate is, a hundred tokens, and what stands before one of the
project's."""
BEFORE = "\n"
"""What stands before a text that has no context: some models put nothing there."""


@dataclass(frozen=True, slots=True)
class Item:
    """A text of the regression set, and what stands before it."""

    part: str
    context: str
    text: str


@dataclass(frozen=True, slots=True)
class Shipped:
    """A shipped text; `use` is ``gate`` or ``replay``, `context` a task's own words."""

    part: str
    use: str
    context: str
    text: str


@functools.cache
def shipped() -> tuple[Shipped, ...]:
    """Return the texts that come with the program."""
    data = tomllib.loads(resource("adapt", "texts.toml").read_text(encoding="utf-8"))
    texts = tuple(
        Shipped(item["part"], item["use"], item.get("context", BEFORE), item["text"])
        for item in data["texts"]
    )
    if {text.part for text in texts} != set(PARTS[1:]):
        raise DefectError("The shipped regression texts are not complete.")
    return texts


def regression_set(others: Iterable[Text], seed: int) -> list[Item]:
    """Draw the set by `seed`; `others` are files of the project in the order they are used."""
    draw = random.Random(seed)  # noqa: S311 - a draw, not a secret
    items: list[Item] = []
    for file in others:
        if len(items) == PER_PART["project"]:
            break
        piece = _piece(file, draw)
        if piece is not None:
            items.append(piece)
    for part in PARTS[1:]:
        pool = [text for text in shipped() if text.part == part and text.use == "gate"]
        drawn = draw.sample(pool, min(PER_PART[part], len(pool)))
        items += [Item(part, text.context, text.text) for text in drawn]
    return items


def replay_texts(others: Iterable[Text], seed: int, most: int) -> list[str]:
    """Return texts that tie the training to the base: shipped ones and the project's by turns."""
    draw = random.Random(seed)  # noqa: S311 - a draw, not a secret
    pool = [text.text for text in shipped() if text.use == "replay"]
    draw.shuffle(pool)
    pieces = (_piece(file, draw) for file in others)
    texts: list[str] = []
    while len(texts) < most and pool:
        texts.append(pool.pop())
        piece = next(pieces, None)
        if piece is not None:
            texts.append(piece.text)
    return texts[:most]


def _piece(file: Text, draw: random.Random) -> Item | None:
    """Return some blocks of a file behind the lines before them; None if it has too few."""
    blocks = cut(file.path, file.text)
    if len(blocks) < 2:
        return None
    start = draw.randrange(1, len(blocks))
    text = ""
    for block in blocks[start:]:
        text += block.text
        if len(text) >= CHARACTERS:
            break
    context = blocks[start - 1].text[-CONTEXT:]
    return Item("project", context or BEFORE, text[: CHARACTERS * 2]) if text.strip() else None
