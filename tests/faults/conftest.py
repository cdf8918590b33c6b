"""What every fault needs: a project to hurt, on top of the state folder of each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.programs import WARM

pytest.register_assert_rewrite("faults.truth")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module", autouse=True)
def warm_process() -> Iterator[None]:
    """End the process that commands are forked from: no other test is to find it."""
    yield
    WARM.close()
