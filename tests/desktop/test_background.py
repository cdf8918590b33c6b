"""Work off the window's thread."""

from __future__ import annotations

import threading

import shiboken6
from PySide6.QtCore import QObject

from commonplace.desktop.background import Background


def test_a_result_comes_in_the_thread_of_the_window(qtbot):
    work, came = Background(), []
    work.run(threading.get_ident, lambda found: came.append((found, threading.get_ident())), came)
    qtbot.waitUntil(lambda: bool(came))
    [(there, here)] = came
    assert here == threading.get_ident() != there


def test_what_is_under_way_when_its_owner_goes_ends_quietly(qtbot):
    owner, came = QObject(), []
    work = Background(owner)
    began, go_on = threading.Event(), threading.Event()

    def wait():
        began.set()
        return go_on.wait(60)

    work.run(wait, came.append, came.append)
    assert began.wait(60)
    later = threading.Timer(0.2, go_on.set)  # the deletion waits for what runs
    later.start()
    owner.deleteLater()
    qtbot.waitUntil(lambda: not shiboken6.isValid(work))
    later.join()
    assert came == []
