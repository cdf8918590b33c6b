"""Pictures of the book, made on a small project of its own with the real memory process."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from commonplace.desktop.book_quick import NewNote
from commonplace.desktop.sources import Source
from commonplace.recall.passages import Passage

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from commonplace.desktop.window import MainWindow

Pump = Callable[["QApplication", Callable[[], bool]], None]
Settle = Callable[["QApplication"], None]

CODE = '''"""Berths of the ferry, and who may have them."""

from __future__ import annotations

LIMIT = 42


class Ferry:
    """One crossing."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.booked: list[str] = []

    def book(self, passenger: str) -> bool:
        """Give `passenger` a berth, if there is one."""
        if len(self.booked) >= LIMIT:
            return False
        self.booked.append(passenger)
        return True

    def release(self, passenger: str) -> None:
        """Take a berth back."""
        self.booked.remove(passenger)


def retry_delay(attempt: int) -> float:
    """Return seconds to wait before the next attempt."""
    return min(2.0**attempt, 60.0)
'''
BEFORE = "        if len(self.booked) >= LIMIT:\n            return False\n"
AFTER = (
    "        if passenger in self.booked or len(self.booked) >= LIMIT:\n            return False\n"
)
TEXT = """A full ferry is **not an error**: the caller puts the passenger on the next one,
and the harbour office is told in the evening.

* Do not raise here. `book` is called for every row of an import.
* The limit is that of the safety certificate, not of the seats.

```python
if not ferry.book(name):
    later.append(name)
```
"""
NOTES = (
    NewNote("A full ferry is not an error", TEXT, ("src/ferry.py::Ferry.book",), ("import",)),
    NewNote(
        "Retries stop at a minute",
        "The harbour's server bans callers that wait longer and then come all at once.",
        ("src/ferry.py::retry_delay",),
        ("network",),
    ),
    NewNote("Names are never logged", "Passengers are people. Log berths.", (), ("privacy",)),
    NewNote("Where the certificate lies", "In the harbour office; it ends in May.", (), (), True),
)
DRAFT = NewNote(
    "Releasing a berth twice raises an error",
    "> The second call of release fails, because the name is not in the list any more.\n\n"
    "The answer rested on:\n\n- `src/ferry.py:22-24`\n",
    ("src/ferry.py::Ferry.release",),
    (),
    private=True,
)


def make_project(folder: Path) -> Path:
    """Write the small project."""
    root = folder / "ferry"
    (root / "src").mkdir(parents=True)
    (root / "src" / "ferry.py").write_text(CODE, encoding="utf-8")
    (root / "README.md").write_text("# Ferry\n\nBerths and bookings.\n", encoding="utf-8")
    return root


def fill(app: QApplication, window: MainWindow, root: Path, pump: Pump) -> None:
    """Write the notes, count some uses, and change the code of one of them."""
    desk = window.book.desk
    for note in (*NOTES, DRAFT):
        done: list[int] = []
        desk.add(note, draft=note is DRAFT, then=lambda done=done: done.append(1))
        pump(app, lambda done=done: bool(done))
    desk.open()
    rows = desk.page.list.model
    pump(app, lambda: rows.rowCount() == len(NOTES) + 1)
    for row in rows.rows:
        if row.note.title == NOTES[1].title:
            desk.act("pin", row.note)
        if row.note.title == NOTES[0].title:
            for answer in ("one", "two", "three", "four"):
                desk.link.tell("note_used", {"notes": [row.note.id], "answer": answer})
    pump(app, lambda: any(row.note.pinned for row in rows.rows))
    (root / "src" / "ferry.py").write_text(CODE.replace(BEFORE, AFTER), encoding="utf-8")
    window.controller.reconcile()
    pump(app, lambda: any(row.note.stale for row in rows.rows))


def save(app: QApplication, window: MainWindow, theme: str, folder: Path, settle: Settle) -> None:
    """Save the stale note with its difference, the inbox, and a mark in the margin."""
    window.choose_theme(theme)
    window.shell.toasts.dismiss()
    desk = window.book.desk
    for kind, name in (("stale", "book"), ("inbox", "book-inbox")):
        desk.open(kind=kind)
        settle(app)
        window.grab().save(str(folder / f"{name}-{theme}.png"))
    desk.page.list.show_kind("")
    window.book.leave()
    window.open_source(Source(1, Passage("src/ferry.py", 15, 15, "", 0, "block", "", ())))
    settle(app)
    window.grab().save(str(folder / f"book-mark-{theme}.png"))


def take(
    app: QApplication, window: MainWindow, folder: Path, home: Path, tools: tuple[Pump, Settle]
) -> None:
    """Open the small project in `window` and take all pictures."""
    pump, settle = tools
    os.environ["COMMONPLACE_AUTHOR"] = "jane"
    root = make_project(home)
    window.open_project(root)
    pump(app, lambda: window.controller.memory.root == root)
    pump(app, lambda: window.status.status.phase == "ready")
    fill(app, window, root, pump)
    for theme in ("dark", "light"):
        save(app, window, theme, folder, settle)
