"""The catalogues: nothing untranslated, the same places, the same keys for menus."""

from __future__ import annotations

import ast
import gettext
import importlib.util
import re
from collections import Counter
from pathlib import Path

import pytest

from commonplace.desktop.languages import Catalogue

ROOT = Path(__file__).resolve().parents[2]
PLACE = re.compile(r"\{[^{}]*\}")


@pytest.fixture(scope="module")
def translations():
    spec = importlib.util.spec_from_file_location("translations", ROOT / "scripts/translations.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=["de", "fr"])
def language(request, translations):
    """One language: its code and what it has for each text."""
    catalog = translations.read(request.param)
    return request.param, {message.id: message.string for message in catalog if message.id}


def test_what_is_shown_is_collected(translations):
    texts = translations.texts()
    for text in (
        "&Open Folder…",  # the table of actions
        "Explain code in plain words",  # a command
        "Size of text in points.",  # a setting
        "{0} is not a GGUF file.",  # an error of another room, with a place
        "shares rare words with the question",  # a reason
        "Font size",  # the name of a setting
    ):
        assert text in texts, text


def test_every_text_is_translated(translations, language):
    code, _texts = language
    assert translations.missing(code, translations.template()) == [], "run: make translations"


def test_nothing_is_kept_that_nobody_says(translations, language):
    _code, texts = language
    assert sorted(set(texts) - set(translations.texts())) == [], "run: make translations"


def test_whatever_another_room_says_is_found_again(translations, language):
    """Also the shortest of them, such as "defines {0}"."""
    _code, texts = language
    catalogue = Catalogue(texts)
    calls = (
        node
        for file in (ROOT / "app" / "commonplace").rglob("*.py")
        if "desktop" not in file.parts
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "said"
    )
    said = {text for call in calls for text in translations._of_call(call)}
    assert "defines {0}" in said
    filled = {PLACE.sub("Xy", text) for text in said if texts[text] != text}
    assert [text for text in sorted(filled) if catalogue.told(text) == text] == []


def test_places_are_the_same(language):
    _code, texts = language
    wrong = {
        source: target
        for source, target in texts.items()
        if Counter(PLACE.findall(source)) != Counter(PLACE.findall(target))
    }
    assert not wrong


def test_a_key_stays_a_key(language):
    _code, texts = language
    wrong = {s: t for s, t in texts.items() if _key(s) != _key(t)}
    assert not wrong


def _key(text: str) -> bool:
    return re.search(r"&\w", text) is not None


def test_no_two_entries_of_a_menu_share_a_key(translations, language):
    from commonplace.desktop.actions import ACTIONS

    _code, texts = language
    menus: dict[str, list[str]] = {}
    for spec in ACTIONS:
        menus.setdefault(spec.menu, []).append(texts[spec.title])
    menus["the menu bar"] = [texts[menu] for menu in menus]
    for menu, titles in menus.items():
        keys = Counter(re.search(r"&(\w)", t)[1].lower() for t in titles if _key(t))
        twice = {key for key, count in keys.items() if count > 1}
        assert not twice, f"{menu}: {twice} in {titles}"


def test_the_compiled_catalogue_is_the_written_one(translations, language):
    code, texts = language
    with (translations.FOLDER / f"{code}.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    assert {source: compiled.gettext(source) for source in texts} == texts, "run: make translations"
