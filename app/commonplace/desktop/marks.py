"""Where an answer rests on the project and where it does not, marked in its text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from commonplace.chat.citations import Sentence
from commonplace.desktop.splitter import OWN_WORDS, SUPPORTED, SUPPORTED_END

RESERVED = re.compile(f"[{SUPPORTED}{SUPPORTED_END}{OWN_WORDS}]")
WORD = re.compile(r"\w{2,}")
MIN_WORDS = 3
"""A shorter sentence, a lead-in or a heading, claims nothing that needs support."""


def without_marks(text: str) -> str:
    """Return model output with the characters we mark with replaced, one for one."""
    return RESERVED.sub("\ufffd", text)


def annotate(text: str, sentences: Sequence[Sentence]) -> str:
    """Return `text` with our marks after each sentence.

    A sentence that the comparison supports gets its numbers, a sentence that
    nothing supports the sign for the model's own words. A sentence with the
    model's own marker already says so.
    """
    text = without_marks(text)
    pieces: list[str] = []
    position = 0
    for sentence in sentences:
        body = text[sentence.start : sentence.end]
        mark = _mark(sentence, body)
        if not mark:
            continue
        end = sentence.start + _place(body)
        pieces += [text[position:end], mark]
        position = end
    return "".join([*pieces, text[position:]])


def _mark(sentence: Sentence, body: str) -> str:
    code = body.startswith("```")
    if not code and (len(WORD.findall(body)) < MIN_WORDS or body.lstrip().startswith(("|", "#"))):
        return ""
    if sentence.by == "attribution":
        return "".join(f"{SUPPORTED}{n}{SUPPORTED_END}" for n in sentence.numbers)
    return OWN_WORDS if sentence.by is None else ""


def _place(body: str) -> int:
    """Return where in `body` its mark goes: after the info string of a fence, or at the end."""
    if body.startswith("```"):
        first = body.find("\n")
        return len(body) if first < 0 else first
    return len(body.rstrip())
