"""The language of the window.

Catalogues are gettext's: one ``.po`` file a language in ``resources/translations``,
compiled to the ``.mo`` beside it (``make translations``). What the window itself says
goes through Qt's `tr`; what other rooms say arrives as finished English sentences, and
`told` finds the sentence each was made from.
"""

from __future__ import annotations

import gettext
import logging
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QObject, QTranslator

from commonplace.desktop.numbers import for_people, use_numbers
from commonplace.errors import CommonplaceError
from commonplace.paths import resource

log = logging.getLogger(__name__)

LANGUAGES = {"en": "English", "de": "Deutsch", "fr": "Français"}
"""Codes of the languages that are there, each with its own name."""
PLACE = re.compile(r"\{(\d+)\}")
"""A place in a text where something is put in."""
BLANKS = re.compile(r"[ \t\n\r\f\v]+")
"""Blanks and breaks, but for those that hold a number together."""
LITERAL = 6
"""Texts with fewer letters of their own are not looked for: they would be found everywhere."""


class Catalogue:
    """The texts of one language: exact ones, and sentences with places in them."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = dict(texts)
        self._sentences = _sentences(self._texts)

    def exactly(self, text: str) -> str:
        """Return the translation of `text`, or nothing."""
        return self._texts.get(text, "")

    def told(self, text: str) -> str:
        """Return `text` in this language, whatever stands in its places; else as it is.

        What stands in a place is looked up in the same way: a reason inside of a
        sentence is translated, a path is not. A number is written as in this language
        where it can be nothing else.
        """
        found = self.exactly(text)
        if found:
            return found
        for literal, pattern, target in self._sentences:
            if literal in text and (match := pattern.fullmatch(text)) is not None:
                values = [for_people(value) or self.told(value) for value in match.groups()]
                return PLACE.sub(lambda place, v=values: v[int(place[1])], target)  # type: ignore[misc]
        return text


class Translator(QTranslator):
    """Gives Qt the texts of a catalogue; which class asks makes no difference."""

    def __init__(self, catalogue: Catalogue, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._catalogue = catalogue

    def isEmpty(self) -> bool:
        """Say that there are texts, although Qt loaded none."""
        return False

    def translate(
        self, _context: str, source: str, _disambiguation: str | None = None, _n: int = -1
    ) -> str:
        """Return the text, or nothing where Qt is to go on looking."""
        # An empty text would be a translation; None is the null string that Qt means.
        return self._catalogue.exactly(source) or None  # type: ignore[return-value]


class _Chosen:
    """What is in force in this process: one window shows one language."""

    catalogue: Catalogue | None = None
    code = "en"
    installed: tuple[QTranslator, ...] = ()


def language_of(setting: str, wanted: Iterable[str] | None = None) -> str:
    """Return the code of the language for a setting: itself, or for ``system`` the user's.

    `wanted` are the user's languages, best first, such as ``de-AT``.
    """
    if setting in LANGUAGES:
        return setting
    for name in QLocale.system().uiLanguages() if wanted is None else wanted:
        code = name.replace("_", "-").partition("-")[0].lower()
        if code in LANGUAGES:
            return code
    return "en"


def use_language(app: QCoreApplication, setting: str) -> str:
    """Let all that is shown from now on be in the language of `setting`; return its code."""
    for translator in _Chosen.installed:
        app.removeTranslator(translator)
    _told.cache_clear()
    _Chosen.code = code = language_of(setting)
    use_numbers(code)
    _Chosen.catalogue, _Chosen.installed = None, ()
    texts = _texts(code) if code != "en" else {}
    if texts:
        _Chosen.catalogue = Catalogue(texts)
        ours = Translator(_Chosen.catalogue, app)
        theirs = QTranslator(app)  # the buttons and menus that Qt brings
        folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        theirs.load(QLocale(code), "qtbase", "_", folder)
        _Chosen.installed = (theirs, ours)
        for translator in _Chosen.installed:
            app.installTranslator(translator)
    return code


def told(text: str) -> str:
    """Return a text that another room wrote in the language of the window."""
    return text if _Chosen.catalogue is None else _told(text)


def told_error(error: CommonplaceError) -> str:
    """Return what happened and how to mend it, on one line, in the language of the window."""
    both = f"{told(error.message)} {told(error.remedy)}"
    return BLANKS.sub(" ", both).strip()


@lru_cache(maxsize=2048)
def _told(text: str) -> str:
    return text if _Chosen.catalogue is None else _Chosen.catalogue.told(text)


def _texts(code: str) -> dict[str, str]:
    """Read the compiled catalogue of a language; a missing or damaged one is English."""
    file = resource("translations", f"{code}.mo")
    try:
        with file.open("rb") as opened:
            catalogue = gettext.GNUTranslations(opened)
    except (OSError, ValueError, EOFError, UnicodeDecodeError) as error:
        log.warning("no texts in %s: %s", code, type(error).__name__)
        return {}
    # A mapping of texts is all there is in it; ours have no plural forms.
    return {
        source: target
        for source, target in vars(catalogue)["_catalog"].items()
        if source and isinstance(source, str) and isinstance(target, str) and target
    }


def _sentences(texts: Mapping[str, str]) -> list[tuple[str, re.Pattern[str], str]]:
    """Return texts with places as patterns, the longest first: it says the most."""
    found = []
    for source, target in sorted(texts.items(), key=lambda item: -len(item[0])):
        numbers = PLACE.findall(source)
        parts = re.split(r"\{\d+\}", source)
        if not numbers or numbers != [str(n) for n in range(len(numbers))]:
            continue
        if sum(map(str.isalpha, "".join(parts))) < LITERAL:
            continue
        pattern = re.compile("(.*?)".join(map(re.escape, parts)), re.DOTALL)
        found.append((max(parts, key=len), pattern, target))
    return found
