"""What has been reported since the last time: bounded, and quick to add to."""

from __future__ import annotations

from collections.abc import Callable

MAX_FOLDERS = 200
_MAX_NAMES = 8


class Pending:
    """Changes that wait to be passed on.

    A source adds to it from its own thread for every event, so adding must
    be quick; whether a name is ignored is asked once, when all is taken.
    """

    def __init__(self) -> None:
        self.everything = False
        self.first: float | None = None
        self.last = 0.0
        self._names: dict[str, set[tuple[str, bool]]] = {}
        self._certain: set[str] = set()

    def add(self, folder: str, name: str, is_dir: bool, now: float) -> None:
        """Note a change of `name` in `folder`; without a name, of the folder itself."""
        self._seen(now)
        if self.everything or folder in self._certain:
            return
        names = self._names.setdefault(folder, set())
        names.add((name, is_dir))
        if not name or len(names) > _MAX_NAMES:
            self._certain.add(folder)
        if len(self._names) > MAX_FOLDERS:
            self.add_everything(now)

    def add_everything(self, now: float) -> None:
        """Note that anything may have changed."""
        self._seen(now)
        self.everything = True
        self._names.clear()
        self._certain.clear()

    def due(self, quiet: float, at_most: float) -> float | None:
        """Return when to pass on: after a quiet while, but not too late."""
        return None if self.first is None else min(self.last + quiet, self.first + at_most)

    def folders(self, matters: Callable[[str, str, bool], bool]) -> frozenset[str]:
        """Return the folders in which a name changed that `matters`."""
        return frozenset(
            folder
            for folder, names in self._names.items()
            if folder in self._certain
            or any(matters(folder, name, is_dir) for name, is_dir in names)
        )

    def _seen(self, now: float) -> None:
        self.last = now
        if self.first is None:
            self.first = now
