from __future__ import annotations

from pathlib import Path

import pytest

from commonplace.edits.room import Edits


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty project."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def edits(root, state) -> Edits:
    return Edits(root, state)


@pytest.fixture(params=[True, False], ids=["held", "by path"])
def both(request, root, state) -> Edits:
    """The same, with folders held open and, as elsewhere than on POSIX, by their paths."""
    return Edits(root, state, hold_folders=request.param)
