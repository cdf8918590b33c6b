"""Whatever lies in the folder, the rest is indexed and the reason is told."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from pathlib import Path

import pytest

from commonplace.index import definitions
from commonplace.index import indexer as indexer_module
from commonplace.index.chunks import chunk_file
from commonplace.index.languages import language_of
from commonplace.index.text import NotTextError, decode
from commonplace.memory.project import Memory
from commonplace.paths import StatePaths
from faults.trees import put, source
from faults.truth import assert_memory_is_disk, listing

GOOD = source("zqgood", ".py")
TEXT = "größe = 1  # naïve 文字\n"

ODD: dict[str, tuple[bytes, str | None]] = {
    "empty.py": (b"", ""),
    "utf8_bom.py": (b"\xef\xbb\xbf" + TEXT.encode(), ""),
    "utf16_bom_le.py": (b"\xff\xfe" + TEXT.encode("utf-16-le"), ""),
    "utf16_bom_be.py": (b"\xfe\xff" + TEXT.encode("utf-16-be"), ""),
    "utf16_half.py": (b"\xff\xfe" + TEXT.encode("utf-16-le")[:-1], "not valid UTF-16"),
    "utf16_no_bom.py": (TEXT.encode("utf-16-le"), "binary"),
    "utf32_bom.py": (TEXT.encode("utf-32"), ""),
    "latin1.py": ("# Größe naïve\nx = 1\n".encode("latin-1"), ""),
    "mixed.py": (TEXT.encode() + "# Größe\n".encode("latin-1"), ""),
    "invalid_utf8.py": (b"x = '\xc3\x28 \xf0\x28\x8c\xbc'\n", ""),
    "surrogate.py": (b"x = '\xed\xa0\x80'\n", ""),
    "nul.py": (b"x = 1\0\ny = 2\n", "binary"),
    "late_nul.py": (b"# a comment of some length\n" * 1000 + b"x = '\0'\n", ""),
    "noise.bin": (bytes(range(256)) * 64, "binary"),
    "one_long_line.js": (b"var a = 1;" * 3000, "lines too long"),
    "only_newlines.py": (b"\n" * 100_000, ""),
    "carriage_returns.py": (b"x = 1\ry = 2\r\nz = 3\n", ""),
    "deep_parentheses.py": (b"(\n" * 20_000, ""),
    "deep_braces.c": (b"{\n" * 20_000, ""),
    "stars.c": (b"int " + b"*" * 19_000 + b"f(int a) {\n}\n" * 40, ""),
    "templates.cpp": (b"template<class T>\n" * 5_000 + b"void f() {}\n", ""),
    "classes.py": (b"".join(b" " * n + b"class A:\n" for n in range(2_000))[: 1 << 20], ""),
    "controls.txt": (b"form\x0cfeed \x1b[31mred\x1b[0m\n", ""),
    "paragraphs.md": ("line\u2028separator\u2029and\x85next\n".encode(), ""),
}


@pytest.fixture
def project(root: Path) -> Path:
    put(root, "good.py", GOOD)
    return root


def remembered(root: Path, state: StatePaths) -> Memory:
    memory = Memory(root, state, embedder="hash")
    memory.refresh()
    memory.embed()
    return memory


@pytest.mark.parametrize("name", ODD)
def test_odd_content_is_read_or_left_out_with_a_reason(name, project, state):
    data, reason = ODD[name]
    put(project, name, data)
    before = listing(project)
    memory = remembered(project, state)
    try:
        assert_memory_is_disk(memory, state)
        told = {item.path: item.reason for item in memory.skipped()}
        assert told.get(name, "").startswith(reason)
        assert memory.search("add_zqgood_1", 5).passages[0].path == "good.py"
    finally:
        memory.close()
    assert listing(project) == before


def test_huge_and_special_files_are_left_out_unread(project, state):
    with (project / "huge.log").open("wb") as file:
        file.truncate(200 << 20)
    put(project, "line.json", b'"' + b"x" * (5 << 20) + b'"')
    os.mkfifo(project / "pipe")
    memory = remembered(project, state)
    try:
        told = {item.path: item.reason for item in memory.skipped()}
        assert told == {
            "huge.log": "larger than 2 MiB",
            "line.json": "larger than 2 MiB",
            "pipe": "named pipe",
        }
        assert_memory_is_disk(memory, state)
    finally:
        memory.close()


def test_loops_of_links_end(project, state):
    (project / "loop").symlink_to(project)
    (project / "a").symlink_to("b")
    (project / "b").symlink_to("a")
    (project / "out").symlink_to("/etc")
    memory = remembered(project, state)
    try:
        assert {item.path for item in memory.skipped()} == {"loop", "a", "b", "out"}
        assert all(item.reason.startswith("symbolic link") for item in memory.skipped())
        assert memory.files() == ["good.py"]
    finally:
        memory.close()


NAMES = (
    "new\nline.py",
    "quo'te\".py",
    "-dash.py",
    "%41{x}.py",
    "*?[a].py",
    "文件 ümlaut 😀.py",
    "right\u202eto left.py",
    "e\u0301 and é.py",
    "a" * 251 + ".py",
)


def test_odd_names_are_indexed_and_found(project, state):
    for number, name in enumerate(NAMES):
        put(project, name, source(f"zqname{number}", ".py"))
    unspeakable = os.fsencode(project) + b"/caf\xe9.py"
    with open(unspeakable, "wb") as file:  # noqa: PTH123 - not a text
        file.write(GOOD.encode())
    memory = remembered(project, state)
    try:
        assert_memory_is_disk(memory, state)
        assert [item.reason for item in memory.skipped()] == ["name is not valid UTF-8"]
        for number, name in enumerate(NAMES):
            assert memory.search(f"add_zqname{number}_1", 3).passages[0].path == name
    finally:
        memory.close()


def test_a_folder_whose_own_name_is_not_utf8_can_be_indexed(tmp_path, state):
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 '\"\n?#%"))
    root.mkdir()
    put(root, "good.py", GOOD)
    memory = remembered(root, state)
    try:
        assert memory.search("add_zqgood_1", 3).passages[0].path == "good.py"
        assert_memory_is_disk(memory, state)
    finally:
        memory.close()


class Moving:
    """Reads as the workspace does, and changes the file behind its back."""

    def __init__(self, memory: Memory, path: Path) -> None:
        self._read = memory.workspace.read
        self._path = path
        self.left = 3

    def __call__(self, name: str) -> bytes:
        data = self._read(name)
        if name == self._path.name and self.left:
            self.left -= 1
            self._path.write_text(source(f"zqmoved{self.left}", ".py"))
            return data[: len(data) // 2]
        return data


def test_a_file_that_changes_while_it_is_read_ends_up_as_it_is_on_disk(project, state, monkeypatch):
    memory = Memory(project, state, embedder="hash")
    try:
        moving = Moving(memory, project / "good.py")
        monkeypatch.setattr(memory.workspace, "read", moving)
        while moving.left:
            memory.refresh()
        memory.refresh()
        memory.embed()
        assert_memory_is_disk(memory, state)
    finally:
        memory.close()


def test_a_file_that_goes_between_scan_and_read_leaves_nothing(project, state, monkeypatch):
    memory = Memory(project, state, embedder="hash")

    def gone(_: str) -> bytes:
        (project / "good.py").unlink(missing_ok=True)
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    try:
        monkeypatch.setattr(memory.workspace, "read", gone)
        memory.refresh()
        monkeypatch.undo()
        memory.refresh()
        assert_memory_is_disk(memory, state)
        assert memory.skipped() == []
    finally:
        memory.close()


def test_a_file_that_cannot_be_read_is_told_once_and_not_as_a_change(project, state, monkeypatch):
    memory = Memory(project, state, embedder="hash")

    def refused(_: str) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied")

    try:
        monkeypatch.setattr(memory.workspace, "read", refused)
        assert memory.refresh().changed == ("good.py",)
        assert memory.refresh().changed == ()
        assert [s.reason for s in memory.skipped()] == ["cannot be read: Permission denied"]
        monkeypatch.undo()
        assert memory.refresh().changed == ("good.py",)
        assert memory.skipped() == []
    finally:
        memory.close()


class TestClocks:
    """Times lie: what was read within reach of a coarse clock is read again."""

    STAMP = 1_700_000_000_000_000_000

    def edit(self, path: Path, text: str, stamp: int) -> None:
        path.write_text(text)
        os.utime(path, ns=(stamp, stamp))

    def test_an_edit_of_equal_size_and_time_is_seen(self, project, state, monkeypatch):
        """A clock of two seconds, as FAT has it, and no change time, as on Windows."""
        path = project / "good.py"
        stats = indexer_module.FileStat

        def coarse(name: str, info: os.stat_result) -> indexer_module.FileStat:
            return stats(name, info.st_size, info.st_mtime_ns, 0, 0)

        monkeypatch.setattr(stats, "of", coarse)
        read = Clock(self.STAMP + 500_000_000)
        monkeypatch.setattr(indexer_module.time, "time_ns", read)
        self.edit(path, "def aaa():\n    pass\n", self.STAMP)
        memory = Memory(project, state, embedder="hash")
        try:
            memory.refresh()
            memory.refresh()  # known content under a known stat: only its time is noted
            self.edit(path, "def bbb():\n    pass\n", self.STAMP)
            assert memory.refresh().changed == ("good.py",)
        finally:
            memory.close()

    def test_the_time_of_reading_is_taken_before_the_read(self, project, state, monkeypatch):
        """However long the rest of a batch takes: else an edit meanwhile could hide."""
        path = project / "good.py"
        now = Clock(self.STAMP)
        monkeypatch.setattr(indexer_module.time, "time_ns", now)
        memory = Memory(project, state, embedder="hash")
        try:
            memory.refresh()
            os.utime(path, ns=(self.STAMP, self.STAMP))
            read = memory.workspace.read

            def slow(name: str) -> bytes:
                data = read(name)
                now.value += 60_000_000_000
                return data

            monkeypatch.setattr(memory.workspace, "read", slow)
            memory.refresh()
            assert memory.store.files()["good.py"].read_ns == self.STAMP
        finally:
            memory.close()

    def test_a_clock_that_goes_backwards_hides_no_edit(self, project, state, monkeypatch):
        memory = Memory(project, state, embedder="hash")
        try:
            for hours in (5, -5, 0):
                shift = hours * 3_600_000_000_000
                now = time.time_ns() + shift
                monkeypatch.setattr(indexer_module.time, "time_ns", Clock(now))
                self.edit(project / "good.py", source(f"zqclock{hours + 9}", ".py"), now)
                memory.refresh()
                memory.embed()
                assert_memory_is_disk(memory, state)
        finally:
            memory.close()


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __call__(self) -> int:
        return self.value


SUFFIXES = (
    ".py", ".js", ".ts", ".tsx", ".go", ".rs", ".java", ".c", ".cpp", ".cs", ".php", ".rb", ".kt",
    ".swift", ".sh", ".lua", ".ex", ".scala", ".hs", ".zig", ".md", ".rst", ".sql", ".css",
)  # fmt: skip


HOSTILE = (
    "(", "[\n", "{\n", "a {\n", "if x then\n", "class A {\n", "a.b(", "!", "*", "\"'`", "#",
    "- ", "> ", "\t- a\n", "begin\n", "<a>", "\0\n", "=", "<<EOF\n",
)  # fmt: skip


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_syntax_breaks_the_chunker(suffix):
    """Nesting without end, and every language read as every other."""
    hostile = [text * 2_000 for text in HOSTILE]
    hostile += [source("zqany", other, 50) for other in (".py", ".js", ".go", ".c", ".md")]
    for text in hostile:
        lines = [line for line in text.split("\n") if line.strip()]
        _, chunks = chunk_file(f"file{suffix}", text)
        found = [line for c in chunks for line in c.text.split("\n") if line.strip()]
        assert found == lines
    assert language_of(f"file{suffix}", "").name


def test_every_byte_string_is_text_or_has_a_reason():
    for head in range(256):
        with contextlib.suppress(NotTextError):
            assert decode(bytes([head]) * 3 + b"\nplain text\n")


def test_a_parser_that_does_not_come_to_an_end_is_stopped(monkeypatch):
    """Its file is cut by lines, and the next file is parsed from its start."""
    junk, sound = "const a = <T>(\n" * 2_000, source("zqafter", ".ts", 40)
    expected = chunk_file("file.ts", sound)[1]
    monkeypatch.setattr(definitions, "PARSE_STEPS", 3)
    monkeypatch.setattr(definitions, "BYTES_PER_STEP", 1 << 30)
    assert {chunk.symbol for chunk in chunk_file("file.ts", junk)[1]} == {""}
    monkeypatch.undo()
    assert chunk_file("file.ts", sound)[1] == expected
