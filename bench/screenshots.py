"""Pictures of the window answering a question, light and dark, wide and narrow.

They are made with the real workers and the starter model, on a project of your
choice, and are the pictures of the README.

    python -m bench.screenshots PROJECT QUESTION --to docs/images

With ``--all`` every screen is saved instead, light and dark, wide and narrow, at each
``--scale``, into folders such as ``2x/narrow/dark`` below ``--to``: for looking at them.

    python -m bench.screenshots PROJECT QUESTION --all --to build/screens --scale 1 2
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bench.code_pictures import save_code
from bench.shell_screens import save_shell

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from commonplace.desktop.window import MainWindow
    from commonplace.paths import StatePaths

SIZES = {"wide": (1400, 880), "narrow": (900, 640)}
PATIENCE = 600.0
EARLIER = (
    (0.1, "Which tests cover the timeouts?"),
    (1.0, "Why is the configuration read twice at start?"),
    (1.1, "Explain how errors reach the user"),
    (4.0, "Where are retries counted?"),
    (40.0, "What would have to change to support Windows paths?"),
)
"""Days ago, and what was asked then."""


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("project", type=Path)
    parser.add_argument("question")
    parser.add_argument("--to", type=Path, default=Path("docs/images"))
    parser.add_argument("--embedder", default="built-in")
    parser.add_argument("--all", action="store_true", help="every screen, in every way")
    parser.add_argument("--scale", nargs="*", type=int, default=(1, 2), help="with --all")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    args.to.mkdir(parents=True, exist_ok=True)
    if args.all:
        for scale in args.scale:
            every_screen(args.project, args.question, args.to.resolve() / f"{scale}x", scale)
        return
    if args.one:
        from bench import every_screen as screens

        home = Path(os.environ["COMMONPLACE_HOME"])
        screens.take(args.project, args.question, args.to, home)
    with tempfile.TemporaryDirectory() as home:
        os.environ["COMMONPLACE_HOME"] = home
        take(args.project, args.question, args.to, args.embedder)


def every_screen(project: Path, question: str, folder: Path, scale: int) -> None:
    """Save all screens at one scale, which Qt reads once: in a process of their own."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "bench.screenshots", str(project), question, "--one"]
        environment = {**os.environ, "COMMONPLACE_HOME": home, "QT_SCALE_FACTOR": str(scale)}
        done = subprocess.run([*command, "--to", str(folder)], env=environment, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    print(f"{sum(1 for _ in folder.rglob('*.png'))} pictures in {folder}")


def take(project: Path, question: str, folder: Path, embedder: str) -> None:
    """Ask once, then save the window in both themes and both sizes."""
    from PySide6.QtWidgets import QApplication

    from bench import book_pictures
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
    keep_some(paths, project)
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
        save_models(app, window, theme, folder)
        save_code(window, theme, folder, lambda: settle(app, 0.6))
        save_shell(window, theme, folder, lambda: settle(app, 0.6))
        save_conversations(app, window, theme, folder)
        save_review(app, window, theme, folder)
    window.resize(*SIZES["wide"])
    book_pictures.take(app, window, folder, paths.data, (pump, settle))
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


def save_models(app: QApplication, window: MainWindow, theme: str, folder: Path) -> None:
    """Save both pages of the models in one theme."""
    from commonplace.desktop.models_dialog import ModelsDialog

    window.actions_by_id["models"].trigger()
    [dialog] = window.findChildren(ModelsDialog)
    pump(app, lambda: bool(window.controller.library.entries))
    for page, name in ((dialog.installed, "models"), (dialog.known, "catalogue")):
        dialog.tabs.setCurrentWidget(page)
        dialog.known.list.select("qwen2.5-coder-7b")
        settle(app)
        dialog.grab().save(str(folder / f"{name}-{theme}.png"))
    dialog.close()
    settle(app)


def keep_some(paths: StatePaths, project: Path) -> None:
    """Keep a few conversations of the last weeks, so that there is a list to see."""
    from commonplace.chat.kept import Kept
    from commonplace.chat.store import ConversationStore

    store = ConversationStore(paths.project_data(project.resolve()))
    for number, (days, question) in enumerate(EARLIER):
        asked = int((time.time() - days * 86_400) * 1e9)
        store.keep(Kept(asked, f"earlier{number}", 0, "user", question))
        store.keep(Kept(asked + 1, f"earlier{number}", asked, "assistant", "See the sources."))
    store.pin("earlier2", pinned=True)
    store.close()


def save_conversations(app: QApplication, window: MainWindow, theme: str, folder: Path) -> None:
    """Save the list of conversations, and what the model read for the last answer."""
    from commonplace.desktop.context_dialog import ContextDialog

    window.resize(*SIZES["wide"])
    window.side.setCurrentWidget(window.chat_list)
    settle(app)
    window.grab().save(str(folder / f"conversations-{theme}.png"))
    window.actions_by_id["context"].trigger()
    dialog = window.findChildren(ContextDialog)[-1]
    dialog.list.setCurrentIndex(dialog.model.index(1))
    settle(app)
    dialog.grab().save(str(folder / f"context-{theme}.png"))
    dialog.close()
    window.side.setCurrentWidget(window.tree)
    settle(app)


def save_review(app: QApplication, window: MainWindow, theme: str, folder: Path) -> None:
    """Save the review of changes to what the answer rests on, below and beside, and refused ones.

    They are made up from the first passage: a starter model's own would differ each time.
    """
    from commonplace.desktop.review_dialog import ReviewDialog

    passage = window.conversation.exchanges[-1].sources[0].passage
    old = passage.text.strip("\n").split("\n")
    middle = len(old) // 2
    new = [*old[:2], "    # Looked at twice.", *old[2:middle], *old[middle + 1 :]]
    marks = ("<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE")
    block = [f"FILE {passage.path}", marks[0], *old, marks[1], *new, marks[2]]
    lost = [f"FILE {passage.path}", marks[0], "never written", marks[1], "x", marks[2]]
    made = ["```yaml .github/workflows/check.yml", "on: push", "```"]
    window.edits.review_text("\n".join([*block, *lost, *made]), "pictures")
    shown: list[ReviewDialog] = []
    while not shown:
        settle(app, 0.1)
        shown = [each for each in window.findChildren(ReviewDialog) if each.isVisible()]
    dialog = shown[0]
    dialog.resize(1000, 560)
    for name, beside in (("review", False), ("review-beside", True)):
        dialog.beside.setChecked(beside)
        settle(app)
        dialog.grab().save(str(folder / f"{name}-{theme}.png"))
    dialog.accept_all(1, accept=True)
    dialog.files.setCurrentRow(1)
    dialog.apply_button.click()
    settle(app)
    dialog.grab().save(str(folder / f"review-twice-{theme}.png"))
    dialog.reject()
    settle(app)


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
