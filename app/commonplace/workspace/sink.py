"""What a source of change events reports to."""

from __future__ import annotations

from typing import Protocol


class Sink(Protocol):
    """What a source reports to, from a thread of its own."""

    def changed(self, folder: str, name: str, is_dir: bool) -> None:
        """Take note that `name` in `folder` changed; ``""`` means the folder itself."""

    def lost(self) -> None:
        """Take note that events were lost, so anything may have changed."""

    def root_lost(self) -> None:
        """Take note that the root was moved or deleted, and is not watched any more."""
