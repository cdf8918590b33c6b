"""Our own icons: SVG outlines, tinted with the colours of the theme."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from commonplace.desktop.theme import Theme
from commonplace.paths import resource

SIZES = (16, 24, 32, 64)


def tinted(name: str, theme: Theme, role: str = "text") -> QIcon:
    """Return icon `name` drawn in the theme's colour `role`, muted when disabled."""
    source = resource("icons", f"{name}.svg").read_text(encoding="utf-8")
    icon = QIcon()
    for mode, colour in (
        (QIcon.Mode.Normal, theme.colours[role]),
        (QIcon.Mode.Disabled, theme.colours["border"]),
    ):
        renderer = QSvgRenderer(QByteArray(source.replace("currentColor", colour).encode()))
        for size in SIZES:
            icon.addPixmap(_drawn(renderer, size), mode)
    return icon


def app_icon() -> QIcon:
    """Return the program's own icon."""
    renderer = QSvgRenderer(QByteArray(resource("icons", "commonplace.svg").read_bytes()))
    icon = QIcon()
    for size in (*SIZES, 128, 256):
        icon.addPixmap(_drawn(renderer, size))
    return icon


def _drawn(renderer: QSvgRenderer, size: int) -> QPixmap:
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap
