"""Conversations by day: under which heading each one stands, and when it was."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QDate, QDateTime

from commonplace.chat.kept import Chat, Hit
from commonplace.desktop.numbers import date_words, number_words

MOST = 2000
"""Rows beyond which filling the list would hold the window up; nobody scrolls so far."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list: a heading, or a conversation with what was found in it and where."""

    heading: str = ""
    chat: Chat | None = None
    found: str = ""
    message: int = 0

    def about(self, now: float) -> str:
        """Return what stands below the title: what was found, or when it was spoken in."""
        return self.found or ("" if self.chat is None else when(self.chat.updated, now))


def rows_of(chats: Sequence[Chat], now: float) -> list[Row]:
    """Return the list of `chats`, which come in its order, with headings between them.

    Of very many, those at the end are left to the search; the list says so.
    """
    rows: list[Row] = []
    heading_of, above = Headings(now), ""
    for chat in chats[:MOST]:
        heading = _tr("Pinned") if chat.pinned else heading_of(chat.updated)
        if heading != above:
            rows.append(Row(heading))
        above = heading
        rows.append(Row(chat=chat))
    if len(chats) > MOST:
        rows.append(Row(_tr("{0} older: search").format(number_words(len(chats) - MOST))))
    return rows


def rows_found(hits: Sequence[Hit]) -> list[Row]:
    """Return the list of what a search found."""
    found = [Row(chat=hit.chat, found=hit.text, message=hit.message) for hit in hits]
    return [Row(_tr("{0} found").format(len(hits))), *found] if found else []


class Headings:
    """Names the days of conversations; quick enough for thousands of them."""

    def __init__(self, now: float) -> None:
        today = _day(now)
        names = {0: _tr("Today"), 1: _tr("Yesterday"), 6: _tr("This week"), 29: _tr("This month")}
        self._since = [
            (_midnight(today - dt.timedelta(days=days)), name) for days, name in names.items()
        ]
        self._months: dict[tuple[int, int], str] = {}

    def __call__(self, updated: float) -> str:
        """Return the heading above a conversation that was spoken in last at `updated`."""
        for since, name in self._since:
            if updated >= since:
                return name
        local = time.localtime(updated)
        month = (local.tm_year, local.tm_mon)
        if month not in self._months:
            words = date_words(QDate(*month, 1), "MMMM yyyy")
            self._months[month] = words[:1].upper() + words[1:]  # French months are small
        return self._months[month]


def when(updated: float, now: float) -> str:
    """Return when that was: the time for today, the day for longer ago."""
    moment = QDateTime.fromSecsSinceEpoch(int(updated))
    if _day(updated) == _day(now):
        return date_words(moment.time())
    same_year = _day(updated).year == _day(now).year
    return date_words(moment.date(), _tr("d MMMM") if same_year else _tr("d MMMM yyyy"))


def _day(seconds: float) -> dt.date:
    return dt.datetime.fromtimestamp(seconds, tz=dt.UTC).astimezone().date()


def _midnight(day: dt.date) -> float:
    return dt.datetime.combine(day, dt.time.min).timestamp()


def _tr(text: str) -> str:
    return QCoreApplication.translate("ChatDays", text)
