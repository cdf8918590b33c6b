"""What stands in every prompt: the project's rules and the notes the user pinned.

These blocks come right after our own words and change only when their files
do, so that the model need not read them again for each question. They are
people's words: a rule is to be followed where it fits the question, and a note
that was written for an earlier version of the code says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from commonplace.chat.prompt import Block, fence_for, one_line
from commonplace.recall.passages import Standing
from commonplace.words import said

CHARACTERS = 2400
"""The longest of one text, so that one rule file cannot fill the prompt."""
SMALL_CHARACTERS = 200
TOKENS = 800
SMALL_TOKENS = 80
SHARE = 6
"""At most one token in so many of the context stands there for good."""
STALE = "written for an earlier version of the code"
CUT = "…"


@dataclass(frozen=True, slots=True)
class Stands:
    """A text that may stand in the prompt, as the model would read it."""

    source: Standing
    text: str
    cut: bool


def standing_texts(standing: Sequence[Standing], *, small: bool) -> list[Stands]:
    """Return the texts, rules before notes; a `small` model gets the pinned notes alone."""
    limit = SMALL_CHARACTERS if small else CHARACTERS
    chosen = [item for item in standing if item.tier == "note" or not small]
    return [_stands(item, limit) for item in chosen]


def standing_blocks(
    texts: Sequence[Stands], tokens: Sequence[int], context: int, *, small: bool
) -> tuple[list[Block], list[str]]:
    """Return the blocks that fit into their share of the context, and what does not."""
    room = min(SMALL_TOKENS if small else TOKENS, context // SHARE)
    blocks: list[Block] = []
    dropped: list[str] = []
    for item, count in zip(texts, tokens, strict=True):
        if count > room:
            dropped.append(_unfit_words(item.source))
            continue
        room -= count
        blocks.append(Block(_name(item.source), item.source.tier, item.text, count))
        if item.cut:
            dropped.append(_cut_words(item.source))
    return blocks, dropped


def _name(item: Standing) -> str:
    title = one_line(item.title)
    if item.tier == "note":
        return said(f"Pinned note: {title}")
    return said(f"Rules of the project: {title}")


def _unfit_words(item: Standing) -> str:
    if item.tier == "note":
        return said(f"The pinned note {one_line(item.title)} did not fit.")
    return said(f"The rules in {one_line(item.title)} did not fit.")


def _cut_words(item: Standing) -> str:
    if item.tier == "note":
        return said(f"The pinned note {one_line(item.title)} was cut to its first lines.")
    return said(f"The rules in {one_line(item.title)} were cut to their first lines.")


def _stands(item: Standing, limit: int) -> Stands:
    text = item.text if len(item.text) <= limit else _first_lines(item.text, limit)
    fence = fence_for(text)
    if item.tier == "note":
        head = f"A note by the people of this project, {one_line(item.title)}"
        head += f" ({STALE})" if item.stale else ""
    else:
        head = f"Rules of this project from {one_line(item.path)}, for where they fit the question"
    return Stands(item, f"{head}:\n{fence}\n{text}\n{fence}\n", text is not item.text)


def _first_lines(text: str, limit: int) -> str:
    head = text[:limit]
    whole, newline, _ = head.rpartition("\n")
    return f"{whole if newline and len(whole) > limit // 2 else head}\n{CUT}"
