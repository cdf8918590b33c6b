"""What every fault needs: a project to hurt, on top of the state folder of each test."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.register_assert_rewrite("faults.truth")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder
