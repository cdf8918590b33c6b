"""Starts Qt and ends, so that a missing system library ends this process and no other."""

from __future__ import annotations

import sys

import PySide6
from PySide6.QtWidgets import QApplication


def main() -> None:
    """Make an application and print the version of PySide6; does not return."""
    QApplication(sys.argv[:1])
    print(f"PySide6 {PySide6.__version__}")  # noqa: T201 - this is what it is asked for
    sys.exit(0)
