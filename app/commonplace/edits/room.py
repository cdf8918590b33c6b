"""The door to this room: propose, apply, list, undo and redo changes of one project."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from commonplace.edits.applying import Applier, changed, check_writable
from commonplace.edits.changes import EditPlan, FileChange, Proposal
from commonplace.edits.document import Document
from commonplace.edits.guard import asks_twice, checked_parts
from commonplace.edits.journal import FileRecord, Journal, Record
from commonplace.edits.placing import place
from commonplace.edits.reading import read_answer, read_patch
from commonplace.edits.system import System
from commonplace.edits.tree import Tree, digest_of
from commonplace.errors import EditChangedError, EditError
from commonplace.paths import StatePaths


@dataclass(frozen=True, slots=True)
class Step:
    """What `apply`, `undo` or `redo` did: the record, and what was mended before it."""

    record: Record
    recovered: tuple[str, ...] = ()


class Edits:
    """Changes the files of the project at `root` (absolute, resolved), and remembers how.

    Safe to use from any thread; processes wait for one another.
    """

    def __init__(
        self,
        root: Path,
        paths: StatePaths,
        system: System | None = None,
        *,
        hold_folders: bool | None = None,
    ) -> None:
        kept_out = (paths.config, paths.data, paths.cache)
        if hold_folders is None:
            self._tree = Tree(root, system, kept_out)
        else:
            self._tree = Tree(root, system, kept_out, hold_folders=hold_folders)
        self._journal = Journal(paths.project_data(root) / "edits", system)
        self._applier = Applier(self._tree, self._journal)

    def propose(self, answer: str) -> Proposal:
        """Return what `answer` proposes, held against the files as they are now."""
        return place(read_answer(answer), self.read)

    def propose_patch(self, data: bytes) -> Proposal:
        """Return what a patch file, or a file with an answer in it, proposes.

        Raises `EditError` for a file that holds neither.
        """
        return place(read_patch(data), self.read, raw=True)

    def apply(self, plan: EditPlan, *, confirmed: bool = False) -> Step:
        """Write all of `plan` or nothing.

        `confirmed` says that a person said yes to `plan.asks_twice` too. Raises
        `EditChangedError` if a file is not what the plan was made from,
        `EditError` for what is refused, and `StorageError`.
        """
        if not plan.writes:
            raise EditError("No change was accepted.", "Accept at least one.")
        _check_plan(plan)
        if plan.asks_twice and not confirmed:
            raise EditError(
                f"These files need a second yes: {'; '.join(plan.asks_twice)}.",
                "Look at them again, and confirm them if you mean it.",
            )
        with self._journal.locked():
            recovered = self._recover()
            files, contents, made = self._prepared(plan)
            title = plan.title or _title(plan)
            record = self._journal.begin(title, files, contents, made)
            record = self._applier.run(record)
            self._journal.tidy()
        return Step(record, recovered)

    def history(self) -> list[Record]:
        """Return the changes that were made, the newest step first."""
        return self._journal.records()

    def find(self, name: str) -> Record:
        """Return the change whose id is, or begins with, `name`; raises `EditError`."""
        found = [record for record in self.history() if record.id.startswith(name) and name]
        if len(found) != 1:
            raise EditError(f"There is no change {name}.", "List the changes to see their ids.")
        return found[0]

    def last(self, *, applied: bool) -> Record | None:
        """Return the change that undoing (or else redoing) without a name means."""
        settled = [r for r in self.history() if r.phase == "settled" and r.applied == applied]
        return settled[0] if settled else None

    def undo(self, name: str = "") -> Step:
        """Take a change back, by default the last one.

        Raises `EditChangedError` if one of its files was changed since; then
        nothing is written, and `difference` shows what undoing would mean.
        """
        return self._turn(name, applied=True)

    def redo(self, name: str = "") -> Step:
        """Do again what was undone, by default the last one; raises as `undo` does."""
        return self._turn(name, applied=False)

    def difference(self, name: str) -> Proposal:
        """Return what leads from the files as they are to those from before a change."""
        record = self.find(name)
        files: list[FileChange] = []
        for file in record.files:
            state = self._tree.state(file.path)
            now = None if state is None else state.data
            wanted = file.before if record.applied else file.after
            then = self._journal.content(record, wanted) if wanted else None
            if now != then:
                files.append(_change(file.path, now, then))
        return Proposal(tuple(files))

    def shown(self, name: str) -> Proposal:
        """Return a change of the journal as it was made."""
        record = self.find(name)
        contents = [
            (
                file.path,
                self._journal.content(record, file.before) if file.before else None,
                self._journal.content(record, file.after) if file.after else None,
            )
            for file in record.files
        ]
        return Proposal(tuple(_change(*each) for each in contents))

    def recover(self) -> tuple[str, ...]:
        """Finish what a crash left; returns what was done, in words. Cheap without any."""
        if all(record.phase == "settled" for record in self.history()):
            return ()
        with self._journal.locked():
            return self._recover()

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes for a proposal, None if there is none; raises `EditError`."""
        state = self._tree.state(path)
        if state is None:
            return None
        check_writable(path, state)
        return state.data

    def _recover(self) -> tuple[str, ...]:
        said = [self._applier.recover(record) for record in self._journal.records()]
        return tuple(filter(None, said))

    def _prepared(self, plan: EditPlan) -> tuple[list[FileRecord], list[bytes], list[str]]:
        """Look at every target once before anything is written down."""
        files: list[FileRecord] = []
        contents: list[bytes] = []
        made: list[str] = []
        for write in plan.writes:
            parts = checked_parts(write.path)
            state = self._tree.state(write.path)
            if (None if state is None else state.data) != write.before:
                raise changed(write.path, gone=state is None)
            if state is not None:
                check_writable(write.path, state)
                mode = state.mode
            else:
                mode = self._mode_of(write.like)
                made += [f for f in self._tree.missing_folders(parts[:-1]) if f not in made]
            files.append(FileRecord(write.path, _digest(write.before), _digest(write.after), mode))
            contents += [data for data in (write.before, write.after) if data is not None]
        return files, contents, made

    def _mode_of(self, like: str) -> int:
        state = self._tree.state(like) if like else None
        return -1 if state is None else state.mode

    def _turn(self, name: str, *, applied: bool) -> Step:
        with self._journal.locked():
            recovered = self._recover()
            record = self.find(name) if name else self.last(applied=applied)
            word = "undo" if applied else "do again"
            if record is None:
                raise EditError(f"There is no change to {word}.", "Apply one first.")
            if record.applied != applied:
                how = "undone already" if applied else "in force"
                raise EditError(f"“{record.title}” is {how}.", "List the changes to see which are.")
            made: list[str] = []
            turned = replace(record, direction="undo" if applied else "do")
            for file in record.files:
                self._check_unchanged(turned, file)
                if turned.wanted(file):
                    parts = checked_parts(file.path)[:-1]
                    made += [f for f in self._tree.missing_folders(parts) if f not in made]
            born = record.born if applied else tuple(made)
            record = self._journal.advance(turned, phase="staging", made=tuple(made), born=born)
            return Step(self._applier.run(record), recovered)

    def _check_unchanged(self, record: Record, file: FileRecord) -> None:
        state = self._tree.state(file.path)
        found = "" if state is None else state.digest
        if found != record.found(file):
            raise EditChangedError(
                f"{file.path} was changed since, so “{record.title}” cannot simply be "
                f"{'undone' if record.direction == 'undo' else 'done again'}.",
                "Nothing was written. Look at the difference, and take what you want of it.",
            )


def _check_plan(plan: EditPlan) -> None:
    seen: set[str] = set()
    for write in plan.writes:
        if write.path in seen or write.before == write.after:
            raise EditError(f"{write.path} is in the plan twice.", "Propose the change again.")
        seen.add(write.path)
        if asks_twice(write.path) and not plan.asks_twice:
            raise EditError(f"{write.path} needs a second yes.", "Propose the change again.")


def _change(path: str, before: bytes | None, after: bytes | None) -> FileChange:
    return FileChange(
        path,
        path,
        None if before is None else Document.of(before),
        None if after is None else Document.of(after),
        asks_twice=asks_twice(path),
    )


def _digest(data: bytes | None) -> str:
    return "" if data is None else digest_of(data)


def _title(plan: EditPlan) -> str:
    paths = [write.path for write in plan.writes]
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
