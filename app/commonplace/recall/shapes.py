"""What a question looks like, and the words in it that can be searched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from commonplace.index.words import IDENTIFIER, forms_of, name_forms, whole_form

Shape = Literal["symbol", "path", "trace", "sentence"]

MAX_TERMS = 48
MAX_READ = 20_000
"""Characters of a question that are searched; a pasted log says the rest again."""
SYMBOL = re.compile(r"[A-Za-z_$@][\w$]*(?:(?:\.|::|#|->|:)[A-Za-z_$][\w$]*)*[!?]?(?:\(\))?")
PATH = re.compile(r"(?:[\w.@+-]+/)+[\w.@+-]+|[\w-]+\.[A-Za-z]{1,5}(?::\d+)?")
FRAME = re.compile(
    r"File \"(?P<py>[^\"\n]+)\", line (?P<py_line>[0-9]{1,9})(?![0-9])"
    r"|(?:at |\(|^|\s)(?P<path>[\w./\\@+-]+\.\w{1,5}):(?P<line>[0-9]{1,9})(?![0-9])",
    re.MULTILINE,
)
CLAUSE = re.compile(r"[.,;:!?()\n]")
STOP_WORDS = frozenset(
    (
        "a about above after all also an and any are as at be because been before being "
        "between both but by can could did do does doing done down each every example few "
        "find for from get gets give given go has have having he her here him his how i if in "
        "into is it its just let like made make makes many may me might more most much must "
        "my need no nor not now of off on once one only or other our out over own please same "
        "she should show so some still such than that the their them then there these they "
        "this those through to too under until up us use used uses using very want was way we "
        "were what when where whether which while who whose why will with within without "
        "would you your implement implemented implementation implements code file files work "
        "works working handle handled handles handling defined "
    ).split()
)


@dataclass(frozen=True, slots=True)
class Frame:
    """A place named by a stack trace: a path, perhaps absolute, and a line from 1."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Question:
    """A question as recall reads it.

    `terms` are the words to search, whole forms and parts; `names` the whole
    forms of identifiers that may name a definition; `words` the plain words a
    path may contain.
    """

    text: str
    shape: Shape
    terms: tuple[str, ...]
    names: tuple[str, ...]
    words: tuple[str, ...]
    frames: tuple[Frame, ...]


def read_question(text: str) -> Question:
    """Say what `text` looks like and which words of it to search."""
    text = text[:MAX_READ].strip()
    frames = _frames(text)
    identifiers = list(dict.fromkeys(IDENTIFIER.findall(text)))
    shape: Shape = "sentence"
    if len(frames) >= 2 or "Traceback (most recent call last)" in text:
        shape = "trace"
    elif SYMBOL.fullmatch(text) and not (PATH.fullmatch(text) and "." in text and "/" in text):
        shape = "symbol"
    elif PATH.fullmatch(text):
        shape = "path"
    if shape == "symbol":
        useful = identifiers
    else:
        useful = [i for i in identifiers if i.lower() not in STOP_WORDS] or identifiers
    joined = [] if shape in {"symbol", "trace"} else _joined(text)
    terms = list(dict.fromkeys([*(form for i in useful for form in forms_of(i)), *joined]))
    names = [*(whole_form(i) for i in useful if len(i) > 1), *joined]
    if shape == "symbol":
        names = [*name_forms(text.removesuffix("()"))[:1], *names]
    words = [w for w in terms if len(w) > 1]
    return Question(
        text=text,
        shape=shape,
        terms=tuple(terms[:MAX_TERMS]),
        names=tuple(dict.fromkeys(names))[:MAX_TERMS],
        words=tuple(words[:MAX_TERMS]),
        frames=frames,
    )


def _joined(text: str) -> list[str]:
    """Return neighbouring words as one: people write "thread pool" for ``ThreadPool``."""
    found: list[str] = []
    for clause in CLAUSE.split(text):
        words = [whole_form(i) for i in IDENTIFIER.findall(clause)]
        for size in (2, 3):
            for start in range(len(words) - size + 1):
                run = words[start : start + size]
                if run[0] in STOP_WORDS or run[-1] in STOP_WORDS:
                    continue
                found.append("".join([*run[:-1], _singular(run[-1])]))
    return list(dict.fromkeys(found))


def _singular(word: str) -> str:
    """Return the usual singular of an English plural: types are named in it."""
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word


def _frames(text: str) -> tuple[Frame, ...]:
    found = []
    for match in FRAME.finditer(text):
        path = match["py"] or match["path"]
        line = match["py_line"] or match["line"]
        found.append(Frame(path.replace("\\", "/"), int(line)))
    return tuple(dict.fromkeys(found))[:50]
