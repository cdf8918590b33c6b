"""Notes and questions made from what people wrote: the same ones every time.

A note is a section of a repository's own documentation: its heading is the
title, its prose the text. Its question is a sentence of the section that is
taken out of the note, as in the inverse cloze task: a person's words about
the same thing that the note does not hold. The harder kind of question is the
heading itself, asked of a note that goes by the name of its file instead.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from commonplace.book.documents import tier_of
from commonplace.recall.shapes import STOP_WORDS

HEADING = re.compile(r"^(#{1,4})\s+(.+?)\s*#*\s*$")
UNDERLINE = re.compile(r"^([=\-~^\"'`*+])\1{3,}\s*$")
FENCE = re.compile(r"^\s*(?:```|~~~)")
MARKUP = re.compile(
    r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])?|:\w+:`~?([^`<]*)[^`]*`|[`*_]{1,3}|<[^>]+>"
)
SENTENCE = re.compile(r"(?<=[.!?:])\s+(?=[A-Z`\"])")
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]+")
NUMBERED = re.compile(r"v?\d+(?:\.\d+)+|\d{4}-\d\d|unreleased", re.IGNORECASE)
WORK = re.compile(
    r"(?i)contribut|conduct|governance|security|maintain|support|testing|style|hacking|coc"
    r"|workflow|develop|process|triage|team"
)
MIN_WORDS, MAX_WORDS = 40, 600
MIN_ASKED, MAX_ASKED = 8, 24
PER_REPOSITORY = 60
MAX_FILE = 400_000


@dataclass(frozen=True, slots=True)
class Section:
    """A section of documentation: where it stands, its heading and its prose."""

    path: str
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Case:
    """A note, and a question that it answers in other words than its own."""

    title: str
    text: str
    question: str


def about_work(section: Section) -> bool:
    """Whether a section says how people work together, whatever they work on."""
    return WORK.search(section.path) is not None


def sections(root: Path, limit: int | None = PER_REPOSITORY) -> list[Section]:
    """Return up to `limit` sections of the documents below `root` that are worth a note.

    Release notes are none: each is a list of what has nothing to do with the next.
    """
    found = []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if "/." in f"/{name}" or not path.is_file() or tier_of(name) == "code":
            continue
        if re.search(r"(?i)change|history|news|release|license|authors|node_modules|/blog/", name):
            continue
        if path.stat().st_size <= MAX_FILE:
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [s for s in _cut(name, text) if _worth(s)]
    return _spread(found)[:limit]


def cloze(section: Section) -> Case | None:
    """Return a case whose question is a sentence taken out of the note.

    Of a section's sentences it is the one that says most of its heading: a
    sentence that names nothing of the subject is no question about it.
    """
    subject = stems(section.heading)
    best: tuple[int, str] = (0, "")
    prose = [p for p in section.text.split("\n\n") if not FENCE.match(p) and "\n    " not in p]
    for paragraph in prose:
        for sentence in SENTENCE.split(" ".join(paragraph.split())):
            count = len(WORD.findall(plain(sentence)))
            if MIN_ASKED <= count <= MAX_ASKED and not sentence.lstrip().startswith(("-", "|")):
                shared = len(subject & stems(plain(sentence)))
                best = max(best, (shared, sentence), key=lambda pair: pair[0])
    shared, sentence = best
    if not sentence or 2 * shared < len(subject):
        return None
    rest = _without(section.text, sentence)
    if rest == section.text or len(WORD.findall(rest)) < MIN_WORDS // 2:
        return None
    return Case(section.heading, rest, plain(sentence).strip(" .:"))


def by_heading(section: Section) -> Case | None:
    """Return a case whose question is the heading, which the note does not carry."""
    words = [w for w in WORD.findall(section.heading) if len(w) > 2]
    if len(words) < 2:
        return None
    stem = Path(section.path).stem.replace("_", " ").replace("-", " ")
    return Case(f"From {stem}", section.text, section.heading)


def stems(text: str) -> frozenset[str]:
    """Return the beginnings of the words of `text` that mean something."""
    words = (word.lower() for word in WORD.findall(text))
    return frozenset(word[:5] for word in words if word not in STOP_WORDS)


def plain(text: str) -> str:
    """Return the words of a line of Markdown or reStructuredText without its markup."""
    return MARKUP.sub(lambda m: m[1] or m[2] or "", text)


def _without(text: str, sentence: str) -> str:
    """Take out a sentence that is broken over lines."""
    pattern = r"\s+".join(map(re.escape, sentence.split()))
    return re.sub(pattern, "", text, count=1)


def _cut(path: str, text: str) -> Iterator[Section]:
    heading, lines, fenced = "", list[str](), False
    rows = text.replace("\r\n", "\n").split("\n")
    for number, line in enumerate(rows):
        fenced ^= bool(FENCE.match(line))
        found = None if fenced else HEADING.match(line)
        title = found[2] if found else ""
        if not fenced and not found and number and UNDERLINE.match(line):
            above = rows[number - 1].strip()
            if above and len(line.strip()) >= len(above) - 1 and lines:
                title = above
                lines.pop()
        if title:
            yield Section(path, plain(heading).strip(), "\n".join(lines).strip())
            heading, lines = title, []
        else:
            lines.append(line)
    yield Section(path, plain(heading).strip(), "\n".join(lines).strip())


def _worth(section: Section) -> bool:
    count = len(WORD.findall(section.text))
    prose = sum(not line.startswith((" ", "\t", "|", "```")) for line in section.text.split("\n"))
    return (
        bool(section.heading)
        and MIN_WORDS <= count <= MAX_WORDS
        and NUMBERED.search(section.heading) is None
        and prose * 2 >= section.text.count("\n") + 1
    )


def _spread(found: list[Section]) -> list[Section]:
    """Keep one section per heading, in an order of chance that is always the same."""
    unique = {section.heading.lower(): section for section in found}
    return sorted(unique.values(), key=lambda s: _chance(s.path + s.heading))


def _chance(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
