"""A file of 20 MB and 300,000 lines in the code view: opened, scrolled, searched, returned to."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    from commonplace.desktop.window import MainWindow

LINES = 300_000
NAME = "large_generated.py"
SCROLLS = 300


def write_large(folder: Path) -> int:
    """Write the file into `folder` and return its size in bytes."""
    with (folder / NAME).open("w", encoding="utf-8") as file:
        for number in range(LINES // 7):
            file.write(
                f"def function_{number:06}(first: int, second: str) -> dict[str, int]:\n"
                f'    """Return what number {number} makes of both; naïve, but quick enough."""\n'
                f"    total = sum(ord(one) * {number} for one in second)  # as of {number}\n"
                f"    shown = f'{{total:,}} of {number} in all, as it was asked for by her'\n"
                f"    # A remark that says in passing why function {number} is written as it is, "
                "and by whom, and when it may go again.\n"
                f"    return {{'total': total, 'length': len(shown), 'number': {number}}}\n\n"
            )
        return file.tell()


def large_file(window: MainWindow, path: Path, _files: int) -> dict[str, Any]:
    """Do with it what a reader does, and time every turn of the loop."""
    size = write_large(path)
    small = next(p.relative_to(path).as_posix() for p in path.rglob("*.py") if p.name != NAME)
    window.open_project(path)
    _turns(lambda: window.status.status.phase == "ready")
    code, parts = window.code, {}
    stood: list[str] = []
    code.opened.connect(stood.append)

    def timed(name: str, done: Callable[[], bool]) -> None:
        began = time.monotonic()
        turns = _turns(done)
        parts[name] = {"seconds": time.monotonic() - began, "turns": turns}

    window._open_file(NAME)  # noqa: SLF001
    timed("open", lambda: NAME in stood)
    bar, left = code.view.verticalScrollBar(), SCROLLS

    def scrolled() -> bool:
        nonlocal left
        left -= 1
        bar.setValue(bar.maximum() * abs((left * 13) % 400 - 200) // 200)
        return left <= 0

    timed("scroll", scrolled)
    code.find_bar.begin()
    found: list[int] = []
    code.find_bar.found.connect(found.append)
    for name, text in (("find a rare word", "function_042856"), ("find 20,000 matches", "total")):
        found.clear()
        code.find_bar.edit.setText(text)
        timed(name, lambda: bool(found))
    timed("step through matches", _steps(code.find_bar))
    code.find_bar.end()
    stood.clear()
    window._open_file(small)  # noqa: SLF001
    timed("leave for another tab", lambda: small in stood)
    window._open_file(NAME)  # noqa: SLF001
    timed("return to it", lambda: NAME in stood)
    return {"parts": parts, "bytes": size}


def _turns(done: Callable[[], bool]) -> list[tuple[float, float]]:
    """Let the window work until `done`.

    Returns for each turn milliseconds of the clock, and of this thread's processor.
    """
    turns = []
    while True:
        began, spent = time.perf_counter(), time.thread_time()
        if done():
            return turns
        QApplication.processEvents()
        clock, processor = time.perf_counter() - began, time.thread_time() - spent
        turns.append((clock * 1000, processor * 1000))
        time.sleep(0.002)


def _steps(bar: Any) -> Callable[[], bool]:
    left = 100

    def done() -> bool:
        nonlocal left
        left -= 1
        bar.step(1)
        return left <= 0

    return done
