"""SQLite files that are truth: opened, migrated, set aside when damaged, never thrown away."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from commonplace.storage.files import set_aside
from commonplace.storage.places import is_remote
from commonplace.storage.versions import back_up, refuse_newer

BUSY_MS = 10_000
COMPANIONS = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file, by the ends of the names."""
MAGIC = b"SQLite format 3\0"
VERSION_AT = 60
"""Where the header of a SQLite file holds its version, four bytes, the highest first."""

Migration = Sequence[str]
"""The statements that lead from one version of the schema to the next."""


def open_truth(
    path: Path, migrations: Sequence[Migration]
) -> tuple[sqlite3.Connection, Path | None]:
    """Open the database at `path`, brought to the last of `migrations`, for any thread.

    Returns also where a damaged file was set aside, else None. Statements are in force at
    once unless a transaction was begun. Raises `NewerDataError`, and then the file has
    not been touched; `sqlite3.Error` and `OSError` for what the machine refuses.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        return _opened(path, migrations), None
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
    aside = set_aside(path, COMPANIONS)
    return _opened(path, migrations), aside


def is_damage(error: BaseException) -> bool:
    """Return whether `error` says that the file is not what was written.

    Subclasses of `DatabaseError` tell of the machine or of our mistakes.
    """
    return type(error) is sqlite3.DatabaseError


def set_journal(conn: sqlite3.Connection, path: Path) -> None:
    """Choose how changes of the database at `path` are made safe.

    A write-ahead log needs memory that all processes share, which a disk on another
    machine does not give: there the older journal is used. It is slower, and readers
    wait for writers.
    """
    if not is_remote(path):
        conn.execute("PRAGMA journal_mode = WAL")
        return
    with contextlib.suppress(sqlite3.OperationalError):  # in use: it stays as it is until it is not
        conn.execute("PRAGMA journal_mode = DELETE")


class _OvertakenError(Exception):
    """Another process migrated the file meanwhile, and has made the copy."""


def _opened(path: Path, migrations: Sequence[Migration]) -> sqlite3.Connection:
    newest = len(migrations)
    refuse_newer(path, _version_on_disk(path), newest)
    conn = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        conn.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        version = _version(conn)
        refuse_newer(path, version, newest)
        set_journal(conn, path)
        conn.execute("PRAGMA synchronous = FULL")
        conn.execute("PRAGMA secure_delete = ON")
        if version:
            found = conn.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise sqlite3.DatabaseError(str(found))  # noqa: TRY301 - as SQLite says it elsewhere
        _migrate(conn, path, version, migrations)
    except BaseException:
        conn.close()
        raise
    return conn


def _version_on_disk(path: Path) -> int:
    """Return the version of the file at `path`, 0 without one, and leave no trace there.

    To open a file, even for reading, may write to it: what a crash left in its log is
    taken over at the end. So the version is looked for in the first bytes; only a log
    that is not empty, which may hold a later one, is asked through SQLite.
    """
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        head = file.read(VERSION_AT + 4)
        if len(head) < VERSION_AT + 4 or not head.startswith(MAGIC):
            return 0
        version = int.from_bytes(head[VERSION_AT:], "big")
        log = path.with_name(path.name + COMPANIONS[0])
        if not log.is_file() or not log.stat().st_size:
            return version
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as conn,
        ):
            conn.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
            return _version(conn)
        return version
    return 0


@contextlib.contextmanager
def transaction(conn: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Commit everything in the block at once, or nothing of it, also if committing fails."""
    conn.execute("BEGIN IMMEDIATE")
    try:
        yield conn
        conn.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # a full disk has rolled back already
            conn.execute("ROLLBACK")
        raise


def _migrate(
    conn: sqlite3.Connection, path: Path, version: int, migrations: Sequence[Migration]
) -> None:
    """Bring the file from `version` to the last, all at once or not at all."""
    newest = len(migrations)
    if version == newest:
        return
    if version:
        _back_up(conn, path, version, newest)
    with transaction(conn):
        # Another process may have been first while this one waited.
        for statements in migrations[_version(conn) :]:
            for statement in statements:
                conn.execute(statement)
        conn.execute(f"PRAGMA user_version = {newest}")


def _back_up(conn: sqlite3.Connection, path: Path, version: int, newest: int) -> None:
    def copy(target: Path) -> None:
        target.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(target)) as kept:
            conn.backup(kept)
            if _version(kept) != version:
                raise _OvertakenError

    with contextlib.suppress(_OvertakenError):
        back_up(path, newest, copy)


def _version(conn: sqlite3.Connection) -> int:
    return int(conn.execute("PRAGMA user_version").fetchone()[0])
