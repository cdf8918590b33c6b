"""Which notes could go to the archive, and why. Nothing leaves by itself."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass

from commonplace.book.note import Listed
from commonplace.words import said

UNUSED_DAYS = 180
STALE_DAYS = 30
DRAFT_DAYS = 60
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A note that could be archived, and the reasons."""

    note: Listed
    reasons: tuple[str, ...]


def suggestions(notes: Sequence[Listed], now: float | None = None) -> list[Suggestion]:
    """Return the notes that were unused, stale and unpinned for long, the oldest first."""
    now = time.time() if now is None else now
    found = [(age_days(note, now), note, _reasons(note, now)) for note in notes]
    worth = [(age, note, reasons) for age, note, reasons in found if reasons]
    worth.sort(key=lambda item: (-item[0], item[1].id))
    return [Suggestion(note, tuple(reasons)) for _, note, reasons in worth]


def age_days(note: Listed, now: float) -> float:
    """Return the days since a note was written or last helped; never below 0."""
    times = [note.last_use]
    try:
        written = dt.datetime.fromisoformat(note.created)
        if written.tzinfo is None:
            written = written.replace(tzinfo=dt.UTC)
        times.append(written.timestamp())
    except (ValueError, OverflowError):
        pass
    last = max(times)
    # Without any date nothing says that it is old.
    return max(0.0, (now - last) / DAY) if last else 0.0


def _reasons(note: Listed, now: float) -> list[str]:
    if note.pinned or note.broken or note.status == "archived":
        return []
    age = age_days(note, now)
    if note.status == "inbox":
        return [said(f"a draft that has waited for {age:.0f} days")] if age >= DRAFT_DAYS else []
    reasons = []
    if note.state == "gone":
        reasons.append(said("the code it speaks of is gone"))
    elif note.state == "changed":
        reasons.append(said("the code it speaks of changed"))
    limit = STALE_DAYS if note.state == "gone" else UNUSED_DAYS
    if not reasons or age < limit:
        return []
    if note.uses:
        reasons.append(said(f"helped in {note.uses} answers, the last {age:.0f} days ago"))
    else:
        reasons.append(said(f"never helped; written {age:.0f} days ago"))
    return reasons
