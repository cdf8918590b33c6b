"""Whatever happens to a project, after a refresh the index equals the disk."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from commonplace.memory.project import Memory
from commonplace.paths import StatePaths
from faults.trees import SUFFIXES, imports, source
from faults.truth import assert_index_is_disk, assert_memory_is_disk, index_file, paths_with

FOLDERS = ("", "src", "src/deep", "docs", "build")
NAMES = (
    *(f"{stem}{suffix}" for stem in ("one", "two", "naïve 文") for suffix in SUFFIXES[:4]),
    *("__init__.py", "index.js", "go.mod", "one.c"),
)
RULES = ("build/\n", "*.md\n", "/src/deep\n", "one.*\n!one.py\n", "")

folders = st.sampled_from(FOLDERS)
names = st.sampled_from(NAMES)


class ProjectMachine(RuleBasedStateMachine):
    """A project edited at random, and a memory that is to keep up with it."""

    @initialize()
    def begin(self) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="commonplace-stateful-"))
        self.root = self.base / "project"
        self.root.mkdir()
        self.state = StatePaths(*(self.base / name for name in ("config", "data", "cache")))
        self.memory = self.opened()
        self.count = 0
        self.touched: set[str] = set()
        self.branches: dict[str, dict[str, bytes]] = {}
        for number, folder in enumerate(FOLDERS):
            self.write(folder, NAMES[number], 2)

    def opened(self) -> Memory:
        return Memory(self.root, self.state, embedder="hash")

    def marker(self) -> str:
        self.count += 1
        return f"qx{self.count}marker"

    @rule(folder=folders, name=names, size=st.integers(1, 12))
    def write(self, folder: str, name: str, size: int) -> None:
        """Create or replace a file."""
        target = self.root / folder / name
        if not self.room_for(target):
            return
        head = "module example.com/p\n" if name == "go.mod" else imports(target.suffix)
        text = head + source(self.marker(), target.suffix, size)
        target.write_text(text, encoding="utf-8")
        self.touched.add(folder)

    @rule(folder=folders, name=names)
    def write_same_size(self, folder: str, name: str) -> None:
        """Change one letter and set the old time again: only the inode's change time tells."""
        target = self.root / folder / name
        if not target.is_file():
            return
        info, data = target.stat(), target.read_bytes()
        target.write_bytes(data.swapcase())
        os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns))
        self.touched.add(folder)

    @rule(
        folder=folders,
        name=names,
        data=st.sampled_from([b"", b"\0bin", b"\xff\xfe", b"\xe9t\xe9\n"]),
    )
    def write_odd_bytes(self, folder: str, name: str, data: bytes) -> None:
        target = self.root / folder / name
        if self.room_for(target):
            target.write_bytes(data)
            self.touched.add(folder)

    @rule(folder=folders, name=names, to=folders, new=names)
    def rename(self, folder: str, name: str, to: str, new: str) -> None:
        target = self.root / to / new
        if (self.root / folder / name).is_file() and self.room_for(target):
            (self.root / folder / name).replace(target)
            self.touched |= {folder, to}

    @rule(folder=folders, to=st.sampled_from(["moved", "src/moved", "docs"]))
    def move_folder(self, folder: str, to: str) -> None:
        source_folder, target = self.root / folder, self.root / to
        inside = target.is_relative_to(source_folder)
        if folder and source_folder.is_dir() and not target.exists() and not inside:
            target.parent.mkdir(parents=True, exist_ok=True)
            source_folder.rename(target)
            self.touched.add("")

    @rule(folder=folders, name=names)
    def delete(self, folder: str, name: str) -> None:
        (self.root / folder / name).unlink(missing_ok=True)
        self.touched.add(folder)

    @rule(folder=folders)
    def delete_folder(self, folder: str) -> None:
        if folder and (self.root / folder).is_dir():
            shutil.rmtree(self.root / folder)
            self.touched.add(str(Path(folder).parent).removeprefix("."))

    @rule(folder=st.sampled_from(["", "src"]), text=st.sampled_from(RULES))
    def change_ignore_file(self, folder: str, text: str) -> None:
        if (self.root / folder).is_dir():
            (self.root / folder / ".commonplaceignore").write_text(text)
            self.touched.add(folder)

    @rule(branch=st.sampled_from(["main", "feature"]))
    def remember_branch(self, branch: str) -> None:
        self.branches[branch] = {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file()
        }

    @precondition(lambda self: self.branches)
    @rule(branch=st.sampled_from(["main", "feature"]))
    def switch_branch(self, branch: str) -> None:
        """Replace everything at once, as a checkout does."""
        if branch not in self.branches:
            return
        for entry in self.root.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        for path, data in self.branches[branch].items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_bytes(data)
        self.touched.add("")

    @rule()
    def restart(self) -> None:
        self.memory.close()
        self.memory = self.opened()

    @rule()
    def refresh_what_was_touched(self) -> None:
        """A partial look finds all, as long as events named every folder."""
        self.memory.refresh(self.touched)
        assert_index_is_disk(self.root, self.state)
        self.touched = set()

    @rule(step=st.integers(1, 20))
    def embed_a_little(self, step: int) -> None:
        self.memory.embed(limit=step)

    @rule()
    def refresh_everything(self) -> None:
        self.memory.refresh()
        while self.memory.embed(limit=64):
            pass
        self.touched = set()
        assert_memory_is_disk(self.memory, self.state)
        self.markers_are_found_where_they_are()

    def markers_are_found_where_they_are(self) -> None:
        """Every marker is found in the files that hold it, and nowhere else."""
        indexed = set(self.memory.files())
        with closing(sqlite3.connect(index_file(self.root, self.state))) as conn:
            for number in range(1, self.count + 1):
                marker = f"qx{number}marker"
                holders = {
                    path
                    for path in indexed
                    if marker in (self.root / path).read_text("utf-8", "replace").lower()
                }
                assert set(paths_with(conn, marker)) == holders

    @invariant()
    def status_counts_what_is_stored(self) -> None:
        if hasattr(self, "memory"):
            assert self.memory.status.files == len(self.memory.files())

    def room_for(self, target: Path) -> bool:
        """Whether a file may be written there; makes its folder."""
        if target.is_dir():
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        return True

    def teardown(self) -> None:
        if hasattr(self, "memory"):
            try:
                self.refresh_everything()
            finally:
                self.memory.close()
                shutil.rmtree(self.base)


TestProject = ProjectMachine.TestCase
TestProject.settings = settings(
    max_examples=70,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
