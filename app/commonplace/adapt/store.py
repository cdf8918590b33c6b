"""The adapters of one project on disk: kept whole, verified at each use, easy to be rid of.

One folder per adapter, below the user's data folder and never inside the project::

    <data>/projects/<name>/adapters/<id>/adapter.gguf
                                    <id>/record.json     the record and its own checksum
                                    .staging-…/          what is being written
                                    .lock                held by whoever trains

A folder appears under its name by one rename, when all in it is flushed to the disk. So a
kill or a full disk leaves a staging folder at most, which is never read and is swept by
the next one who trains.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from commonplace.adapt.records import ID, RECORD_VERSION, BadRecordError, Record
from commonplace.errors import AdapterError, StorageError
from commonplace.paths import StatePaths

log = logging.getLogger(__name__)

FOLDER = "adapters"
ADAPTER_FILE = "adapter.gguf"
RECORD_FILE = "record.json"
STAGING = ".staging-"
LOCK_FILE = ".lock"
MAX_RECORD = 1 << 20
READ_SIZE = 1 << 20


class AdapterStore:
    """The adapters in `folder`, which need not exist yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of(cls, state: StatePaths, root: Path) -> Self:
        """Return the store of the project at `root`, absolute and resolved.

        Raises `StorageError` if the state would lie inside the project.
        """
        folder = state.project_data(root) / FOLDER
        if Path(os.path.realpath(folder)).is_relative_to(root):
            raise StorageError(
                "The folder of this program's state lies inside the project.",
                "Adapters are never kept there: choose another COMMONPLACE_HOME.",
            )
        return cls(folder)

    @property
    def folder(self) -> Path:
        """Where the adapters are."""
        return self._folder

    def records(self) -> list[Record]:
        """Return the adapters whose record is whole, newest first; files are not verified."""
        found = []
        for number in self._ids():
            try:
                found.append(self._read(number))
            except StorageError as error:
                log.warning("The adapter %s is left alone: %s", number, error)
        return sorted(found, key=lambda record: (record.created, record.id), reverse=True)

    def usable(self, file: str, file_hash: str, model_identity: str) -> Record | None:
        """Return the adapter for just this text of `file` and this model, its file verified.

        None if there is none. Raises `AdapterError` if there is one that is not what was
        accepted; it stays where it is, is not used, and `discard` removes it.
        """
        for record in self.records():
            made_for = (record.file, record.file_hash, record.model_identity)
            if made_for == (file, file_hash, model_identity):
                self.verify(record)
                return record
        return None

    def verify(self, record: Record) -> None:
        """Raise `AdapterError` unless the adapter's file is the one that was accepted."""
        path = self._folder / record.id / ADAPTER_FILE
        try:
            regular = path.is_file() and not path.is_symlink()
            same = regular and path.stat().st_size == record.size
            same = same and file_sha256(path) == record.sha256
        except OSError as error:
            raise AdapterError(
                f"The adapter for {record.file} cannot be read: {error.strerror or error}.",
                "Discard it and adapt again. The model itself is untouched.",
            ) from error
        if not same:
            raise AdapterError(
                f"The adapter for {record.file} is not the file that passed the gate, "
                "so it is not used.",
                "Discard it and adapt again. The model itself is untouched.",
            )

    @contextmanager
    def training(self) -> Iterator[None]:
        """Hold the right to train for this project; sweeps what an earlier trainer left.

        Raises `AdapterError` while another process trains, and `StorageError`.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = FileLock(self._folder / LOCK_FILE, timeout=0, thread_local=False)
            lock.acquire()
        except Timeout as error:
            raise AdapterError(
                "Another adapter of this project is being trained.",
                "Wait for it, or stop it, and try again.",
            ) from error
        except OSError as error:
            raise _storage_error(error) from error
        try:
            for left in self._folder.glob(f"{STAGING}*"):
                shutil.rmtree(left, ignore_errors=True)
            yield
        finally:
            lock.release()

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Give a folder in which an adapter may be written; it is gone afterwards.

        Only within `training`. What the system refuses becomes a `StorageError`.
        """
        staged: Path | None = None
        try:
            staged = Path(tempfile.mkdtemp(prefix=STAGING, dir=self._folder))
            yield staged
        except OSError as error:
            raise _storage_error(error) from error
        finally:
            if staged is not None:
                shutil.rmtree(staged, ignore_errors=True)

    def keep(self, record: Record, staged: Path) -> Record:
        """Take over the adapter in `staged`, in place of older ones for the same file.

        `staged` holds the adapter's file; it is verified against the record, flushed, and
        appears under its name at once with its record. Returns the record with its path.
        """
        adapter = staged / ADAPTER_FILE
        if file_sha256(adapter) != record.sha256:
            raise AdapterError(
                "The adapter changed between the gate and being kept, so it was discarded.",
                "Adapt again; check the disk if it happens again.",
            )
        _write_flushed(staged / RECORD_FILE, _sealed(record))
        _flush(adapter)
        _flush(staged)
        final = self._folder / record.id
        staged.rename(final)
        _flush(self._folder)
        for other in self.records():
            same = other.file == record.file and other.model_identity == record.model_identity
            if same and other.id != record.id:
                self.discard(other.id)
        return dataclasses.replace(record, path=str(final / ADAPTER_FILE))

    def discard(self, number: str) -> bool:
        """Delete one adapter; whether there was one. Raises `StorageError`."""
        if not ID.fullmatch(number):
            return False
        folder = self._folder / number
        try:
            if folder.is_symlink():
                folder.unlink()
                return True
            if not folder.is_dir():
                return False
            # First out of sight: half a folder must not look like an adapter.
            hidden = Path(tempfile.mkdtemp(prefix=STAGING, dir=self._folder))
            folder.rename(hidden / number)
        except OSError as error:
            raise _storage_error(error) from error
        shutil.rmtree(hidden, ignore_errors=True)
        return True

    def discard_all(self) -> int:
        """Delete all adapters, the damaged too; return how many."""
        return sum(self.discard(number) for number in self._ids())

    def _ids(self) -> list[str]:
        with contextlib.suppress(OSError), os.scandir(self._folder) as entries:
            return sorted(entry.name for entry in entries if ID.fullmatch(entry.name))
        return []

    def _read(self, number: str) -> Record:
        path = self._folder / number / RECORD_FILE
        try:
            with path.open("rb") as file:
                data = json.loads(file.read(MAX_RECORD))
        except (OSError, ValueError, RecursionError) as error:
            raise BadRecordError(f"Its record cannot be read: {error}.") from error
        if not isinstance(data, dict) or data.get("version") != RECORD_VERSION:
            raise BadRecordError("Its record is of another version.")
        record = Record.from_wire(data.get("record"))
        if record.id != number or data.get("checksum") != _checksum(data["record"]):
            raise BadRecordError("Its record is not what was written.")
        return dataclasses.replace(record, path=str(self._folder / number / ADAPTER_FILE))


def discard_everywhere(state: StatePaths) -> int:
    """Delete the adapters of all projects; return how many."""
    folders = sorted((state.data / "projects").glob(f"*/{FOLDER}"))
    return sum(AdapterStore(folder).discard_all() for folder in folders)


def file_sha256(path: Path) -> str:
    """Return the checksum of a file, read in pieces; raises `OSError`."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(READ_SIZE):
            digest.update(data)
    return digest.hexdigest()


def _sealed(record: Record) -> bytes:
    about = dataclasses.replace(record, path="").to_wire()
    sealed = {"version": RECORD_VERSION, "record": about, "checksum": _checksum(about)}
    return json.dumps(sealed, indent=1).encode()


def _checksum(about: dict[str, Any]) -> str:
    plain = json.dumps(about, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


def _write_flushed(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _flush(path: Path) -> None:
    """Bring a file or the entries of a folder to the disk, where the system can."""
    with contextlib.suppress(PermissionError):  # Windows opens no folders
        descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _storage_error(error: OSError) -> StorageError:
    return StorageError(
        f"An adapter cannot be written or deleted: {error.strerror or error}.",
        "Make room on the disk, or see that the data folder may be written, and try again. "
        "Nothing half-written is used.",
    )
