"""What a question looks like, and the words in it that can be searched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from commonplace.index.words import IDENTIFIER, forms_of, name_forms, whole_form

Shape = Literal["symbol", "path", "trace", "error", "report", "sentence"]

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
ERROR = re.compile(
    r"^\s*(?:[\w./\\-]+:\d+(?::\d+)?:\s*)?"  # where a compiler saw it
    r"(?:(?:[\w.]|::)*(?:Error|Exception|Warning|Failure|Panic)"
    r"|(?i:fatal(?: error)?|uncaught|error|panic|warning|failed|abort\w*|assertion failed)"
    r"|[A-Z]{1,4}\d{3,5})(?:\[\w+\]|\([\w:]+\))?\s*:\s*\S"
)
VARIABLE = re.compile(
    r"`[^`]*`|'[^']*'|\"[^\"]*\"|“[^”]*”|‘[^’]*’|<[^>]*>|(?:[\w.+-]*/)+[\w.+-]*|\S*\d\S*"
)
"""What differs from one message to the next: quoted values, paths, numbers."""
WORD = re.compile(r"[^\W\d_]+")
QUOTED_CODE = re.compile(r"```[^\n]*\n(.*?)```|`([^`\n]+)`", re.DOTALL)
NAME_LIKE = re.compile(
    r"(?<![\w.])[A-Za-z_][\w.]*(?:_[A-Za-z]|[a-z][A-Z])[\w.]*|[A-Za-z_][\w.:]*\(\)"
)
"""Identifiers that no one would take for a word."""
LONG_LINES, LONG_WORDS = 4, 60
"""From here on a text is a report, not a sentence."""
PHRASE, WHOLE = 3, 6
"""Words of a run; and words up to which all of them together are one more."""
MAX_PHRASES = 12
CLAUSE = re.compile(r"[.,;:!?()\n]")
CHANGE_STEMS = (
    "accept add adjust align allow append appl avoid bring build bump cach call chang clarif "
    "clean clos convert correct creat declar defin delet deprecat disabl document drop enabl "
    "ensur expand expos extend extract fail fix forc forward guard handl hid ignor implement "
    "improv includ increas inlin introduc keep let limit link lower mak mark mov optimi[sz] "
    "pass prefer preserv prevent provid rais reduc refactor remov renam replac resolv respect "
    "restor return revers rewrit rework set simplif skip standardi[sz] stop support switch "
    "throw tid track treat trim try turn unif updat upgrad us validat verif warn wrap writ"
)
CHANGE = re.compile(
    r"^\W*(?:[\w./()-]{1,24}:\s*)?"  # the part it is about, as many projects write it
    rf"(?:{CHANGE_STEMS.replace(' ', '|')})(?:e|es|ed|s|ped|d|y|ies|ied)?\b",
    re.IGNORECASE,
)
"""How people begin when they want something changed, or say what they changed."""
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
    path may contain; `phrases` runs of words that an error message's author
    wrote, to be found as they stand. `change` says that the text reads like
    something to be changed, as the subject of a commit does.
    """

    text: str
    shape: Shape
    terms: tuple[str, ...]
    names: tuple[str, ...]
    words: tuple[str, ...]
    frames: tuple[Frame, ...]
    phrases: tuple[str, ...] = ()
    change: bool = False


def read_question(text: str) -> Question:
    """Say what `text` looks like and which words of it to search."""
    text = text[:MAX_READ].strip()
    frames = _frames(text)
    shape = _shape(text, frames)
    identifiers = list(dict.fromkeys(IDENTIFIER.findall(text)))
    marked = _marked(text) if shape == "report" else []
    if shape == "symbol":
        useful = identifiers
    else:
        plain = [i for i in identifiers if i.lower() not in STOP_WORDS] or identifiers
        useful = list(dict.fromkeys([*marked, *plain]))
    joined = [] if shape in {"symbol", "trace", "report"} else _joined(text)
    terms = list(dict.fromkeys([*(form for i in useful for form in forms_of(i)), *joined]))
    names = [*(whole_form(i) for i in marked or useful if len(i) > 1), *joined]
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
        phrases=_phrases(text) if shape == "error" else (),
        change=shape == "sentence" and CHANGE.match(text) is not None,
    )


def _shape(text: str, frames: Sequence[Frame]) -> Shape:
    lines = [line for line in text.split("\n") if line.strip()]
    if len(frames) >= 2 or "Traceback (most recent call last)" in text:
        return "trace"
    if SYMBOL.fullmatch(text) and not (PATH.fullmatch(text) and "." in text and "/" in text):
        return "symbol"
    if PATH.fullmatch(text):
        return "path"
    if lines and ERROR.match(lines[0]) and len(lines) < LONG_LINES:
        return "error"
    if len(lines) >= LONG_LINES or len(text.split()) >= LONG_WORDS:
        return "report"
    return "sentence"


def _marked(text: str) -> list[str]:
    """Return the identifiers that a report quotes, or that can only be code, in order."""
    spans = [(match.start(), match[1] or match[2]) for match in QUOTED_CODE.finditer(text)]
    spans += [(match.start(), match[0]) for match in NAME_LIKE.finditer(text)]
    found = [i for _, span in sorted(spans) for i in IDENTIFIER.findall(span)]
    return [i for i in dict.fromkeys(found) if i.lower() not in STOP_WORDS and len(i) > 1]


def _phrases(text: str) -> tuple[str, ...]:
    """Return runs of words of an error message, cut where its values stand."""
    _, _, message = text.partition(":") if ERROR.match(text) else ("", "", text)
    found: list[str] = []
    for part in VARIABLE.split(message):
        for clause in re.split(r"[:;()\n]", part):
            words = [word.lower() for word in WORD.findall(clause)]
            size = min(PHRASE, len(words))
            runs = [words[start : start + size] for start in range(len(words) - size + 1)]
            if size < len(words) <= WHOLE:
                runs.append(words)
            if size > 1:  # a word alone is a term already
                found += [" ".join(run) for run in runs if not STOP_WORDS.issuperset(run)]
    return tuple(dict.fromkeys(found))[:MAX_PHRASES]


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
