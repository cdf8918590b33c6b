"""Pictures of the code view: files in tabs, a search, the frames of a trace, a held selection."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint

if TYPE_CHECKING:
    from commonplace.desktop.window import MainWindow

TABS = 3
SIZE = (1400, 880)


def save_code(window: MainWindow, theme: str, folder: Path, settle: Callable[[], None]) -> None:
    """Save the code view in use, and a passage under the mouse, in one theme."""
    sources = window.conversation.exchanges[-1].sources
    paths = list(dict.fromkeys(s.passage.path for s in sources if not s.passage.note))[:TABS]
    window.resize(*SIZE)
    for path in paths:
        window._open_file(path)  # noqa: SLF001
        settle()
    first = sources[0].passage
    window.open_source(sources[0])
    settle()
    frames = [
        f'  File "/home/me/{path}", line {12 + 30 * n}, in call' for n, path in enumerate(paths)
    ]
    before = window.composer.draft
    window.composer.set_draft(
        "\n".join(["Traceback (most recent call last):", *frames, "KeyError"])
    )
    settle()
    window.actions_by_id["find"].trigger()
    word = max((word for word in first.symbol.split("_") if word), key=len, default="return")
    window.code.find_bar.edit.setText(word)
    settle()
    window.grab().save(str(folder / f"code-{theme}.png"))
    window.code.find_bar.end()
    window.composer.set_draft("")
    window.desk.ask_selection()
    view = window.sources.list.viewport()
    window.desk.tip.show_source(sources[0], view, view.mapToGlobal(QPoint(-420, 120)))
    window.grab().save(str(folder / f"passage-{theme}.png"))
    window.desk.tip.dismiss()
    window.composer.set_draft(before)
    settle()
