"""The files of one shelf: found, read, and replaced without losing a version.

A file is replaced only if it still holds the version that the change was made
from; the new one is written beside it, flushed and renamed, with the mode of
the old. No link is followed, neither to a file nor on the way to one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from commonplace.book.ids import file_stem
from commonplace.book.note import Shelf
from commonplace.errors import NoteChangedError, NoteError, StorageError
from commonplace.index.rows import content_hash
from commonplace.workspace.files import FileStat, explain, is_utf8, join
from commonplace.workspace.reading import parts_of, read_below

SUFFIXES = (".md", ".markdown")
MAX_BYTES = 16 * 1024 * 1024
"""A note above this is shown and not read: no person wrote it."""
MAX_DEPTH = 8
MAX_NAMES = 10_000


@dataclass(frozen=True, slots=True)
class Unread:
    """A file of the folder that is no note, or cannot be read, and why."""

    file: str
    reason: str


class NoteFolder:
    """The notes of one shelf, below `folder`, which need not exist yet.

    `base` is the folder that is trusted: the project, or the user's data.
    """

    def __init__(self, base: Path, below: str, shelf: Shelf) -> None:
        self.base = base
        self.below = below
        self.shelf: Shelf = shelf

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self.base / self.below

    def path(self, file: str) -> Path:
        """Return where a note's file lies."""
        return self.folder / file

    def scan(self) -> tuple[dict[str, FileStat], list[Unread]]:
        """Return the state of every note's file, and what is left out and why."""
        files: dict[str, FileStat] = {}
        unread: list[Unread] = []
        waiting = [("", 0)] if self._is_safe() else []
        while waiting:
            folder, depth = waiting.pop()
            try:
                with os.scandir(self.folder / folder) as listing:
                    entries = list(listing)
            except FileNotFoundError:
                continue
            except OSError as error:
                unread.append(Unread(folder, explain(error)))
                continue
            for entry in entries:
                self._take(entry, folder, depth, files, unread, waiting)
        return files, unread

    def read(self, file: str) -> bytes:
        """Return the bytes of a note; raises `OSError`."""
        return read_below(self.base, f"{self.below}/{file}", MAX_BYTES)

    def hash_of(self, file: str) -> str:
        """Return the content address of a file as it is now, or nothing if it is gone."""
        try:
            return content_hash(self.read(file)).hex()
        except FileNotFoundError:
            return ""

    def create(self, title: str, data: bytes) -> str:
        """Write a new note under a name that follows from its title; returns the name.

        Raises `StorageError`.
        """
        stem = file_stem(title)
        with self._storage():
            self._make_folder()
            for number in range(1, MAX_NAMES):
                file = f"{stem}{f'-{number}' if number > 1 else ''}.md"
                with contextlib.suppress(FileExistsError):
                    self._write_new(file, data)
                    return file
        raise NoteError(f"There are too many notes called {stem}.", "Give it a title of its own.")

    def restore(self, file: str, data: bytes) -> None:
        """Write a file that is not there; raises `NoteChangedError` if it is."""
        with self._storage():
            self._make_folder(file)
            try:
                self._write_new(file, data)
            except FileExistsError as error:
                raise _changed(self.path(file)) from error

    def replace(self, file: str, data: bytes, expected: str) -> None:
        """Put `data` in place of the version whose hash is `expected`.

        Raises `NoteChangedError` when the file holds another one, `NoteError`
        for a file that cannot be replaced safely, and `StorageError`.
        """
        target = self.path(file)
        with self._storage():
            info = self._checked(file)
            handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".note-", suffix=".tmp")
            try:
                with os.fdopen(handle, "wb") as out:
                    out.write(data)
                    out.flush()
                    os.fsync(out.fileno())
                Path(temporary).chmod(stat.S_IMODE(info.st_mode))
                self._expect(file, expected)
                Path(temporary).replace(target)
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(temporary).unlink()
                raise
            _flush_folder(target.parent)

    def remove(self, file: str, expected: str | None) -> None:
        """Delete a note's file, if it is still the version whose hash is `expected`.

        None deletes whatever is there. Raises as `replace` does.
        """
        target = self.path(file)
        with self._storage():
            if expected is not None:
                self._expect(file, expected)
                self._checked(file)
            parts_of(file)
            if not self._is_safe():
                raise _refused(target)
            target.unlink(missing_ok=True)
            _flush_folder(target.parent)

    def _take(
        self,
        entry: os.DirEntry[str],
        folder: str,
        depth: int,
        files: dict[str, FileStat],
        unread: list[Unread],
        waiting: list[tuple[str, int]],
    ) -> None:
        file = join(folder, entry.name)
        if entry.name.startswith("."):
            return
        try:
            if entry.is_symlink():
                unread.append(Unread(file, "symbolic link; links are not followed"))
            elif entry.is_dir(follow_symlinks=False):
                if depth < MAX_DEPTH:
                    waiting.append((file, depth + 1))
            elif entry.name.lower().endswith(SUFFIXES):
                if is_utf8(file):
                    files[file] = FileStat.of(file, entry.stat(follow_symlinks=False))
                else:
                    name = os.fsencode(file).decode("utf-8", "backslashreplace")
                    unread.append(Unread(name, "its name is not valid UTF-8"))
            else:
                unread.append(Unread(file, "not a Markdown file (.md)"))
        except FileNotFoundError:
            return
        except OSError as error:
            unread.append(Unread(file, explain(error)))

    def _is_safe(self) -> bool:
        """Whether no part of the way to the folder is a link."""
        here = self.base
        for part in self.below.split("/"):
            here /= part
            if here.is_symlink():
                return False
        return True

    def _make_folder(self, file: str = "") -> None:
        target = self.path(file).parent if file else self.folder
        if not self._is_safe():
            raise _refused(target)
        target.mkdir(parents=True, exist_ok=True)

    def _write_new(self, file: str, data: bytes) -> None:
        """Write a file that must not exist: it is there whole or not at all."""
        target = self.path(file)
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".note-", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
            Path(temporary).chmod(0o644 if self.shelf == "shared" else 0o600)
            try:
                os.link(temporary, target)  # fails if the name was taken meanwhile
            except FileExistsError:
                raise
            except OSError:  # a file system without hard links
                if os.path.lexists(target):
                    raise
                Path(temporary).rename(target)
        finally:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        _flush_folder(target.parent)

    def _expect(self, file: str, expected: str) -> None:
        if self.hash_of(file) != expected:
            raise _changed(self.path(file))

    def _checked(self, file: str) -> os.stat_result:
        target = self.path(file)
        parts_of(file)
        try:
            info = target.lstat()
        except FileNotFoundError as error:
            raise _changed(target) from error
        if not self._is_safe() or not stat.S_ISREG(info.st_mode):
            raise _refused(target)
        if info.st_nlink > 1:
            raise NoteError(
                f"{target} has a second name (a hard link), which a change would cut off.",
                "Edit it in an editor, or remove the other name.",
            )
        return info

    @contextlib.contextmanager
    def _storage(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(
                f"The notes in {self.folder} cannot be written: {error.strerror or error}.",
                "Mend the folder's permissions or free some space; the note is as it was.",
            ) from error


def _changed(path: Path) -> NoteChangedError:
    return NoteChangedError(
        f"{path.name} was changed by another program in the meantime.",
        "Look at the new version and make the change again; nothing was overwritten.",
    )


def _refused(path: Path) -> NoteError:
    return NoteError(
        f"{path} is reached through a link, or is no plain file.",
        "Put a real folder with real files there.",
    )


def _flush_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where folders can be flushed."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
