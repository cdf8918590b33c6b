"""Writes all files of a change, or none, whatever happens meanwhile.

1. The intent and every content go into the journal and are flushed.
2. New contents are written beside their targets (*staging*); a crash here
   leaves the project as it was, and the next start clears up.
3. Every target is read again and must be what the change was made from.
4. The journal says *committing*; then names are exchanged one by one. A crash
   here is rolled forward at the next start, from the journal.
5. A refusal in between says *reverting*, and what was exchanged goes back.

Undoing is the same walk in the other direction.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace

from commonplace.edits.guard import checked_parts
from commonplace.edits.journal import FileRecord, Journal, Record
from commonplace.edits.system import Folder
from commonplace.edits.tree import FileState, Tree, unusable
from commonplace.errors import CommonplaceError, EditChangedError, EditError, StorageError

WRITABLE = 0o222
USUAL = 0o666
"""What a new file may be before the user's umask."""


class Applier:
    """Carries changes of `tree` out, one at a time; its caller holds the journal's lock."""

    def __init__(self, tree: Tree, journal: Journal) -> None:
        self._tree = tree
        self._system = tree.system
        self._journal = journal

    def run(self, record: Record) -> Record:
        """Carry out a record that is ``staging``; returns it ``settled``.

        Raises `EditError` or `StorageError`; then the files are as they were.
        """
        try:
            self._make_folders(record.made)
            for number, file in enumerate(record.files):
                self._stage(record, number, file)
            self._verify(record)
            record = self._journal.advance(record, phase="committing")
        except BaseException as error:
            if self._clear_staged(record):  # else the next start tries again
                self._remove_folders(record.made)
                self._settle(record, applied=record.direction == "undo")
            if isinstance(error, OSError):
                raise _failed(error) from error
            raise
        return self._commit(record)

    def recover(self, record: Record) -> str:
        """Finish what a crash left: returns what was done, in words, empty if nothing was.

        Raises `EditError` or `StorageError` if that cannot be done now.
        """
        if record.phase == "settled":
            return ""
        try:
            return self._recover(record)
        except OSError as error:
            raise EditError(
                f"“{record.title}” was interrupted and cannot be taken back now: "
                f"{error.strerror or error}.",
                "Mend the cause and open the project again: the journal has every content.",
            ) from error

    def _recover(self, record: Record) -> str:
        self._clear_staged(record)
        if record.phase == "staging":
            self._remove_folders(record.made)
            self._settle(record, applied=record.direction == "undo")
            return f"“{record.title}” was interrupted before it began; no file was changed."
        now = [self._digest(file) for file in record.files]
        theirs = [
            file.path
            for file, digest in zip(record.files, now, strict=True)
            if digest not in {file.before, file.after}
        ]
        forward = record.phase == "committing" and not theirs
        target = record.wanted if forward else record.found
        for file, digest in zip(record.files, now, strict=True):
            if digest != target(file) and file.path not in theirs:
                self._put(record, file, target(file))
        self._finish_folders(record, forward=forward)
        self._settle(record, applied=(record.direction == "do") == forward)
        if theirs:
            return (
                f"“{record.title}” was interrupted and has been taken back; {', '.join(theirs)} "
                "was changed meanwhile and was left as it is."
            )
        how = "completed" if forward else "taken back"
        return f"“{record.title}” was interrupted and has been {how}."

    def _stage(self, record: Record, number: int, file: FileRecord) -> None:
        """Write the new content of `file` beside it, under a name of ours."""
        digest = record.wanted(file)
        *folders, name = checked_parts(file.path)
        with self._tree.folder(folders) as folder:
            self._tree.check_spelling(folder, name, file.path)
            if digest:
                data = self._journal.content(record, digest)
                self._write(folder, name, file, data, _staged(record, number))
            else:
                with (
                    contextlib.suppress(FileNotFoundError),
                    self._tree.opened(folder, name, file.path) as (_, state),
                ):
                    check_writable(file.path, state)

    def _write(self, folder: Folder, name: str, file: FileRecord, data: bytes, staged: str) -> None:
        try:
            with self._tree.opened(folder, name, file.path) as (old, state):
                check_writable(file.path, state)
                self._system.write_like(folder, staged, data, state.mode, old)
        except FileNotFoundError:
            if file.mode < 0:
                self._system.write_new(folder, staged, data, USUAL)
            else:
                self._system.write_like(folder, staged, data, file.mode, None)

    def _verify(self, record: Record) -> None:
        for file in record.files:
            if self._digest(file) != record.found(file):
                raise changed(file.path, gone=not self._exists(file))

    def _commit(self, record: Record) -> Record:
        try:
            for number, file in enumerate(record.files):
                self._exchange(record, number, file)
        except (OSError, CommonplaceError) as error:
            self._revert(record)
            if isinstance(error, OSError):
                raise _failed(error) from error
            raise
        self._finish_folders(record, forward=True)
        return self._settle(record, applied=record.direction == "do")

    def _revert(self, record: Record) -> None:
        """Take back what was exchanged; it is written down before it is done."""
        try:
            self.recover(self._journal.advance(record, phase="reverting"))
        except CommonplaceError as error:
            raise EditError(
                f"“{record.title}” stopped half-way, and cannot be taken back now: {error.message}",
                "Mend the cause and open the project again: the journal has every content.",
            ) from error

    def _exchange(self, record: Record, number: int, file: FileRecord) -> None:
        """Let the staged content take the name, if the file still is what it was."""
        *folders, name = checked_parts(file.path)
        staged = _staged(record, number)
        with self._tree.folder(folders) as folder:
            digest = ""
            with (
                contextlib.suppress(FileNotFoundError),
                self._tree.opened(folder, name, file.path) as (_, state),
            ):
                digest = state.digest
            if digest != record.found(file):
                raise changed(file.path, gone=not digest)
            if not record.wanted(file):
                self._system.unlink(folder, name)
            elif record.found(file):
                self._system.replace(folder, staged, name)
            else:
                try:
                    self._system.publish(folder, staged, name)
                except FileExistsError as error:
                    raise changed(file.path, gone=False) from error
            self._system.flush(folder)

    def _put(self, record: Record, file: FileRecord, digest: str) -> None:
        """Bring one file to the content `digest` without asking what it holds now."""
        *folders, name = checked_parts(file.path)
        if digest:
            self._make_folders(self._tree.missing_folders(folders))
        with self._tree.folder(folders) as folder:
            if digest:
                staged = _staged(record, 0)
                self._write(folder, name, file, self._journal.content(record, digest), staged)
                self._system.replace(folder, staged, name)
            else:
                self._system.unlink(folder, name)
            self._system.flush(folder)

    def _digest(self, file: FileRecord) -> str:
        """Return the hash of a file as it is now, empty if there is none, ``?`` if unusable."""
        try:
            state = self._tree.state(file.path)
        except EditError:
            return "?"
        return "" if state is None else state.digest

    def _exists(self, file: FileRecord) -> bool:
        return self._digest(file) != ""

    def _make_folders(self, paths: Sequence[str]) -> None:
        for path in paths:
            *above, name = checked_parts(path)
            with self._tree.folder(above) as folder, contextlib.suppress(FileExistsError):
                self._system.make_folder(folder, name)
                self._system.flush(folder)

    def _finish_folders(self, record: Record, *, forward: bool) -> None:
        """Remove the folders that are not needed the way the operation went."""
        if not forward:
            self._remove_folders(record.made)
        elif record.direction == "undo":
            self._remove_folders(record.born)

    def _remove_folders(self, paths: Sequence[str]) -> None:
        """Remove those of the folders that are empty, innermost first."""
        for path in reversed(paths):
            *above, name = checked_parts(path)
            with contextlib.suppress(OSError, EditError), self._tree.folder(above) as folder:
                self._system.remove_folder(folder, name)

    def _clear_staged(self, record: Record) -> bool:
        """Remove what was written beside the targets; False if some of it may be left."""
        cleared = True
        ours = {_staged(record, number) for number in range(len(record.files))}
        for folders in {tuple(checked_parts(file.path)[:-1]) for file in record.files}:
            try:
                with self._tree.folder(folders) as folder:
                    for name in ours.intersection(self._system.names(folder)):
                        self._system.unlink(folder, name)
            except FileNotFoundError:
                continue
            except (OSError, EditError):
                cleared = False
        return cleared

    def _settle(self, record: Record, *, applied: bool) -> Record:
        """Write down that nothing is under way; a change that never was is forgotten.

        Where that cannot be written, the files are right all the same, and the
        next start finds nothing left to do.
        """
        if not applied and not record.once:
            self._journal.drop(record)
            return record
        try:
            return self._journal.advance(record, phase="settled", applied=applied, once=True)
        except StorageError:
            return replace(record, phase="settled", applied=applied)


def changed(path: str, *, gone: bool) -> EditChangedError:
    """Return the error for a file that is not what a change was made from."""
    how = "is gone" if gone else "was changed by another program"
    return EditChangedError(
        f"{path} {how} since this was proposed.",
        "Nothing was written. Look at the file as it is now, and propose the change again.",
    )


def check_writable(path: str, state: FileState) -> None:
    """Raise `EditError` for a file that its owner marked read-only."""
    if not state.mode & WRITABLE:
        raise unusable(path, "it is marked read-only")


def _failed(error: OSError) -> EditError:
    return EditError(
        f"The change could not be written: {error.strerror or error}.",
        "Every file is as it was. Mend the cause and apply the change again.",
    )


def _staged(record: Record, number: int) -> str:
    return f".commonplace-edit-{record.id}-{number}.tmp"
