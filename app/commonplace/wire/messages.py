"""One message, one line: encoding and decoding with limits."""

from __future__ import annotations

import json
from typing import Any

from commonplace.errors import ProtocolError

PROTOCOL = 1
MAX_LINE = 64 * 1024 * 1024
"""Longest line accepted, in bytes; anything longer is a defect, not a message."""

Message = dict[str, Any]


def encode(message: Message) -> bytes:
    """Return `message` as one line of UTF-8, newline included."""
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace") + b"\n"


def decode(line: bytes) -> Message:
    """Return the message in `line`; raises `ProtocolError` for anything else."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"Not a message: {line[:80]!r} ({error}).") from error
    if not isinstance(message, dict):
        raise ProtocolError(f"Not a message: {line[:80]!r}.")
    return message


class LineBuffer:
    """Cuts a stream of bytes into lines, whatever pieces it arrives in."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Add `data` and return the lines that it completes, without newlines."""
        head, separator, rest = data.rpartition(b"\n")
        if not separator:
            self._pieces.append(data)
            self._size += len(data)
            if self._size > MAX_LINE:
                raise ProtocolError(f"A line is longer than {MAX_LINE} bytes.")
            return []
        lines = b"".join([*self._pieces, head]).split(b"\n")
        self._pieces = [rest]
        self._size = len(rest)
        return lines
