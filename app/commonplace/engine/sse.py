"""Server-sent events, as far as engines use them: the data of each, in order.

Form: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from commonplace.errors import EngineError

MAX_EVENT = 4 << 20


def events(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield the data of each event in a stream cut anywhere.

    Raises `EngineError` for an event that is longer than any engine writes.
    """
    data: list[str] = []
    size = 0
    for line in _lines(pieces):
        if not line:
            if data:
                yield "\n".join(data)
            data, size = [], 0
            continue
        name, _, value = line.partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))
            size += len(value)
            if size > MAX_EVENT:
                raise _too_long()
    if data:
        yield "\n".join(data)


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    held = b""
    for piece in pieces:
        held += piece
        *whole, held = held.split(b"\n")
        if len(held) > MAX_EVENT:
            raise _too_long()
        for line in whole:
            yield line.removesuffix(b"\r").decode("utf-8", "replace")
    if held:
        yield held.decode("utf-8", "replace")


def _too_long() -> EngineError:
    return EngineError("The server writes without end.", "Is the address that of an engine?")
