"""What a measurement has done so far, so that one that was cut off goes on where it was.

A file of JSON lines: first what the measurement is about, then one line for each
piece of work, written and flushed as soon as it is done. A last line that was cut off
is dropped, and a journal about anything else is begun anew.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Self

from commonplace.errors import StorageError
from commonplace.storage.files import write_atomically

VERSION = 1
"""Changes whenever a piece of work would come out otherwise."""


class Journal:
    """The pieces of work that are done, by key; `about` says what they belong to."""

    def __init__(self, path: Path, about: dict[str, Any], *, fresh: bool = False) -> None:
        """Open the journal at `path`; raises `StorageError` where none can be written."""
        self._path = path
        self._about = {"version": VERSION, **about}
        self._done: dict[str, Any] = {}
        self.resumed = 0
        if not fresh:
            self._done = _read(path, self._about)
            self.resumed = len(self._done)
        lines = [self._about, *([key, value] for key, value in self._done.items())]
        write_atomically(path, "".join(json.dumps(line) + "\n" for line in lines).encode())
        with self._storage():
            self._file: IO[str] = path.open("a", encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was done stays."""
        with self._storage():
            self._file.close()

    def finish(self) -> None:
        """Close and remove the journal: the result holds all of it."""
        self.close()
        with self._storage():
            self._path.unlink(missing_ok=True)

    def once(self, key: str, work: Callable[[], Any]) -> Any:
        """Return what `work` found, from the journal where it was done before.

        What it returns is plain JSON data and comes back as such.
        """
        if key not in self._done:
            line = json.dumps([key, work()])
            self._done[key] = json.loads(line)[1]  # as it would come back: tuples are lists
            self._write(line)
        return self._done[key]

    def __contains__(self, key: str) -> bool:
        return key in self._done

    def _write(self, line: str) -> None:
        with self._storage():
            self._file.write(f"{line}\n")
            self._file.flush()

    @contextlib.contextmanager
    def _storage(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(
                f"What is measured cannot be kept in {self._path.parent}: {error.strerror}.",
                "Free some space or mend the folder's permissions; then measure again. "
                "What was kept until now is used.",
            ) from error


def _read(path: Path, about: dict[str, Any]) -> dict[str, Any]:
    """Return what the journal at `path` says, if it is about the same; else nothing."""
    done: dict[str, Any] = {}
    try:
        with path.open(encoding="utf-8") as file:
            if json.loads(file.readline()) != about:
                return {}
            for line in file:
                key, value = json.loads(line)
                done[str(key)] = value
    except (OSError, ValueError, TypeError):  # damaged, or cut off within a line
        return done
    return done
