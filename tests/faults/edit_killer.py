"""Kills a change of files after each call that it makes, and looks at what is left.

Run as a program in a folder of its own; prints one JSON object. It forks, so
that a hundred deaths cost no more than a second or two.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from commonplace.edits.changes import EditPlan, Write
from commonplace.edits.room import Edits
from commonplace.edits.system import System
from commonplace.paths import StatePaths

BEFORE = {
    "a.py": b"one\ntwo\n",
    "src/b.py": b"\xef\xbb\xbfthree\r\nfour",
    "src/gone.py": b"five\n",
    "src/deep/moved.py": b"six\n" * 2000,
}
AFTER = {
    "a.py": b"one\n2\n",
    "src/b.py": b"\xef\xbb\xbf3\r\nfour",
    "new/folder/c.py": b"seven\n",
    "src/d.py": b"six\n" * 1999 + b"6\n",
}
PLAN = EditPlan(
    (
        Write("a.py", BEFORE["a.py"], AFTER["a.py"]),
        Write("src/b.py", BEFORE["src/b.py"], AFTER["src/b.py"]),
        Write("src/gone.py", BEFORE["src/gone.py"], None),
        Write("new/folder/c.py", None, AFTER["new/folder/c.py"]),
        Write("src/d.py", None, AFTER["src/d.py"], "src/deep/moved.py"),
        Write("src/deep/moved.py", BEFORE["src/deep/moved.py"], None),
    )
)


class Dying(System):
    """Dies after its `last` call; a write it dies in is half done."""

    def __init__(self, last: int) -> None:
        self._left = last

    def done(self, call: str) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def write(self, descriptor: int, data: bytes) -> int:
        if self._left == 1:
            os.write(descriptor, data[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return super().write(descriptor, data)


def files(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def folders(root: Path) -> set[str]:
    return {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_dir()}


def fresh(base: Path, number: int) -> tuple[Path, StatePaths]:
    home = base / str(number)
    root = home / "project"
    for name, data in BEFORE.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    (root / "a.py").chmod(0o750)
    return root, StatePaths(home / "config", home / "data", home / "cache")


def dies(work: Callable[[], object], told: Path) -> bool:
    """Run `work` in a child; return whether it was killed. It marks `told` at its end."""
    child = os.fork()
    if not child:
        try:
            work()
            told.write_bytes(b"done")
            os._exit(0)
        except BaseException as error:  # noqa: BLE001 - any failure is a failure here
            sys.stderr.write(f"{error!r}\n")
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("the child failed instead of dying")
    return os.WIFSIGNALED(status)


def judge(root: Path, paths: StatePaths, *, acknowledged: bool, undoing: bool) -> str:
    """Recover, then say whether all is old or all is new; anything else ends the program."""
    edits = Edits(root, paths)
    edits.recover()
    now = files(root)
    assert now in (BEFORE, AFTER), sorted(now)
    old = now == BEFORE
    if acknowledged:
        assert old == undoing, "what was acknowledged is lost"
    assert ("new/folder" in folders(root)) != old
    assert (root / "a.py").stat().st_mode & 0o777 == 0o750
    assert all(record.phase == "settled" for record in edits.history())
    assert bool(edits.last(applied=True)) != old
    if old:
        edits.apply(PLAN)
    edits.undo()
    assert files(root) == BEFORE
    return "old" if old else "new"


def kill_everywhere(base: Path, *, undoing: bool) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    for number in range(1, 1000):
        root, paths = fresh(base, number)
        if undoing:
            Edits(root, paths).apply(PLAN)
        edits = Edits(root, paths, Dying(number))
        told = base / f"{number}.told"
        killed = dies(edits.undo if undoing else lambda e=edits: e.apply(PLAN), told)
        outcomes[judge(root, paths, acknowledged=told.exists(), undoing=undoing)] += killed
        if not killed:
            return outcomes
    raise SystemExit("it never came to an end")


def kill_recovery(base: Path, at: int) -> Counter[str]:
    """Die in the middle of an apply, then in the recovery from it, again and again."""
    outcomes: Counter[str] = Counter()
    for number in range(1, 1000):
        root, paths = fresh(base, number)
        told = base / f"{number}.told"
        assert dies(lambda r=root, p=paths: Edits(r, p, Dying(at)).apply(PLAN), told)
        recover = Edits(root, paths, Dying(number)).recover
        killed = dies(recover, told)
        outcomes[judge(root, paths, acknowledged=False, undoing=False)] += killed
        if not killed:
            return outcomes
    raise SystemExit("it never came to an end")


def main() -> None:
    base = Path(sys.argv[1])
    applied = kill_everywhere(base / "apply", undoing=False)
    undone = kill_everywhere(base / "undo", undoing=True)
    first = applied["old"] + 1  # the first death after which the change is completed
    recovered = Counter[str]()
    for at in (first - 10, first, first + 5, first + 10):
        recovered += kill_recovery(base / f"recovery{at}", at)
    points = {"apply": applied, "undo": undone, "recovery": recovered}
    sys.stdout.write(json.dumps(points))


if __name__ == "__main__":
    main()
