"""Drafts proposed from what happened: quotes first, prose never.

A conversation leaves events. When idle, those that are worth a note become
drafts for the inbox: a correction the user typed, a question asked again, an
answer they starred. A draft is made of the user's own words and of citations,
each with the time it was said; a person decides what it becomes. Everything
here is a function of the events alone.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

EventKind = Literal["asked", "corrected", "starred"]
KINDS: tuple[EventKind, ...] = ("asked", "corrected", "starred")

MAX_QUOTE = 2000
MAX_CITED = 20
AGAIN_SECONDS = 600.0
"""A question repeated sooner is a slip or a retry, not a sign of something missing."""
ALIKE = 0.6
CORRECTION = re.compile(
    r"\s*(?:no\b[,.!]|nope\b|not quite|that(?:'s| is| was) (?:wrong|not|incorrect|outdated)"
    r"|this is (?:wrong|not|incorrect|outdated)|wrong\b|incorrect\b|actually\b|in fact\b"
    r"|you(?:'re| are) (?:wrong|mistaken)|we (?:don't|do not|never|always|no longer)\b"
    r"|it(?:'s| is) not\b|remember(?: that)?\b)",
    re.IGNORECASE,
)
WORD = re.compile(r"\w+")
COMMON = frozenset(
    "a an and are as at be by can could do does for from how i in is it me my of on or our should "
    "show tell that the there this to use was we what when where which who why will with would "
    "you your please".split()
)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a conversation.

    `at` is in seconds since 1970; `question` is what the user asked and `said`
    what they typed about the answer, both in their own words; `answer` names
    the answer, `cited` the places it rests on as ``path:start-end``.
    """

    kind: EventKind
    at: float
    question: str
    answer: str = ""
    said: str = ""
    cited: tuple[str, ...] = ()

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Event:
        """Rebuild an event; raises `ValueError` for what is none."""
        if data.get("kind") not in KINDS:
            raise ValueError(f"an event is one of {', '.join(KINDS)}")
        cited = data.get("cited") or ()
        return cls(
            kind=data["kind"],
            at=float(data.get("at", 0.0)),
            question=str(data.get("question", ""))[:MAX_QUOTE],
            answer=str(data.get("answer", ""))[:100],
            said=str(data.get("said", ""))[:MAX_QUOTE],
            cited=tuple(str(place)[:300] for place in list(cited)[:MAX_CITED]),
        )

    def to_wire(self) -> dict[str, Any]:
        """Return the event as plain JSON data."""
        return {
            "kind": self.kind, "at": self.at, "question": self.question, "answer": self.answer,
            "said": self.said, "cited": list(self.cited),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Proposal:
    """A draft that could be written; `key` is the same for the same evidence."""

    key: str
    title: str
    text: str
    why: str
    anchors: tuple[str, ...] = field(default=())


def looks_like_correction(text: str) -> bool:
    """Whether what a user typed after an answer begins like a correction of it."""
    return len(text.split()) >= 3 and CORRECTION.match(text) is not None


def proposals(events: Sequence[Event]) -> list[Proposal]:
    """Return the drafts that `events` are worth, in the order they happened."""
    found = [_correction(event) for event in events if event.kind == "corrected" and event.said]
    found += [_starred(event) for event in events if event.kind == "starred"]
    found += _asked_again([event for event in events if event.kind == "asked"])
    return list({proposal.key: proposal for proposal in found}.values())


def _correction(event: Event) -> Proposal:
    text = f"{_quote(event.said)}\n\nSaid on {_day(event)} about the answer to:\n\n"
    text += f"{_quote(event.question)}\n{_cited(event.cited)}"
    return Proposal(
        _key("corrected", event.said), _title(event.said), text,
        "You corrected an answer.", _files(event.cited),
    )  # fmt: skip


def _starred(event: Event) -> Proposal:
    text = f"Asked on {_day(event)}, and the answer was starred:\n\n{_quote(event.question)}\n"
    if event.said:
        text += f"\nWhat was kept of it:\n\n{_quote(event.said)}\n"
    return Proposal(
        _key("starred", event.question), _title(event.question), text + _cited(event.cited),
        "You starred the answer.", _files(event.cited),
    )  # fmt: skip


def _asked_again(events: Sequence[Event]) -> list[Proposal]:
    """Return a draft for each question that was asked again after a while."""
    groups: list[list[Event]] = []
    for event in sorted(events, key=lambda e: e.at):
        words = _words(event.question)
        if len(words) < 2:
            continue
        for group in groups:
            if _alike(words, _words(group[0].question)):
                # A clock that went back still counts as some time between two questions.
                if abs(event.at - group[-1].at) >= AGAIN_SECONDS:
                    group.append(event)
                break
        else:
            groups.append([event])
    return [_again(group) for group in groups if len(group) > 1]


def _again(group: Sequence[Event]) -> Proposal:
    quotes = "\n\n".join(f"{_quote(event.question)}\n\n({_day(event)})" for event in group[-5:])
    places = [set(event.cited) for event in group if event.cited]
    shared = sorted(set.intersection(*places)) if places else []
    text = f"Asked {len(group)} times:\n\n{quotes}\n{_cited(shared)}"
    why = f"You asked this {len(group)} times."
    key = _key("asked", group[0].question)
    return Proposal(key, _title(group[-1].question), text, why, _files(shared))


def _key(kind: str, words: str) -> str:
    normal = " ".join(WORD.findall(words.lower()))
    return hashlib.blake2b(
        f"{kind}\n{normal}".encode("utf-8", "replace"), digest_size=8
    ).hexdigest()


def _title(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= 80 else f"{line[:79].rsplit(' ', 1)[0]}…"


def _quote(words: str) -> str:
    return "\n".join(f"> {line}" for line in words.strip().split("\n"))


def _cited(places: Sequence[str]) -> str:
    if not places:
        return ""
    return "\nThe answer rested on:\n\n" + "\n".join(f"- `{place}`" for place in places) + "\n"


def _files(places: Sequence[str]) -> tuple[str, ...]:
    """Return the files that were cited: what a note made of this would speak of."""
    return tuple(dict.fromkeys(re.sub(r":[0-9]+(?:-[0-9]+)?$", "", place) for place in places))[:3]


def _day(event: Event) -> str:
    try:
        return dt.datetime.fromtimestamp(event.at, tz=dt.UTC).strftime("%Y-%m-%d")
    except (OverflowError, ValueError, OSError):
        return "an unknown day"


def _words(text: str) -> frozenset[str]:
    return frozenset(w for w in WORD.findall(text.lower()) if w not in COMMON and len(w) > 1)


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) / len(one | other) >= ALIKE if one | other else False
