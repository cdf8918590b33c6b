"""Whether things on screen may move, as the settings and the desktop say."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QStyle

PROPERTY = "commonplace_motion"
FADE_MS = 140


def set_motion(app: QApplication, choice: str) -> None:
    """Put `choice` in force: ``system``, ``reduced`` or ``full``.

    Reduced motion also keeps text cursors from blinking.
    """
    if app.property("commonplace_flash") is None:
        app.setProperty("commonplace_flash", app.cursorFlashTime())
    app.setProperty(PROPERTY, choice)
    app.setCursorFlashTime(int(app.property("commonplace_flash")) if may_move() else 0)


def may_move() -> bool:
    """Return whether animation is welcome; desktops say so through the style."""
    app = QApplication.instance()
    choice = app.property(PROPERTY) if isinstance(app, QApplication) else None
    if choice in {"reduced", "full"}:
        return bool(choice == "full")
    style = QApplication.style()
    return style.styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration) > 0
