"""The watcher: every change leads to a report, and nothing is left behind."""

from __future__ import annotations

import errno
import os
import queue
import shutil
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import pytest

from commonplace.workspace import Snapshot, Watcher, Workspace, watch
from commonplace.workspace.pending import MAX_FOLDERS, Pending
from commonplace.workspace.sink import Sink
from commonplace.workspace.sources import Source, SourceFactory, TreeSource, open_source

Write = Callable[..., Path]
PATIENCE = 120.0

pytestmark = pytest.mark.usefixtures("nothing_left_behind")
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="inotify")


class Listener:
    """Keeps a snapshot up to date by the watcher's reports, as the indexer does."""

    def __init__(self, root: Path, **options: object) -> None:
        self.workspace = Workspace(root)
        self.snapshot: Snapshot = self.workspace.scan()
        self.reports: queue.Queue[frozenset[str] | None] = queue.Queue()
        self.watcher = Watcher(self.workspace, self.reports.put, **options)  # type: ignore[arg-type]

    def start(self) -> Listener:
        self.watcher.start(self.snapshot.folders)
        assert self.next() is None, "the first report asks for everything"
        self.reconcile(None)
        return self

    def next(self) -> frozenset[str] | None:
        return self.reports.get(timeout=PATIENCE)

    def reconcile(self, folders: frozenset[str] | None) -> None:
        if folders is None:
            self.snapshot = self.workspace.scan()
        else:
            part = self.workspace.scan_under(folders)

            def outside(path: str) -> bool:
                return "" not in folders and not any(
                    f"{path}/".startswith(f"{f}/") for f in folders
                )

            files = {p: s for p, s in self.snapshot.files.items() if outside(p)} | part.files
            kept = frozenset(f for f in self.snapshot.folders if outside(f))
            self.snapshot = Snapshot(files, part.skipped, kept | part.folders)
        self.watcher.update(self.snapshot.folders)

    def settle(self) -> None:
        """Follow the reports until the snapshot says what the disk says."""
        end = time.monotonic() + PATIENCE
        while self.snapshot.files != self.workspace.scan().files:
            assert time.monotonic() < end, "the watcher missed a change"
            self.reconcile(self.next())


@pytest.fixture(params=[pytest.param(open_source, id="best"), pytest.param(TreeSource, id="tree")])
def source(request: pytest.FixtureRequest) -> SourceFactory:
    """Each source in turn; on Linux the second loses new folders."""
    factory: SourceFactory = request.param
    return factory


@pytest.fixture
def listen(root: Path) -> Iterator[Callable[..., Listener]]:
    made: list[Listener] = []

    def listen_to_root(**options: object) -> Listener:
        made.append(Listener(root, **options))
        return made[-1].start()

    yield listen_to_root
    for listener in made:
        listener.watcher.stop()


def test_a_change_is_reported_by_its_folder(
    listen: Callable[..., Listener], write: Write, source: SourceFactory
) -> None:
    write("src/deep/a.py")
    write("other/b.py")
    listener = listen(source_factory=source)
    assert listener.watcher.state.mode == "events"
    write("src/deep/a.py", "changed")
    assert listener.next() == {"src/deep"}
    (listener.workspace.root / "other" / "b.py").unlink()
    while (reported := listener.next()) == {"src/deep"}:
        pass  # one write is several events
    assert reported == {"other"}


def test_all_ways_to_change_a_tree(
    listen: Callable[..., Listener], write: Write, root: Path
) -> None:
    write("a/one.py")
    listener = listen()
    steps: list[Callable[[], object]] = [
        lambda: write("new/deep/er/x.py"),
        lambda: write("new/deep/er/x.py", "more"),
        lambda: (root / "a").rename(root / "b"),
        lambda: write("b/one.py", "moved and written"),
        lambda: write("a/again.py"),
        lambda: (root / "new").rename(root / "b" / "new"),
        lambda: write("b/new/deep/er/y.py"),
        lambda: shutil.rmtree(root / "b"),
        lambda: write("b/back.py"),
        lambda: os.utime(root / "b/back.py", ns=(1, 1)),
        lambda: write(".gitignore", "back.py\n"),
        (root / ".gitignore").unlink,
        lambda: (root / "b/back.py").rename(root / "new\nline'.py"),
    ]
    for step in steps:
        step()
        listener.settle()
    assert set(listener.snapshot.files) == {"a/again.py", "new\nline'.py"}


def test_folders_that_change_places(
    listen: Callable[..., Listener], write: Write, root: Path
) -> None:
    write("a/in/x.py", "0")
    listener = listen()
    for number in range(20):
        (root / "a").rename(root / f"b{number}")
        write("a/in/x.py", str(number))
        if number % 2:  # half of the time the watches are set while events wait
            listener.reconcile(None)
        write(f"b{number}/in/x.py", "written after the move")
        write("a/in/y.py", str(number))
        listener.settle()
    write("b3/in/x.py", "still watched")
    listener.settle()
    assert len(listener.snapshot.files) == 41


@linux_only
def test_a_name_taken_again_before_the_move_was_noticed(root: Path, write: Write) -> None:
    from commonplace.workspace.inotify import InotifySource

    class Ear:
        heard: queue.Queue[str] = queue.Queue()

        def changed(self, folder: str, name: str, is_dir: bool) -> None:
            if name == "new":
                self.heard.put(folder)

        def lost(self) -> None: ...
        def root_lost(self) -> None: ...

    write("a/x")
    source = InotifySource(root, Ear())
    source.set_folders({"a"})
    with source._lock:  # the thread that reads events has to wait
        (root / "a").rename(root / "b")
        write("a/x")
        assert source.set_folders({"a", "b"}) == {"a", "b"}
        source.set_folders({"a", "b"})
        assert source.watched == 2
    # The move, read only now, drops the watch of b and says so.
    write("a/new")
    assert Ear.heard.get(timeout=PATIENCE) == "a"
    source.set_folders({"a", "b"})
    write("b/new")
    while Ear.heard.get(timeout=PATIENCE) != "b":
        pass  # one write is several events
    source.close()


@linux_only
def test_one_folder_under_two_names_is_new_once(root: Path, write: Write) -> None:
    from commonplace.workspace.inotify import InotifySource

    class Deaf:
        def changed(self, folder: str, name: str, is_dir: bool) -> None: ...
        def lost(self) -> None: ...
        def root_lost(self) -> None: ...

    write("a/x")
    source = InotifySource(root, Deaf())
    names = {"", "a", "a/.", "gone"}  # as a bind mount would have it
    assert len(source.set_folders(names)) == 2
    assert source.set_folders(names) == frozenset()
    assert source.set_folders(names) == frozenset()
    source.close()


def test_ignored_changes_are_not_reported(
    listen: Callable[..., Listener], write: Write, source: SourceFactory
) -> None:
    write(".gitignore", "*.log\nout/\n")
    write("out/x")
    write("node_modules/m/x.js")
    listener = listen(source_factory=source)
    if source is open_source and sys.platform == "linux":
        assert listener.watcher.state.folders == 1
    write("a.log", "x")
    write("out/x", "y")
    write("node_modules/m/x.js", "y")
    write("seen.py")
    assert listener.next() == {""}
    while not listener.reports.empty():  # one write is several events
        assert listener.next() == {""}


def test_rules_that_ignore_themselves_are_noticed(
    listen: Callable[..., Listener], write: Write
) -> None:
    write("sub/a")
    listener = listen()
    write("sub/.gitignore", "*\n")
    listener.settle()
    assert not listener.snapshot.files


def test_a_burst_ends_in_equality(
    listen: Callable[..., Listener], write: Write, root: Path
) -> None:
    listener = listen()
    for number in range(5_000):
        write(f"{number % 250}/{number}.py", "")
    listener.settle()
    assert len(listener.snapshot.files) == 5_000


def test_a_burst_in_many_folders_asks_for_everything(
    listen: Callable[..., Listener], write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [f"{number}/a" for number in range(MAX_FOLDERS + 50)]
    for path in paths:
        write(path)
    listener = listen()
    # On a busy machine writing them takes so long that they may be told in parts.
    monkeypatch.setattr(watch, "_QUIET_SECONDS", 2.0)
    monkeypatch.setattr(watch, "_LONGEST_WAIT_SECONDS", 60.0)
    for path in paths:
        write(path, "changed")
    assert listener.next() is None


def test_nudge_and_timer(listen: Callable[..., Listener]) -> None:
    listener = listen()
    listener.watcher.nudge()
    assert listener.next() is None
    assert listener.reports.empty()
    timed = listen(timer_seconds=0.05)
    assert timed.next() is None
    assert timed.next() is None


def test_lost_events_ask_for_everything(listen: Callable[..., Listener]) -> None:
    sinks: list[Sink] = []

    def keep_sink(root: Path, sink: Sink) -> Source:
        sinks.append(sink)
        return open_source(root, sink)

    listener = listen(source_factory=keep_sink)
    sinks[0].lost()
    assert listener.next() is None


@linux_only
def test_an_overflow_of_the_queue_is_passed_on(root: Path) -> None:
    from watchdog.observers.inotify_c import InotifyConstants, InotifyEvent

    from commonplace.workspace.inotify import InotifySource

    class Counter:
        overflows = 0

        def changed(self, folder: str, name: str, is_dir: bool) -> None: ...
        def root_lost(self) -> None: ...

        def lost(self) -> None:
            self.overflows += 1

    counter = Counter()
    source = InotifySource(root, counter)
    source.set_folders({""})
    source._inotify.handle_event(InotifyEvent(-1, InotifyConstants.IN_Q_OVERFLOW, 0, b""))
    source.close()
    assert counter.overflows == 1


def test_a_root_removed_and_made_again(
    listen: Callable[..., Listener], write: Write, root: Path, source: SourceFactory
) -> None:
    write("sub/a")
    listener = listen(source_factory=source)
    shutil.rmtree(root)
    while listener.next() is not None:
        pass
    root.mkdir()
    assert listener.next() is None
    listener.reconcile(None)
    write("b")
    listener.settle()
    assert set(listener.snapshot.files) == {"b"}
    end = time.monotonic() + PATIENCE
    while listener.watcher.state.mode != "events":
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_root_moved_away_is_noticed(
    listen: Callable[..., Listener], write: Write, root: Path
) -> None:
    write("a")
    listener = listen()
    root.rename(root.with_name("moved"))
    assert listener.next() is None
    root.with_name("moved").rename(root)
    assert listener.next() is None
    write("b")
    listener.settle()
    assert set(listener.snapshot.files) == {"a", "b"}


class Refusing:
    """A source that runs out of watches at the n-th folder."""

    def __init__(self, limit: int, number: int = errno.ENOSPC) -> None:
        self.limit = limit
        self.number = number
        self.closed = threading.Event()

    def __call__(self, root: Path, sink: Sink) -> Source:
        return self

    watched = 0

    def set_folders(self, folders: Collection[str]) -> frozenset[str]:
        if len(folders) > self.limit:
            raise OSError(self.number, os.strerror(self.number))
        return frozenset()

    def close(self) -> None:
        self.closed.set()


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "max_user_watches"),
        (errno.EMFILE, "max_user_instances"),
        (errno.EIO, "Restart"),
    ],
)
def test_without_watches_it_polls_and_says_so(
    listen: Callable[..., Listener], write: Write, number: int, remedy: str
) -> None:
    source = Refusing(0, number)
    listener = listen(source_factory=source)
    assert source.closed.is_set()
    state = listener.watcher.state
    assert (state.mode, state.folders) == ("polling", 0)
    assert remedy in state.note
    write("a")
    assert listener.next() is None  # by polling: no event can have come
    listener.reconcile(None)
    assert set(listener.snapshot.files) == {"a"}


def test_watches_may_run_out_later(listen: Callable[..., Listener], write: Write) -> None:
    source = Refusing(1)
    listener = listen(source_factory=source)
    assert listener.watcher.state.mode == "events"
    write("sub/a")
    listener.watcher.nudge()
    listener.settle()
    assert source.closed.is_set()
    assert listener.watcher.state.mode == "polling"
    assert listener.next() is None


@linux_only
def test_real_watches_are_released_when_they_run_out(
    listen: Callable[..., Listener], write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    from watchdog.observers.inotify_c import InotifyFD

    for number in range(5):
        write(f"{number}/a")
    add = InotifyFD.add_callback
    added: list[object] = []

    def limited(self: InotifyFD, *arguments: object) -> object:
        if len(added) == 3:
            raise OSError(errno.ENOSPC, "inotify watch limit reached")
        added.append(arguments)
        return add(self, *arguments)

    monkeypatch.setattr(InotifyFD, "add_callback", limited)
    before = set(threading.enumerate())
    listener = listen()
    assert listener.watcher.state.mode == "polling"
    left = set(threading.enumerate()) - before
    assert not [thread for thread in left if isinstance(thread, InotifyFD)]


def test_stopping(root: Path, write: Write) -> None:
    write("a")
    seen, stopped = threading.Event(), threading.Event()

    def stop_from_within(_: frozenset[str] | None) -> None:
        seen.wait(PATIENCE)  # a thread that has stopped is not to be seen any more
        watcher.stop()
        stopped.set()

    watcher = Watcher(Workspace(root), stop_from_within)
    assert watcher.state.note == "not started"
    watcher.stop()
    watcher.start({""})
    thread = watcher._thread
    assert thread is not None
    seen.set()
    assert stopped.wait(PATIENCE)
    thread.join(PATIENCE)
    watcher.update({""})
    watcher.nudge()
    watcher.stop()
    assert watcher.state.note == "stopped"


def test_it_can_be_started_again(listen: Callable[..., Listener], write: Write) -> None:
    listener = listen()
    listener.watcher.start({""})  # while running: nothing happens
    listener.watcher.stop()
    write("a")
    listener.start()
    assert set(listener.snapshot.files) == {"a"}


def test_pending_is_due_after_quiet_but_not_too_late() -> None:
    pending = Pending()
    assert pending.due(0.1, 0.5) is None
    pending.add("a", "x", False, now=10.0)
    assert pending.due(0.1, 0.5) == pytest.approx(10.1)
    pending.add("a", "y", False, now=10.45)
    assert pending.due(0.1, 0.5) == pytest.approx(10.5)


def test_pending_asks_little_of_a_busy_folder() -> None:
    pending = Pending()
    for number in range(1000):
        pending.add("busy", str(number), False, now=0.0)
    pending.add("quiet", "ignored", False, now=0.0)
    asked: list[str] = []

    def matters(folder: str, name: str, is_dir: bool) -> bool:
        asked.append(folder)
        return False

    assert pending.folders(matters) == {"busy"}
    assert asked == ["quiet"]
