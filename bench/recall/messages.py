"""Error messages as questions: what a program prints, and the lines that print it.

Messages are the string literals that stand beside `raise`, `throw`, `error(` and
the like. Placeholders get values, as they would have when a user pastes the
message. The target is the line of the literal; tests and examples are no source.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from commonplace.recall.demotions import is_aside

MIN_WORDS = 4
SEED = 1
MESSAGE = re.compile(
    r"\b(?:raise|throw|panic|fatal|fail|abort|err|error|warn|exception|bail)\w*!?\b[^\"'`\n]{0,80}"
    r"(?P<quote>[\"'`])(?P<text>[^\"'`\n\\]{16,140})(?P=quote)",
    re.IGNORECASE,
)
PLACEHOLDER = re.compile(
    r"\$?\{[^{}]*\}|#\{[^{}]*\}|\\\([^()]*\)|%[-+0-9.]*[sdrvqxfiu@]|\{\}|%\w|\$\w+"
)
VALUES = ("42", "main", "/tmp/data.txt", "alpha", "None", "128", "config")
PREFIXES = ("Error: ", "error: ", "RuntimeError: ", "Exception: ", "fatal: ")


@dataclass(frozen=True, slots=True)
class Message:
    """A question and the line, from 1, that answers it."""

    text: str
    path: str
    line: int


def messages(root: Path, paths: Sequence[str], count: int) -> list[Message]:
    """Return up to `count` messages of the project, chosen by a fixed seed."""
    found = [item for path in paths if not is_aside(path) for item in _in_file(root, path)]
    texts = [item.text for item in found]
    unique = [item for item in found if texts.count(item.text) == 1]
    chance = random.Random(SEED)
    chance.shuffle(unique)
    return [_printed(item, chance) for item in unique[:count]]


def _in_file(root: Path, path: str) -> Iterator[Message]:
    try:
        text = (root / path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    for number, line in enumerate(text.split("\n"), 1):
        match = MESSAGE.search(line)
        if match and len(re.findall(r"[A-Za-z]{2,}", match["text"])) >= MIN_WORDS:
            yield Message(match["text"], path, number)


def _printed(item: Message, chance: random.Random) -> Message:
    """Return the message as a user would see it."""
    text = PLACEHOLDER.sub(lambda _: chance.choice(VALUES), item.text)
    return Message(chance.choice(PREFIXES) + text, item.path, item.line)
