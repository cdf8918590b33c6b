"""Checking notes against the code: only what changed, in short steps, kept as it goes."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from commonplace.book.catalogue import Catalogue
from commonplace.book.checking import Checker
from commonplace.book.code import Code
from commonplace.book.note import Anchor, AnchorCheck
from commonplace.book.records import Records
from commonplace.errors import CancelledError
from commonplace.words import said
from commonplace.workspace.files import never

BATCH = 500
ELSEWHERE = frozenset({"gone", "moved", "unchecked"})
"""States in which the whole project matters, not the anchored file alone."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An anchor to check: its note, its fingerprint, and the version of its file."""

    key: int
    note: str
    anchor: Anchor
    mark: str
    version: str


def check_anchors(
    catalogue: Catalogue,
    records: Records,
    code: Code,
    paths: Collection[str] | None = None,
    stop: Callable[[], bool] = never,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Check the anchors whose code changed since they were last checked.

    Returns how many; raises `CancelledError` after what was done is kept. An
    anchor without a fingerprint is fresh from now on: what it means today is
    remembered beside the notes.
    """
    waiting = _waiting(catalogue, records, code, paths)
    if not waiting:
        return 0
    checker = Checker(code)
    snapshots = records.snapshots()
    done = 0
    for start in range(0, len(waiting), BATCH):
        rows: list[tuple[int, str, str, str, AnchorCheck]] = []
        baselines: list[tuple[str, str, str]] = []
        texts: list[tuple[str, str, str, str]] = []
        for item in waiting[start : start + BATCH]:
            target, known = item.anchor.target, item.mark
            if not known and (spot := checker.spot(item.anchor)) is not None:
                known = spot.fingerprint
                baselines.append((item.note, target, known))
            noted, before = snapshots.get((item.note, target), ("", ""))
            check = _checked(checker, item.anchor, known, before if noted == known else "")
            if check.state == "fresh" and noted != known:
                texts.append((item.note, target, known, checker.text_of(check)))
            # Kept under the fingerprint that will be known at the next look.
            rows.append((item.key, known, item.anchor.path, item.version, check))
            if stop():
                break
        if baselines:
            records.set_baselines(baselines)
        if texts:
            records.set_snapshots(texts)
        catalogue.put_checks(rows)
        done += len(rows)
        if progress is not None:
            progress(done, len(waiting))
        if stop():
            raise CancelledError("Stopped.")
    return done


def _checked(checker: Checker, anchor: Anchor, mark: str, before: str) -> AnchorCheck:
    if not mark:
        return AnchorCheck(anchor.target, "gone", said("there is no such place"))
    return checker.check(anchor, mark, before)


def _waiting(
    catalogue: Catalogue, records: Records, code: Code, paths: Collection[str] | None
) -> list[Waiting]:
    """Return the anchors that were not checked against the code as it is, by file."""
    earlier = catalogue.checks()
    baselines = records.baselines()
    found = []
    for row in catalogue.anchors():
        if paths is not None and row.anchor.path not in paths:
            continue
        target = row.anchor.target
        mark = row.anchor.fingerprint or baselines.get((row.note, target), "")
        last = earlier.get((row.key, target))
        lost = last is not None and last[3].state in ELSEWHERE
        # A file that the index does not know has no version of its own.
        version = ("" if lost else code.version(row.anchor.path)) or code.generation()
        if last is not None and (last[0], last[2]) == (mark, version):
            continue
        found.append(Waiting(row.key, row.note, row.anchor, mark, version))
    return sorted(found, key=lambda item: item.anchor.path)
