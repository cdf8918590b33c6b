"""Numbers and dates as the language of the window writes them: 12,345 is 12.345 in German.

Only numbers that are meant for people go through here: versions, paths, code and what
a model wrote stay as they are.
"""

from __future__ import annotations

import re
from typing import ClassVar

from PySide6.QtCore import QDate, QDateTime, QLocale, QTime

FOR_PEOPLE = re.compile(r"\d{1,3}(?:,\d{3})+|\d+(?:\.\d)? (?:MB|GB)")
"""What other rooms write for people alone: grouped whole numbers, and sizes with their unit.

A bare ``1.5`` may be a version, so it is none of these.
"""
UNITS = re.compile(r"(?<=\d )([kMG])B\b")
OCTETS = {"fr"}
"""Languages in which a byte is an *octet*: 4.7 GB is 4,7 Go."""
ELSEWHERE = {"en": "en_GB"}
"""Whose dates are read where the system speaks another language: the day comes first."""


class _Chosen:
    """The language in force: one window shows one."""

    locale = QLocale("en")
    calendar = locale
    """For dates and times: Britain and the United States differ in these, not in numbers."""
    unit = r"\1B"
    signs: ClassVar[dict[int, str]] = {}
    """For `str.translate`: what stands for the English comma and point."""


def use_numbers(code: str) -> None:
    """Let all numbers and dates from now on be written as in the language `code`."""
    _Chosen.locale = locale = QLocale(code)
    own = system_locale()
    spoken = own.language() == locale.language()
    _Chosen.calendar = own if spoken else QLocale(ELSEWHERE.get(code, code))
    _Chosen.unit = r"\1o" if code in OCTETS else r"\1B"
    _Chosen.signs = str.maketrans({",": locale.groupSeparator(), ".": locale.decimalPoint()})


def system_locale() -> QLocale:
    """Return how the system writes dates, in the user's own country."""
    return QLocale.system()


def date_words(moment: QDate | QTime | QDateTime, form: str = "") -> str:
    """Return a date, a time or both for people: short, or as `form`, such as ``MMMM yyyy``.

    The words are those of the window's language; the order is that of the user's country
    where it speaks this language.
    """
    if form:
        return _Chosen.calendar.toString(moment, form)
    return _Chosen.calendar.toString(moment, QLocale.FormatType.ShortFormat)


def number_words(value: float, form: str = ",") -> str:
    """Return `value`, formatted by a format specification such as ``,.1f``, for people."""
    return rewritten(format(value, form))


def rewritten(text: str) -> str:
    """Return `text`, which holds a number in English and its unit, such as ``4.7 GB``, as here."""
    return UNITS.sub(_Chosen.unit, text).translate(_Chosen.signs)


def disk_size(count: int) -> str:
    """Return what lies on a disk, in bytes, for people: ``1.0 MiB``."""
    return _Chosen.locale.formattedDataSize(count, 1)


def for_people(text: str) -> str | None:
    """Return a number that another room wrote for people as here; None for any other text."""
    return rewritten(text) if FOR_PEOPLE.fullmatch(text) else None
