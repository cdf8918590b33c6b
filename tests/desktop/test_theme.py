"""Both themes are legible, and switching is immediate."""

from __future__ import annotations

import re

import pytest
from PySide6.QtGui import QPalette

from commonplace.desktop.highlight import CATEGORIES
from commonplace.desktop.icons import app_icon, tinted
from commonplace.desktop.theme import contrast, load_theme, style_sheet
from commonplace.paths import resource

PAIRS = [
    (text, ground)
    for ground in (
        "window",
        "base",
        "alternate",
        "raised",
        "question",
        "code_ground",
        "cited_ground",
    )
    for text in ("text", "muted", "link")
    if (text, ground) not in {("muted", "cited_ground"), ("link", "cited_ground")}
] + [
    ("text", "button"),
    ("on_accent", "accent"),
    ("on_selection", "selection"),
    ("error", "error_ground"),
    ("warning", "warning_ground"),
    ("info", "info_ground"),
    ("text", "error_ground"),
    ("text", "warning_ground"),
    ("text", "info_ground"),
    ("error", "base"),
    ("warning", "base"),
    ("ok", "window"),
    ("error", "window"),
    *(
        (text, f"{side}_{ground}")
        for text in ("text", "muted")
        for side in ("added", "removed")
        for ground in ("ground", "mark")
        if (text, ground) != ("muted", "mark")
    ),
]


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_is_legible(name, text, ground):
    colours = load_theme(name).colours
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("name", ["light", "dark"])
def test_code_is_legible_even_where_it_is_cited(name):
    theme = load_theme(name)
    assert set(CATEGORIES.values()) <= set(theme.code)
    for category, colour in theme.code.items():
        for ground in ("code_ground", "cited_ground"):
            assert contrast(colour, theme.colours[ground]) >= 4.5, (category, ground)


def test_contrast_knows_the_extremes():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#777777") == pytest.approx(1)


def test_themes_have_the_same_roles():
    assert load_theme("light").colours.keys() == load_theme("dark").colours.keys()
    assert load_theme("light").code.keys() == load_theme("dark").code.keys()
    assert "@" not in re.sub(r"/\*.*?\*/", "", style_sheet(load_theme("dark")), flags=re.DOTALL)


def test_choosing_switches_at_once(keeper, qtbot, app):
    with qtbot.waitSignal(keeper.changed):
        keeper.choose("dark", 12)
    dark = load_theme("dark")
    assert app.palette().color(QPalette.ColorRole.Base) == dark.colour("base")
    assert app.font().pointSize() == 12
    keeper.choose("system", 10)
    assert keeper.theme.name == "light"  # the offscreen platform knows no scheme


def test_every_icon_draws(keeper):
    for file in sorted(resource("icons").glob("*.svg")):
        if file.stem != "commonplace":
            image = tinted(file.stem, keeper.theme).pixmap(16, 16).toImage()
            assert any(image.pixelColor(x, y).alpha() for x in range(16) for y in range(16))
    assert not app_icon().isNull()
