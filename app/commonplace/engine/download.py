"""One file from the network to the disk: resumed, checked, and never half there.

What has arrived lies in ``NAME.gguf.part``, beside ``NAME.gguf.part.json`` which
says what it is a part of. A resumed download asks for the rest only of the very
same file (``If-Range``), and believes the server only if the answer begins where
ours ends. The file gets its name when its size, its checksum (if one is known)
and its header are right. A kill at any moment leaves a part that is gone on with.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from commonplace.engine.gguf import size_in_words
from commonplace.engine.gguf_format import MAGIC, read_contents
from commonplace.engine.progress import Progress, Speed
from commonplace.errors import (
    CancelledError,
    CommonplaceError,
    ConnectionLostError,
    ModelError,
    NetworkError,
    StorageError,
)
from commonplace.network.channel import Limits
from commonplace.network.door import Door, Request
from commonplace.network.grants import Purpose
from commonplace.network.response import Response

log = logging.getLogger(__name__)

PART = ".part"
RESERVE = 256 << 20
"""Bytes that stay free on the disk."""
LARGEST = 1 << 42
HASH_PIECE = 4 << 20
REPORT_SECONDS = 0.2
RETRIES = 5
"""Attempts without a single new byte before it is given up."""
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to fetch; `size` (0: unknown) must be exact, `sha256` may be empty."""

    url: str
    file: str
    size: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class _Part:
    """What the part on the disk belongs to."""

    url: str
    tag: str
    total: int


class Download:
    """Fetches one file into a folder. `run` may be called again after any failure."""

    def __init__(
        self,
        door: Door,
        wanted: Wanted,
        folder: Path,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        stop: Callable[[], bool] | None = None,
        limits: Limits | None = None,
        pause: float = 1.0,
    ) -> None:
        """`pause` is the first wait in seconds before a lost connection is tried again."""
        self._door = door
        self._wanted = wanted
        self.target = folder / wanted.file
        self.part = folder / f"{wanted.file}{PART}"
        self._about = folder / f"{wanted.file}{PART}.json"
        self._report = on_progress or (lambda _: None)
        self._stop = stop or (lambda: False)
        self._limits = limits or Limits(body=LARGEST)
        self._pause = pause
        self._speed = Speed()
        self._told = 0.0
        self._at: tuple[int, int] | None = None

    def run(self) -> Path:
        """Fetch the file and return where it is.

        Raises `CancelledError` (what arrived is kept), `NetworkError`,
        `StorageError`, or `ModelError` for a file that is not what was wanted.
        """
        try:
            self.target.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{self.part}.lock", timeout=0):
                if not self._there():
                    self._fetch()
                    self._verify()
                    self._put_in_place()
        except Timeout:
            raise ModelError(
                f"{self._wanted.file} is being downloaded already, by another window.",
                "Wait for it, or stop it there.",
            ) from None
        except OSError as error:
            raise _storage(error, self.target.parent) from error
        Path(f"{self.part}.lock").unlink(missing_ok=True)
        return self.target

    def _there(self) -> bool:
        wanted = self._wanted.size
        return self.target.is_file() and self.target.stat().st_size == (
            wanted or self.target.stat().st_size
        )

    def _fetch(self) -> None:
        """Get all bytes into the part, over as many connections as it takes."""
        attempts = 0
        while True:
            before = self._size()
            try:
                self._fetch_once()
            except ConnectionLostError as error:
                attempts = 0 if self._size() > before else attempts + 1
                if attempts >= RETRIES:
                    raise
                log.info("%s; trying again", error.message)
                self._wait(min(self._pause * 2**attempts, 30.0))
            else:
                return

    def _fetch_once(self) -> None:
        known = self._read_about()
        have = self._size()
        if known is None and have:  # nobody knows what it is a part of
            self._discard()
            have = 0
        if known is not None and known.total == have:
            return
        self._report(Progress("connecting", have, known.total if known else 0))
        headers = {}
        if known is not None and have:
            headers = {"Range": f"bytes={have}-", "If-Range": known.tag}
        request = Request(self._wanted.url, headers=headers)
        with self._door.send(
            Purpose.MODELS, request, limits=self._limits, stop=self._asked_to_stop
        ) as response:
            start, total, tag = self._understood(response, known, have)
            self._check_total(total)
            self._check_space(total - start)
            self._write_about(_Part(self._wanted.url, tag, total))
            self._receive(response, start, total)

    def _understood(
        self, response: Response, known: _Part | None, have: int
    ) -> tuple[int, int, str]:
        """Return where the answer begins, how long the file is, and its tag."""
        tag = _strong_tag(response)
        if response.status == 200:  # the whole file: the server has no ranges, or it changed
            return 0, response.length or 0, tag
        if response.status == 206 and known is not None:
            found = _RANGE.fullmatch(response.headers.get("content-range", ""))
            if found is not None:
                first, last, total = map(int, found.groups())
                if first == have and last == total - 1 and total == known.total:
                    return have, total, known.tag
            self._discard()
            raise ConnectionLostError(
                "The server sent another piece than it was asked for.", "It begins anew."
            )
        if response.status == 416 and have:
            self._discard()
            raise ConnectionLostError("The file has changed on the server.", "It begins anew.")
        raise _refused(response)

    def _receive(self, response: Response, start: int, total: int) -> None:
        done = start
        with self.part.open("r+b" if start else "wb") as file:
            try:
                file.truncate(start)
                file.seek(start)
                for piece in _of_this_length(response, start, total):
                    file.write(piece)
                    done += len(piece)
                    self._speed.add(done)
                    self._at = (done, total)
                    self._tell_where()
            except (ConnectionLostError, CancelledError, OSError):
                raise
            except CommonplaceError:  # what came is not the file: nothing of it is kept
                file.truncate(0)
                self._about.unlink(missing_ok=True)
                raise
            finally:
                self._at = None
                with contextlib.suppress(OSError):  # a full disk was told above
                    file.flush()
            os.fsync(file.fileno())
        if not total:  # a server that never said how long it is: what came is all
            self._write_about(_Part(self._wanted.url, "", done))
        self._report(Progress("downloading", done, total or done, self._speed.value))

    def _verify(self) -> None:
        """Check size, checksum and header; a part that is wrong is thrown away."""
        try:
            self._check_size()
            if self._wanted.sha256:
                self._check_sum()
            read_contents(self.part)
        except ModelError as error:
            self._discard()
            name = self.part.name
            raise ModelError(error.message.replace(name, self.target.name), error.remedy) from error

    def _check_size(self) -> None:
        size = self._size()
        if self._wanted.size and size != self._wanted.size:
            raise ModelError(
                f"{self._wanted.file} has {size:,} bytes and should have {self._wanted.size:,}.",
                "Download it again.",
            )

    def _check_sum(self) -> None:
        size = self._size()
        digest = hashlib.sha256()
        with self.part.open("rb") as file:
            for done, piece in _pieces(file):
                if self._stop():
                    raise CancelledError("Stopped.")
                digest.update(piece)
                self._tell(Progress("verifying", done, size))
        if digest.hexdigest() != self._wanted.sha256:
            raise ModelError(
                f"{self._wanted.file} is not the file of the catalogue: its checksum differs.",
                "It was thrown away. Download it again; if that repeats, its publisher changed it.",
            )

    def _put_in_place(self) -> None:
        self.part.replace(self.target)
        self._about.unlink(missing_ok=True)
        if os.name == "posix":
            folder = os.open(self.target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _check_total(self, total: int) -> None:
        if self._wanted.size and total and total != self._wanted.size:
            raise NetworkError(
                f"The server's file has {total:,} bytes and the catalogue's "
                f"{self._wanted.size:,}: it is another one.",
                "Choose another model, or set models.address to another server.",
            )

    def _check_space(self, more: int) -> None:
        free = shutil.disk_usage(self.target.parent).free
        if more + RESERVE > free:
            raise StorageError(
                f"{self._wanted.file} needs {size_in_words(more)} more and "
                f"{size_in_words(free)} are free on the disk of {self.target.parent}.",
                "Free some space; what has arrived is kept.",
            )

    def _wait(self, seconds: float) -> None:
        self._report(Progress("waiting", self._size()))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._stop():
                raise CancelledError("Stopped.")
            time.sleep(min(0.05, seconds))

    def _asked_to_stop(self) -> bool:
        """Pass the question on; it is asked while nothing arrives, which is worth telling too."""
        self._tell_where()
        return self._stop()

    def _tell_where(self) -> None:
        if self._at is not None:
            self._tell(Progress("downloading", *self._at, self._speed.value))

    def _tell(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._told >= REPORT_SECONDS:
            self._told = now
            self._report(progress)

    def _size(self) -> int:
        try:
            return self.part.stat().st_size
        except FileNotFoundError:
            return 0

    def _read_about(self) -> _Part | None:
        """Return what the part belongs to, if it can be gone on with."""
        try:
            values = json.loads(self._about.read_text(encoding="utf-8"))
            part = _Part(str(values["url"]), str(values["tag"]), int(values["total"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        usable = part.url == self._wanted.url and part.total >= self._size()
        return part if usable and (part.tag or part.total == self._size() > 0) else None

    def _write_about(self, part: _Part) -> None:
        text = json.dumps({"url": part.url, "tag": part.tag, "total": part.total})
        new = self._about.with_name(f"{self._about.name}.new")
        new.write_text(text, encoding="utf-8")
        new.replace(self._about)

    def _discard(self) -> None:
        self.part.unlink(missing_ok=True)
        self._about.unlink(missing_ok=True)


def _of_this_length(response: Response, start: int, total: int) -> Iterator[bytes]:
    """Yield the body; raise if it is no GGUF file or longer than `total` (0: unknown)."""
    done = start
    for piece in response.pieces():
        if not done and not piece.startswith(MAGIC[: len(piece)]):
            raise ModelError(
                f"What {response.where} sent is not a GGUF file.",
                "A network that asks you to sign in may have answered in its place.",
            )
        done += len(piece)
        if total and done > total:
            raise NetworkError("The server sent more than it said.", "Try again.")
        yield piece


def _pieces(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    done = 0
    while piece := file.read(HASH_PIECE):
        done += len(piece)
        yield done, piece


def _strong_tag(response: Response) -> str:
    """Return what identifies this very file: a strong ETag, else its date, else nothing."""
    tag = response.headers.get("etag", "")
    if tag and not tag.startswith("W/"):
        return tag
    return response.headers.get("last-modified", "")


def _refused(response: Response) -> CommonplaceError:
    status = response.status
    if status in {401, 403}:
        return NetworkError(
            f"The server does not give this file to everybody ({status}).",
            "Its publisher may want you to accept a licence: download it with a browser, "
            "then import the file.",
        )
    if status in {404, 410}:
        return NetworkError(
            f"The server no longer has this file ({status}).",
            "Choose another model, or download it with a browser and import the file.",
        )
    if status in {408, 425, 429} or status >= 500:
        return ConnectionLostError(f"The server is busy ({status}).", "Try again later.")
    return NetworkError(f"The server answered with status {status}.", "Try again later.")


def _storage(error: OSError, folder: Path) -> StorageError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return StorageError(
            f"There is no space left for the model in {folder}.",
            "Free some space; what has arrived is kept.",
        )
    return StorageError(
        f"Cannot write into {folder}: {error.strerror or error}.", "Mend its permissions."
    )
