"""A walk over every screen: names, roles, tab order, focus that is seen, text that is legible."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QImage
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QTabBar,
    QWidget,
)

from commonplace.desktop.motion import set_motion
from commonplace.desktop.theme import contrast, load_theme, style_sheet
from desktop.screens import SCREENS, open_screen
from desktop.test_accessibility import rich_labels, unnamed

LEAST = 4.5
SEEN = 40
"""Pixels that have to change with the focus; a text cursor alone has fewer."""


@pytest.fixture(params=sorted(SCREENS))
def screen(request, window, settled, qtbot, app):
    set_motion(app, "reduced")  # what moves would look like focus
    window.resize(1280, 900)
    window.ask("settings !say They are `read` at start [1].")
    settled(window)
    shown = open_screen(request.param, window, qtbot)
    yield shown
    set_motion(app, "system")
    for widget in QApplication.topLevelWidgets():
        if widget is not window and widget.isVisible():
            widget.close()


def visible_in(screen):
    return [w for w in [screen, *screen.findChildren(QWidget)] if w.isVisible()]


def usable(screen):
    """Return what Tab should reach."""
    found = [
        widget
        for widget in visible_in(screen)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.isEnabled()
        and widget.focusProxy() is None
        and not isinstance(widget.parent(), QComboBox | QAbstractSpinBox)
        and type(widget.parent()).__name__ != "QComboBoxPrivateContainer"
    ]
    return [w for w in found if not isinstance(w, QAbstractButton) or not _spoken_for(w)]


def _spoken_for(button):
    """Of radio buttons that belong together Tab reaches one."""
    group = button.group()
    return bool(group and group.exclusive() and not button.isChecked())


def test_everything_has_a_name_and_a_role(screen):
    assert not unnamed(screen)
    assert not rich_labels(screen)
    for widget in usable(screen):
        if isinstance(widget, QKeySequenceEdit):
            continue  # Qt gives it no role; the field in it has one, and the name
        interface = QAccessible.queryAccessibleInterface(widget)
        assert interface.role() not in (QAccessible.Role.NoRole, QAccessible.Role.Client), widget


def test_tab_reaches_everything(screen):
    if screen.window() is not screen:
        pytest.skip("part of the window, which is walked itself")
    wanted = usable(screen)
    assert wanted
    wanted[0].setFocus(Qt.FocusReason.TabFocusReason)
    reached = set()
    for _ in range(3 * len(wanted) + 20):
        reached.add(screen.focusWidget())
        screen.focusNextPrevChild(True)
    missed = [_described(w) for w in wanted if w not in reached and not _within(w, reached)]
    assert not missed


def _within(widget, reached):
    """Return whether the focus was in a part of `widget`, as in the field of a spin box."""
    return any(r is not None and widget.isAncestorOf(r) for r in reached)


def test_the_focus_is_seen(screen):
    unseen = []
    top = screen.window()
    for widget in usable(screen):
        if not widget.isVisible() or widget.visibleRegion().isEmpty():
            continue
        others = [w for w in usable(top) if w is not widget]
        if not others:
            continue
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        QApplication.processEvents()
        if QApplication.focusWidget() is not widget or not widget.isVisible():
            continue
        with_focus = _picture(widget)
        others[0].setFocus(Qt.FocusReason.TabFocusReason)
        QApplication.processEvents()
        if not widget.isVisible():
            continue  # the palette goes with the focus, which is seen well enough
        if _differences(with_focus, _picture(widget)) < SEEN:
            unseen.append(_described(widget))
    assert not unseen


def _picture(widget):
    """Return what is on screen where `widget` is, with a margin for frames around it."""
    QApplication.processEvents()
    top = widget.window()
    box = QRect(widget.mapTo(top, QPoint(0, 0)), widget.size()).adjusted(-14, -14, 14, 14)
    return top.grab(box.intersected(top.rect())).toImage()


def _differences(one, other):
    if one.size() != other.size():
        return SEEN
    return int((_colours(one) != _colours(other)).sum())


def _colours(image):
    """Return the colours of an image as numbers, one per pixel."""
    plain = image.convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(plain.constBits(), dtype=np.uint32) & 0xFFFFFF


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_is_legible_as_it_is_drawn(screen, window, theme, app):
    window._keeper.choose(theme, 15)  # large, so that strokes reach their full colour
    QApplication.processEvents()
    faint = []
    for widget in visible_in(screen):
        if not _text(widget) or not widget.isEnabled() or widget.visibleRegion().isEmpty():
            continue
        box = widget.visibleRegion().boundingRect()
        image = widget.window().grab(box.translated(widget.mapTo(widget.window(), QPoint(0, 0))))
        found = _contrast_in(image.toImage())
        if found < LEAST:
            faint.append(f"{found:.2f} {_described(widget)}")
    window._keeper.choose("light", 10)
    assert not faint


def _text(widget):
    if isinstance(widget, QLabel | QAbstractButton):
        return widget.text().strip()
    if isinstance(widget, QLineEdit):
        return widget.text() or widget.placeholderText()
    if isinstance(widget, QTabBar):
        return widget.count()
    if isinstance(widget, QAbstractItemView):
        return widget.model() is not None and widget.model().rowCount()
    return ""


def _contrast_in(image):
    """Return the contrast of the most frequent colour with the one most unlike it."""
    colours, counts = np.unique(_colours(image), return_counts=True)
    ground = colours[counts.argmax()]
    return max(contrast(f"#{ground:06x}", f"#{colour:06x}") for colour in colours)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_rules_that_set_text_and_ground_keep_their_distance(name):
    sheet = re.sub(r"/\*.*?\*/", "", style_sheet(load_theme(name)), flags=re.DOTALL)
    rules = re.findall(r"([^{}]+)\{([^}]*)\}", sheet)
    tried = 0
    for selector, body in rules:
        values = dict(re.findall(r"(?<![\w-])([\w-]+):\s*(#[0-9a-f]{6})", body))
        if {"color", "background"} <= values.keys():
            assert contrast(values["color"], values["background"]) >= LEAST, selector.strip()
            tried += 1
    assert tried > 8


def _described(widget):
    name = widget.accessibleName() or getattr(widget, "text", lambda: "")()
    return f"{type(widget).__name__} {widget.objectName()} {name!r}"
