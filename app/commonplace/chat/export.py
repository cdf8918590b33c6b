"""Conversations as Markdown to read and as JSON with everything that is kept."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

from commonplace.chat.kept import Chat, Kept, answer_to_data, path_to
from commonplace.chat.prompt import one_line

FORMAT = "commonplace conversation 1"
OPEN_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")


def to_markdown(chat: Chat, messages: Sequence[Kept], leaf: int) -> str:
    """Return the branch that ends in `leaf` as Markdown, each answer with its sources."""
    parts = [f"# {_inline(chat.title)}", f"*{_when(chat.created)}*"]
    for message in path_to(messages, leaf):
        if message.role == "user":
            parts += [f"## {_when(message.at)}", _quoted(message.text)]
            continue
        parts.append(_closed(message.text.strip()))
        sources = _sources(message)
        if sources:
            parts.append("\n".join(["**Sources**", "", *sources]))
        about = [message.model or "without a model"]
        if message.finish not in {"", "stop"}:
            about.append(message.finish)
        parts.append(f"*{_inline(', '.join(about))}*")
    return "\n\n".join(parts) + "\n"


def to_json(chat: Chat, messages: Sequence[Kept], leaf: int) -> dict[str, Any]:
    """Return all that is kept of a conversation, every branch, as plain JSON data.

    ``path`` names the messages of the branch that is read now. Numbers of
    messages are texts: they have more digits than some readers of JSON keep.
    """
    return {
        "format": FORMAT,
        "id": chat.id,
        "title": chat.title,
        "pinned": chat.pinned,
        "created": chat.created,
        "updated": chat.updated,
        "path": [str(message.id) for message in path_to(messages, leaf)],
        "messages": [message_json(message) for message in messages],
    }


def message_json(message: Kept) -> dict[str, Any]:
    """Return one message as plain JSON data."""
    data: dict[str, Any] = {
        "id": str(message.id),
        "parent": str(message.parent) if message.parent else None,
        "role": message.role,
        "at": message.at,
        "text": message.text,
    }
    if message.role == "assistant":
        data |= {"model": message.model, "finish": message.finish}
    if message.answer is not None:
        data |= answer_to_data(message.answer)
    return data


def _sources(message: Kept) -> list[str]:
    if message.answer is None:
        return []
    return [
        f"* [{c.n}] `{one_line(c.path).replace('`', ' ')}:{c.start_line}-{c.end_line}`"
        + ("" if c.by == "model" else " (matched by its words)")
        for c in message.answer.citations
    ]


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.strip().split("\n"))


def _closed(text: str) -> str:
    """Close a code fence that the answer left open, so that it does not take the rest along."""
    fence = ""
    for line in text.split("\n"):
        match = OPEN_FENCE.match(line)
        if match is None:
            continue
        if not fence:
            fence = match[1]
        elif match[1].startswith(fence) and not match[2].strip():
            fence = ""
    return f"{text}\n{fence}" if fence else text


def _inline(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>#])", r"\\\1", one_line(text))


def _when(seconds: float) -> str:
    moment = dt.datetime.fromtimestamp(seconds, tz=dt.UTC).astimezone()
    return moment.strftime("%Y-%m-%d %H:%M")
