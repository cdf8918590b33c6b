"""The two looks of the window: colours read from ``resources/themes``.

Colour schemes set through Qt do nothing without a platform theme, so the
palettes are our own. Views ask the `ThemeKeeper` for colours and repaint when
it says that the theme changed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from commonplace.desktop.motion import set_motion
from commonplace.paths import resource
from commonplace.settings import Settings

TOKEN = re.compile(r"@([a-z_]+)")


@dataclass(frozen=True)
class Theme:
    """Named colours: of the interface (`colours`) and of code (`code`)."""

    name: str
    colours: Mapping[str, str]
    code: Mapping[str, str]

    def colour(self, role: str) -> QColor:
        """Return the colour of `role`, for instance ``muted``."""
        return QColor(self.colours[role])

    def code_colour(self, category: str) -> QColor:
        """Return the colour of code of `category`, plain text when it is unknown."""
        return QColor(self.code.get(category, self.colours["text"]))


@cache
def load_theme(name: str) -> Theme:
    """Read the theme ``light`` or ``dark``."""
    data = tomllib.loads(resource("themes", f"{name}.toml").read_text(encoding="utf-8"))
    return Theme(name, data["colours"], data["code"])


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours as WCAG 2 defines it, from 1 to 21."""
    light, dark = sorted((_luminance(QColor(one)), _luminance(QColor(other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: QColor) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)

    red, green, blue = linear(colour.redF()), linear(colour.greenF()), linear(colour.blueF())
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def palette_of(theme: Theme) -> QPalette:
    """Return the Qt palette of `theme`."""
    palette = QPalette()
    role = QPalette.ColorRole
    for where, name in {
        role.Window: "window",
        role.WindowText: "text",
        role.Base: "base",
        role.AlternateBase: "alternate",
        role.Text: "text",
        role.Button: "button",
        role.ButtonText: "text",
        role.ToolTipBase: "raised",
        role.ToolTipText: "text",
        role.PlaceholderText: "muted",
        role.BrightText: "on_accent",
        role.Highlight: "selection",
        role.HighlightedText: "on_selection",
        role.Accent: "accent",
        role.Link: "link",
        role.LinkVisited: "link",
        role.Light: "raised",
        role.Midlight: "alternate",
        role.Mid: "border",
        role.Dark: "border",
        role.Shadow: "border",
    }.items():
        palette.setColor(where, theme.colour(name))
    for where in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, where, theme.colour("muted"))
    return palette


def style_sheet(theme: Theme) -> str:
    """Return the style sheet with the theme's colours filled in."""
    template = resource("themes", "style.qss").read_text(encoding="utf-8")
    icons = resource("themes").as_posix()
    filled = TOKEN.sub(lambda match: theme.colours[match.group(1)], template)
    return filled.replace("$themes", icons).replace("$name", theme.name)


def code_font(size: int) -> QFont:
    """Return the system's fixed-width font in `size` points."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setPointSize(size)
    return font


class ThemeKeeper(QObject):
    """Holds the theme in force and follows the desktop while the setting says so."""

    changed = Signal()

    def __init__(self, app: QApplication, setting: str = "system", font_size: int = 10) -> None:
        super().__init__(app)
        self._app = app
        self._setting = setting
        self._font_size = font_size
        self._theme = load_theme(self._wanted())
        fusion = QStyleFactory.create("Fusion")
        if fusion is not None:
            app.setStyle(fusion)
        app.styleHints().colorSchemeChanged.connect(self._follow)
        self._dress()

    @property
    def theme(self) -> Theme:
        """The theme in force."""
        return self._theme

    @property
    def setting(self) -> str:
        """What the user chose: ``system``, ``light`` or ``dark``."""
        return self._setting

    @property
    def font_size(self) -> int:
        """The size of text, in points."""
        return self._font_size

    def choose(self, setting: str, font_size: int | None = None) -> None:
        """Switch at once to `setting`, and to `font_size` when it is given."""
        self._setting = setting
        self._font_size = font_size or self._font_size
        self._theme = load_theme(self._wanted())
        self._dress()
        self.changed.emit()

    def wear(self, settings: Settings) -> None:
        """Look at once as `settings` say: theme, size of text, motion."""
        set_motion(self._app, settings.appearance_motion)
        self.choose(settings.appearance_theme, settings.appearance_font_size)

    def _follow(self) -> None:
        if self._setting == "system":
            self.choose("system")

    def _wanted(self) -> str:
        if self._setting in {"light", "dark"}:
            return self._setting
        dark = self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return "dark" if dark else "light"

    def _dress(self) -> None:
        font = self._app.font()
        if font.pointSize() != self._font_size:
            font.setPointSize(self._font_size)
            self._app.setFont(font)
        self._app.setPalette(palette_of(self._theme))
        self._app.setStyleSheet(style_sheet(self._theme))
