"""Pictures of what surrounds the work: the palette, the index panel, settings and shortcuts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commonplace.desktop.window import MainWindow

Settle = Callable[[], None]
SIZES = {"wide": (1400, 880), "narrow": (760, 600)}
TYPED = {"files": "", "commands": ">", "symbols": "@s"}


def save_shell(window: MainWindow, theme: str, folder: Path, settle: Settle) -> None:
    """Save all of them in one theme; `settle` lets what moves come to rest."""
    for size, shape in SIZES.items():
        window.resize(*shape)
        for name, typed in TYPED.items():
            window.shell.palette.open_with(typed)
            settle()
            window.grab().save(str(folder / f"palette-{name}-{theme}-{size}.png"))
            window.shell.palette.dismiss()
        window.shell.toasts.say("The conversation was deleted.", "Undo", lambda: None)
        settle()
        window.grab().save(str(folder / f"toast-{theme}-{size}.png"))
        window.shell.toasts.dismiss()
    window.resize(*SIZES["wide"])
    _dialogs(window, theme, folder, settle)


def _dialogs(window: MainWindow, theme: str, folder: Path, settle: Settle) -> None:
    from PySide6.QtWidgets import QApplication

    for name in ("index", "settings", "shortcuts"):
        window.actions_by_id[name].trigger()
        settle()
        for dialog in QApplication.topLevelWidgets():
            if dialog is not window and dialog.isVisible():
                dialog.grab().save(str(folder / f"{name}-{theme}.png"))
                dialog.close()
        settle()
