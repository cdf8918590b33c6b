"""A parser process: the bytes of files in, their entries out.

It sees nothing but what it is handed, so a file that crashes its grammar's C
code takes nothing else along. One frame is two lengths, a head and a body; the
first frame out is a greeting, and then each one in is answered by one out. When
the input ends, the parent is gone and so is the process.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
from typing import IO, Protocol

from commonplace.index.entries import file_entries, to_frame
from commonplace.wire.worker import take_standard_streams

LENGTHS = struct.Struct(">II")
GREETING = b"parser"
NICENESS = 10


class Readable(Protocol):
    """What frames are read from: a raw stream may return less than asked for."""

    def read(self, size: int, /) -> bytes | None:
        """Return at most `size` bytes; nothing at the end."""


def write_frame(stream: IO[bytes], head: bytes, body: bytes) -> None:
    """Write one frame."""
    stream.write(LENGTHS.pack(len(head), len(body)))
    stream.write(head)
    stream.write(body)
    stream.flush()


def read_frame(stream: Readable) -> tuple[bytes, bytes]:
    """Return the head and the body of the next frame; raises `EOFError` at the end."""
    head, body = LENGTHS.unpack(_exactly(stream, LENGTHS.size))
    return _exactly(stream, head), _exactly(stream, body)


def _exactly(stream: Readable, size: int) -> bytes:
    pieces: list[bytes] = []
    while size:
        piece = stream.read(size)
        if not piece:
            raise EOFError
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def main() -> None:
    """Serve frames until the input ends; does not return."""
    # Ctrl-C in a terminal reaches the whole group; the parent decides what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # On Linux the thread that started this one has handed down how much it gives way.
    if sys.platform not in {"linux", "win32"}:
        os.nice(NICENESS)
    reader, writer = take_standard_streams()
    try:
        write_frame(writer, GREETING, b"")
        while True:
            head, data = read_frame(reader)
            write_frame(writer, *to_frame(file_entries(json.loads(head), data)))
    except (EOFError, BrokenPipeError):
        os._exit(0)
