"""A result as one page of HTML."""

from __future__ import annotations

from pathlib import Path

from commonplace.measure.results import Result
from commonplace.storage.files import write_atomically


def write_report(result: Result, path: Path, against: Result | None = None) -> None:
    """Write the report."""
    write_atomically(path, result.to_json().encode())
