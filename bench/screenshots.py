"""Pictures of the window answering a question, light and dark, wide and narrow.

They are made with the real workers and the starter model, on a project of your
choice, and are the pictures of the README.

    python -m bench.screenshots PROJECT QUESTION --to docs/images
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from commonplace.desktop.window import MainWindow

SIZES = {"wide": (1400, 880), "narrow": (900, 640)}
PATIENCE = 600.0


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("question")
    parser.add_argument("--to", type=Path, default=Path("docs/images"))
    parser.add_argument("--embedder", default="built-in")
    args = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    args.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        os.environ["COMMONPLACE_HOME"] = home
        take(args.project, args.question, args.to, args.embedder)


def take(project: Path, question: str, folder: Path, embedder: str) -> None:
    """Ask once, then save the window in both themes and both sizes."""
    from PySide6.QtWidgets import QApplication

    from commonplace import settings
    from commonplace.desktop.app import make_window
    from commonplace.paths import StatePaths

    app = QApplication(sys.argv[:1])
    paths = StatePaths.from_environment()
    settings.save(paths.settings_file, {"recall.embedder": embedder, "appearance.theme": "dark"})
    window = make_window(app, paths)
    window.resize(*SIZES["wide"])
    window.show()
    pump(app, window.isVisible)
    window.grab().save(str(folder / "welcome-dark.png"))
    window.open_project(project)
    window.controller.load_model()
    pump(app, lambda: window.status.status.phase == "ready")
    pump(app, lambda: window.controller.engine.state.kind == "ready")
    window.ask(question)
    pump(app, lambda: not window.conversation.busy and not window.transcript.busy)
    first = window.sources.select(1)
    if first is not None:
        window.open_source(first)
    settle(app)
    for theme in ("dark", "light"):
        save(app, window, theme, folder)
    window.close()
    window.controller.finish()
    os._exit(0)


def save(app: QApplication, window: MainWindow, theme: str, folder: Path) -> None:
    """Save the window in every size, in one theme."""
    window.choose_theme(theme)
    for name, size in SIZES.items():
        window.resize(*size)
        settle(app)
        window.grab().save(str(folder / f"window-{theme}-{name}.png"))


def pump(app: QApplication, done: Callable[[], bool]) -> None:
    """Run the event loop until `done`."""
    end = time.monotonic() + PATIENCE
    while not done():
        app.processEvents()
        time.sleep(0.01)
        if time.monotonic() > end:
            raise TimeoutError


def settle(app: QApplication, seconds: float = 1.0) -> None:
    """Let layouts, highlighting and timers finish."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        app.processEvents()
        time.sleep(0.01)


if __name__ == "__main__":
    main()
