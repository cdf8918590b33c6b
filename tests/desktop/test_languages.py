"""The window's language: which one, what is looked up, and what stays as it is."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QCoreApplication

from commonplace.desktop import languages
from commonplace.desktop.languages import Catalogue, Translator, language_of, told, use_language

TEXTS = {
    "&Open Folder…": "Ordner &öffnen …",
    "{0} cannot be read: {1}.": "{0} ist nicht lesbar: {1}.",
    "{0} cannot be read: {1}. Try again.": "{0} ist nicht lesbar: {1}. Noch einmal.",
    "permission denied": "Zugriff verweigert",
    "moved from {0} to {1}": "nach {1} verschoben (vorher {0})",
    "{0}: {1}": "never",
}


@pytest.fixture
def german():
    return Catalogue(TEXTS)


def test_a_sentence_is_found_whatever_stands_in_its_places(german):
    assert german.told("a.py cannot be read: it is gone.") == "a.py ist nicht lesbar: it is gone."
    assert german.told("a.py cannot be read: permission denied.") == (
        "a.py ist nicht lesbar: Zugriff verweigert."
    )
    assert german.told("moved from old\nname to {0}") == "nach {0} verschoben (vorher old\nname)"


def test_the_longer_sentence_is_found_before_the_shorter(german):
    assert german.told("b cannot be read: x. Try again.").endswith("Noch einmal.")


def test_what_is_not_known_stays_as_it_is(german):
    for text in ("", "a: b", "main.py", "cannot be read", "Ein deutscher Satz."):
        assert german.told(text) == text


def test_qt_asks_the_same_catalogue(german, qapp):
    translator = Translator(german)
    qapp.installTranslator(translator)
    try:
        assert QCoreApplication.translate("Anything", "&Open Folder…") == "Ordner &öffnen …"
        assert QCoreApplication.translate("Anything", "Unknown") == "Unknown"
    finally:
        qapp.removeTranslator(translator)


@pytest.mark.parametrize(
    ("setting", "wanted", "code"),
    [
        ("de", ["fr-FR"], "de"),
        ("system", ["fr-CA", "en-GB"], "fr"),
        ("system", ["de_AT"], "de"),
        ("system", ["ja-JP", "de-DE"], "de"),
        ("system", ["C"], "en"),
        ("system", [], "en"),
        ("en", ["de"], "en"),
    ],
)
def test_the_language_follows_the_setting_and_then_the_system(setting, wanted, code):
    assert language_of(setting, wanted) == code


def test_a_damaged_catalogue_leaves_the_window_in_english(qapp, monkeypatch, tmp_path):
    (tmp_path / "de.mo").write_bytes(b"\xde\x12\x04\x95 and then nothing")
    monkeypatch.setattr(languages, "resource", lambda *parts: tmp_path / parts[-1])
    use_language(qapp, "de")
    assert told("permission denied") == "permission denied"
    use_language(qapp, "en")
