"""What is kept of a conversation: messages in a tree, and answers as plain data.

A message follows its `parent`. Editing an earlier question gives its parent a
second child, and a retry gives a question a second answer: every version stays
where it was. A path from a first message to a last one is what is read as the
conversation; `Kept` messages and the functions here do no input or output.
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from commonplace.chat.answer import Answer, Timings
from commonplace.chat.citations import Citation, Sentence
from commonplace.chat.messages import Message
from commonplace.chat.prompt import Block, Prompt
from commonplace.recall.passages import Passage

Speaker = Literal["user", "assistant"]
TITLE_CHARACTERS = 80
_last_id = 0


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation as a list shows it; times are seconds since 1970."""

    id: str
    title: str
    pinned: bool
    created: float
    updated: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A conversation that a search found; `text` is where, `message` its number or 0."""

    chat: Chat
    message: int
    text: str


@dataclass(frozen=True, slots=True)
class Kept:
    """One message. `id` is when it was written, in nanoseconds since 1970; `parent` 0 is none.

    `model` and `finish` are empty for a question; `answer` is None for a question
    and for an answer that was not read with its details.
    """

    id: int
    conversation: str
    parent: int
    role: Speaker
    text: str
    model: str = ""
    finish: str = ""
    answer: Answer | None = None

    @property
    def at(self) -> float:
        """When it was written, in seconds since 1970."""
        return self.id / 1e9


def new_id(after: int = 0) -> int:
    """Return a number for a message that follows `after`: the time, unless the clock went back."""
    global _last_id  # noqa: PLW0603 - a clock that never stands still
    _last_id = max(time.time_ns(), _last_id + 1, after + 1)
    return _last_id


def title_of(question: str) -> str:
    """Return the title that a conversation gets from its first question."""
    words = " ".join(question.split())
    if len(words) <= TITLE_CHARACTERS:
        return words
    return f"{words[:TITLE_CHARACTERS].rsplit(' ', 1)[0]}…"


def sound(text: str) -> str:
    """Return `text` as it can be stored: half of a surrogate pair is no character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def path_to(messages: Iterable[Kept], leaf: int) -> list[Kept]:
    """Return the messages from the first one to `leaf`, oldest first."""
    by_id = {message.id: message for message in messages}
    path: list[Kept] = []
    current = by_id.get(leaf)
    while current is not None:
        path.append(current)
        # A parent is older than its child, so that damaged rows cannot go in circles.
        current = by_id.get(current.parent) if current.parent < current.id else None
    return path[::-1]


def versions_of(messages: Sequence[Kept], message: Kept) -> list[int]:
    """Return the versions of the exchange that `message` belongs to, the oldest first.

    Each is the number of an answer, or of a question that has none; the last
    message of what followed it is `end_of` that number.
    """
    by_id = {m.id: m for m in messages}
    asked = message if message.role == "user" else by_id.get(message.parent, message)
    answers: defaultdict[int, list[int]] = defaultdict(list)
    for m in messages:
        if m.role == "assistant":
            answers[m.parent].append(m.id)
    found: list[int] = []
    for m in sorted(messages, key=lambda m: m.id):
        if m.role == "user" and m.parent == asked.parent:
            found += sorted(answers.get(m.id) or [m.id])
    return found


def end_of(messages: Sequence[Kept], start: int) -> int:
    """Return the end of the branch that goes through `start` and was spoken in last."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for message in messages:
        children[message.parent].append(message.id)
    newest, pending = start, [start]
    while pending:
        current = pending.pop()
        newest = max(newest, current)
        pending += [child for child in children[current] if child > current]
    return newest


def text_hash(text: str) -> str:
    """Return what tells whether a passage still reads as it did: a short hash of its text."""
    return hashlib.blake2b(sound(text).encode(), digest_size=16).hexdigest()


def passages_of(answer: Answer) -> list[dict[str, Any]]:
    """Return the passages of `answer` as plain data, with the hash of the text of each."""
    return [{**p.to_wire(), "hash": text_hash(p.text)} for p in answer.passages]


def answer_to_data(answer: Answer) -> dict[str, Any]:
    """Return `answer` as plain JSON data; its text is the message's and is not repeated."""
    prompt = answer.prompt
    return {
        "citations": [asdict(citation) for citation in answer.citations],
        "sentences": [asdict(sentence) for sentence in answer.sentences],
        "passages": passages_of(answer),
        "read": 0 if prompt is None else len(prompt.passages),
        "prompt": None
        if prompt is None
        else {
            "blocks": [asdict(block) for block in prompt.blocks],
            "messages": [asdict(message) for message in prompt.messages],
            "dropped": list(prompt.dropped),
        },
        "note": answer.note,
        "timings": asdict(answer.timings),
    }


def answer_from_data(data: dict[str, Any], text: str, model: str, finish: str) -> Answer:
    """Rebuild an answer from `answer_to_data` and the columns of its message.

    Fields that this version does not know are left out.
    """
    passages = tuple(Passage(**_known(Passage, item)) for item in data["passages"])
    prompt = data["prompt"]
    return Answer(
        text=text,
        citations=tuple(Citation(**_known(Citation, item)) for item in data["citations"]),
        sentences=tuple(Sentence(**_known(Sentence, item)) for item in data["sentences"]),
        passages=passages,
        prompt=None
        if prompt is None
        else Prompt(
            blocks=tuple(Block(**_known(Block, item)) for item in prompt["blocks"]),
            messages=tuple(Message(**_known(Message, item)) for item in prompt["messages"]),
            passages=passages[: data["read"]],
            dropped=tuple(prompt["dropped"]),
        ),
        model=model,
        finish=finish,
        note=data["note"],
        timings=Timings(**_known(Timings, data["timings"])),
    )


def _known(kind: type[Any], item: dict[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in item.items()
        if name in names
    }
