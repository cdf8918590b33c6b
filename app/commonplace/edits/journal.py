"""What was changed, kept so that it can be taken back: one folder for each change.

A folder holds ``record.json`` and the contents before and after, each named by
its SHA-256. The record is replaced as a whole and flushed, so a crash leaves
the one before or the one after. Folders and files are for the user alone.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from commonplace.edits.system import Folder, System
from commonplace.edits.tree import digest_of
from commonplace.errors import EditError, StorageError
from commonplace.storage.documents import Form

MAX_CHANGES = 200
MAX_BYTES = 64 * 1024 * 1024
LOCK_SECONDS = 10.0
FORM = Form()
"""The forms that a record has had."""
NAME = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
RECORD, FRESH = "record.json", "record.new"

Direction = Literal["do", "undo"]
Phase = Literal["staging", "committing", "reverting", "settled"]


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file of a change: the hashes before and after, empty where there is no file.

    `mode` are the permission bits it gets when there is none to take them from;
    -1 means those of any new file.
    """

    path: str
    before: str
    after: str
    mode: int


@dataclass(frozen=True, slots=True)
class Record:
    """One change of one or more files, and how far it is.

    `made` are the folders that the operation under way has to make, `born` those
    that the change brought with it. `applied` is what holds once the phase is
    ``settled``; `once` that it was applied at some time. `order` grows with each
    step taken, done or undone.
    """

    id: str
    when: float
    title: str
    files: tuple[FileRecord, ...]
    made: tuple[str, ...] = ()
    born: tuple[str, ...] = ()
    direction: Direction = "do"
    phase: Phase = "settled"
    applied: bool = False
    once: bool = False
    order: int = 0

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        """Read what `to_json` wrote; raises `KeyError`, `TypeError` or `ValueError`."""
        return cls(
            str(data["id"]),
            float(data["when"]),
            str(data["title"]),
            tuple(
                FileRecord(str(f["path"]), str(f["before"]), str(f["after"]), int(f["mode"]))
                for f in data["files"]
            ),
            tuple(map(str, data["made"])),
            tuple(map(str, data["born"])),
            data["direction"],
            data["phase"],
            bool(data["applied"]),
            bool(data["once"]),
            int(data["order"]),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON holds it."""
        return {FORM.key: FORM.newest, **asdict(self)}

    def wanted(self, file: FileRecord) -> str:
        """Return the hash that the operation under way leads to."""
        return file.after if self.direction == "do" else file.before

    def found(self, file: FileRecord) -> str:
        """Return the hash that the operation under way starts from."""
        return file.before if self.direction == "do" else file.after


class Journal:
    """The changes of one project, below `folder`."""

    def __init__(self, folder: Path, system: System | None = None) -> None:
        self.folder = folder
        self._system = system or System()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the journal, for one process at a time; raises `EditError`, `StorageError`."""
        with _storage(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o700)
        lock = FileLock(self.folder / "lock", timeout=LOCK_SECONDS, mode=0o600)
        try:
            lock.acquire()
        except Timeout as error:
            raise EditError(
                "Another window is changing files of this project.", "Try again in a moment."
            ) from error
        except OSError as error:
            raise _failed(self.folder, error) from error
        try:
            yield
        finally:
            lock.release()

    def records(self) -> list[Record]:
        """Return all changes, the newest step first. What cannot be read is left out.

        Raises `NewerDataError` if a newer version made one of them: only that version
        knows whether files are in the middle of being changed, so nothing is done.
        """
        found: list[Record] = []
        for folder in self._folders():
            with contextlib.suppress(OSError, AttributeError, KeyError, TypeError, ValueError):
                data = json.loads((folder / RECORD).read_text(encoding="utf-8"))
                FORM.bring_up(data, folder / RECORD)
                record = Record.from_json(data)
                if record.id == folder.name:
                    found.append(record)
        return sorted(found, key=lambda record: -record.order)

    def begin(
        self,
        title: str,
        files: Sequence[FileRecord],
        contents: Sequence[bytes],
        made: Sequence[str],
    ) -> Record:
        """Write down what is about to be done, so that nothing of it can be lost.

        Raises `StorageError`; then nothing is under way.
        """
        now = time.time()
        name = f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{secrets.token_hex(3)}"
        order = max((record.order for record in self.records()), default=0) + 1
        folders = tuple(made)
        record = Record(
            name, now, title, tuple(files), folders, folders, "do", "staging", order=order
        )
        top, folder = Folder(self.folder), Folder(self.folder / name)
        try:
            with _storage(self.folder):
                self._system.make_folder(top, name, 0o700)
                for digest, data in {digest_of(data): data for data in contents}.items():
                    self._system.write_new(folder, digest, data)
                self._put(record)
                self._system.flush(top)
        except BaseException:
            self.drop(record)
            raise
        return record

    def advance(self, record: Record, **changes: Any) -> Record:
        """Write down the next step of `record` and return it; raises `StorageError`."""
        if changes.get("phase") == "staging":
            order = max((other.order for other in self.records()), default=0) + 1
            changes["order"] = order
        record = replace(record, **changes)
        with _storage(self.folder):
            self._put(record)
        return record

    def content(self, record: Record, digest: str) -> bytes:
        """Return a content by its hash; raises `EditError` if it is damaged or gone."""
        try:
            data = (self.folder / record.id / digest).read_bytes()
        except OSError:
            data = b""
        if digest_of(data) != digest:
            raise EditError(
                f"The journal of change {record.id} is damaged.",
                "This change cannot be taken back; the files were left as they are.",
            )
        return data

    def drop(self, record: Record) -> None:
        """Forget a change."""
        folder = self.folder / record.id
        with contextlib.suppress(OSError):
            (folder / RECORD).unlink(missing_ok=True)  # first: without it nothing was begun
        shutil.rmtree(folder, ignore_errors=True)

    def tidy(self) -> None:
        """Drop what was never begun, and the oldest changes beyond what is kept."""
        records = self.records()
        known = {record.id for record in records}
        for folder in self._folders():
            if folder.name not in known and not (folder / RECORD).exists():
                shutil.rmtree(folder, ignore_errors=True)
        size = 0
        for position, record in enumerate(records):
            size += _size(self.folder / record.id)
            full = position >= MAX_CHANGES or size > MAX_BYTES
            if position and full and record.phase == "settled":
                self.drop(record)

    def _folders(self) -> list[Path]:
        try:
            return [p for p in self.folder.iterdir() if NAME.fullmatch(p.name) and p.is_dir()]
        except OSError:
            return []

    def _put(self, record: Record) -> None:
        folder = Folder(self.folder / record.id)
        (folder.path / FRESH).unlink(missing_ok=True)
        self._keep_old(folder.path / RECORD)
        data = json.dumps(record.to_json(), ensure_ascii=True).encode()
        self._system.write_new(folder, FRESH, data)
        self._system.replace(folder, FRESH, RECORD)
        self._system.flush(folder)

    @staticmethod
    def _keep_old(path: Path) -> None:
        """Copy a record of an old form before it is written in the newest."""
        if FORM.newest > 1:
            with contextlib.suppress(FileNotFoundError, ValueError, AttributeError):
                found = FORM.bring_up(json.loads(path.read_text(encoding="utf-8")), path)
                FORM.keep_old(path, found)


@contextlib.contextmanager
def _storage(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _failed(folder, error) from error


def _failed(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"The journal of changes in {folder} cannot be written: {error.strerror or error}.",
        "Free some space or mend its permissions; no file was changed.",
    )


def _size(folder: Path) -> int:
    total = 0
    with contextlib.suppress(OSError):
        total = sum(file.stat().st_size for file in folder.iterdir())
    return total
