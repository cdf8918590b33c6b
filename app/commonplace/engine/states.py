"""What the model has read of each conversation, kept on disk.

Reading two thousand tokens again takes seconds to minutes; loading them takes
a tenth of a second. One file per conversation and model::

    8 bytes   magic and version
    4 bytes   length of the description, little-endian
    n bytes   description in JSON: key, number of tokens, bytes of state
    4 · t     the tokens, 32-bit
    s         llama.cpp's state of the sequence
    32        SHA-256 of all before

A file that is not exactly this, or of another model, build or way of keeping
keys and values, is deleted and never handed to llama.cpp. States hold what was
said, so the files are for their owner alone; `forget` deletes a conversation's.
"""

from __future__ import annotations

import array
import contextlib
import hashlib
import json
import logging
import os
import struct
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

log = logging.getLogger(__name__)

MAGIC = b"CPSTATE1"
SUFFIX = ".state"
_LENGTH = struct.Struct("<I")
_DIGEST_BYTES = 32
MAX_DESCRIPTION = 4096
MAX_TOKENS = 1 << 24


@dataclass(frozen=True, slots=True)
class State:
    """The tokens of a sequence and what llama.cpp made of them."""

    tokens: list[int]
    data: bytes


class StateFolder:
    """The states of one model, in a folder shared with those of others.

    `key` says what they hold for; `limit` is in bytes and for the whole folder,
    where the ones used longest ago go first.
    """

    def __init__(self, folder: Path, key: str, limit: int) -> None:
        self._folder = folder
        self._key = key
        self._limit = limit
        if folder.is_dir():
            self._sweep()

    @property
    def folder(self) -> Path:
        """Where the states are."""
        return self._folder

    def tokens(self, conversation: str) -> list[int]:
        """Return the tokens of a kept state, for a first look; not yet verified."""
        try:
            with self._path(conversation).open("rb") as file:
                about = self._description(file)
                return [] if about is None else _tokens(file.read(4 * about["tokens"]))
        except OSError:
            return []

    def load(self, conversation: str) -> State | None:
        """Return the state of a conversation, or None if none can be trusted."""
        path = self._path(conversation)
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                about = self._description(file)
                state = None if about is None else _verified(file, about, size)
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("A state could not be read: %s", error)
            return None
        if state is None:
            log.warning("A state is damaged or of another model and is dropped.")
            _remove(path)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # it was used just now
        return state

    def save(self, conversation: str, state: State) -> bool:
        """Keep `state`; False if it is too large or cannot be written."""
        tokens = _bytes(state.tokens)
        about = {"key": self._key, "tokens": len(state.tokens), "bytes": len(state.data)}
        description = json.dumps(about).encode()
        head = MAGIC + _LENGTH.pack(len(description)) + description
        if len(head) + len(tokens) + len(state.data) + _DIGEST_BYTES > self._limit:
            return False
        digest = hashlib.sha256()
        temporary = ""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=self._folder, prefix=".", suffix=".part")
            with os.fdopen(handle, "wb") as file:  # mkstemp lets only the owner read it
                for part in (head, tokens, state.data):
                    digest.update(part)
                    file.write(part)
                file.write(digest.digest())
            Path(temporary).replace(self._path(conversation))
        except OSError as error:
            log.warning("A state could not be kept: %s", error)
            if temporary:
                _remove(Path(temporary))
            return False
        self._make_room()
        return True

    def _path(self, conversation: str) -> Path:
        model = hashlib.sha256(self._key.encode()).hexdigest()[:16]
        return self._folder / f"{_name(conversation)}-{model}{SUFFIX}"

    def _description(self, file: BinaryIO) -> dict[str, int] | None:
        """Read what comes first; None unless it is a state of this very model."""
        if file.read(len(MAGIC)) != MAGIC:
            return None
        length = file.read(_LENGTH.size)
        if len(length) != _LENGTH.size or _LENGTH.unpack(length)[0] > MAX_DESCRIPTION:
            return None
        try:
            about = json.loads(file.read(_LENGTH.unpack(length)[0]))
        except (ValueError, RecursionError):
            return None
        if not isinstance(about, dict) or about.get("key") != self._key:
            return None
        tokens, size = about.get("tokens"), about.get("bytes")
        if type(tokens) is not int or type(size) is not int:
            return None
        if not (0 <= tokens <= MAX_TOKENS and size >= 0):
            return None
        return {"tokens": tokens, "bytes": size}

    def _make_room(self) -> None:
        """Delete the states used longest ago until the rest is within the limit."""
        files: list[tuple[float, int, Path]] = []
        for path in self._folder.glob(f"*{SUFFIX}"):
            with contextlib.suppress(OSError):
                about = path.stat()
                files.append((about.st_mtime, about.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self._limit:
                return
            _remove(path)
            total -= size

    def _sweep(self) -> None:
        """Remove what a process left behind that ended while it was writing."""
        for path in self._folder.glob(".*.part"):
            _remove(path)
        self._make_room()


def forget(folder: Path, conversation: str) -> None:
    """Delete the states of `conversation`, whatever models read it."""
    for path in folder.glob(f"{_name(conversation)}-*{SUFFIX}"):
        _remove(path)


def _verified(file: BinaryIO, about: dict[str, int], size: int) -> State | None:
    counted = file.tell() + 4 * about["tokens"] + about["bytes"] + _DIGEST_BYTES
    if counted != size:
        return None
    read = file.tell()
    file.seek(0)
    digest = hashlib.sha256(file.read(read))
    tokens, data = file.read(4 * about["tokens"]), file.read(about["bytes"])
    digest.update(tokens)
    digest.update(data)
    return State(_tokens(tokens), data) if file.read() == digest.digest() else None


def _bytes(tokens: list[int]) -> bytes:
    numbers = array.array("i", tokens)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _tokens(data: bytes) -> list[int]:
    numbers = array.array("i", data[: len(data) // 4 * 4])
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()


def _name(conversation: str) -> str:
    return hashlib.sha256(conversation.encode()).hexdigest()[:32]


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("A state could not be deleted: %s", error)
