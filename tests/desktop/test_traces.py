"""A pasted stack trace: its frames are led to files and open at their lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from commonplace.desktop.trace_frames import Led, frames_of, lead
from commonplace.recall.shapes import Frame

TRACE = """Traceback (most recent call last):
  File "/home/someone/demo/src/other.py", line 2, in main
    run()
  File "/home/someone/demo/src/config.py", line 41, in load_settings
    parse()
  File "/usr/lib/python3.12/json/decoder.py", line 353, in decode
ValueError: no
"""
FILES = ("src/config.py", "src/other.py", "README.md", "a/util.py", "b/util.py", "main.rs")


def test_only_traces_have_frames():
    assert frames_of("how does src/config.py:41 work?") == ()
    assert [frame.line for frame in frames_of(TRACE)] == [2, 41, 353]


@pytest.mark.parametrize(
    ("path", "led"),
    [
        ("/home/x/demo/src/config.py", "src/config.py"),
        ("C:/work/demo/src/config.py", "src/config.py"),
        ("./src/config.py", "src/config.py"),
        ("config.py", "src/config.py"),
        ("/elsewhere/config.py", ""),  # a name in common says too little
        ("/x/b/util.py", "b/util.py"),
        ("util.py", ""),  # two fit
        ("/x/y/main.rs", "main.rs"),
        ("nothing.py", ""),
    ],
)
def test_frames_are_led_to_files(path, led):
    assert lead([Frame(path, 3)], FILES) == (Led(Frame(path, 3), led),)


@given(st.lists(st.text("ab/.\\", max_size=12), max_size=6), st.lists(st.text("ab/.", max_size=9)))
def test_whatever_the_paths(paths, files):
    found = lead([Frame(path, 1) for path in paths], files)
    assert all(not led.path or led.path in files for led in found)


def test_a_pasted_trace_lists_its_frames(window, qtbot, settled):
    frames = window.desk.frames
    assert not frames.isVisible()
    window.composer.set_draft(TRACE)
    qtbot.waitUntil(frames.isVisible)
    assert [led.path for led in frames.frames] == ["src/other.py", "src/config.py", ""]
    assert "2 of 3" in frames.title.text()
    assert not frames.model.item(2).isEnabled()
    window.composer.set_draft("")
    qtbot.waitUntil(lambda: not frames.isVisible())
    window.ask(TRACE)
    settled(window)
    qtbot.waitUntil(frames.isVisible)
    frames.list.setFocus()
    frames.list.setCurrentIndex(frames.model.index(1, 0))
    with qtbot.waitSignal(window.code.opened):
        QTest.keyClick(frames.list, Qt.Key.Key_Return)
    assert window.code.path == "src/config.py"
    assert window.code.view.marked_lines == (41, 41)
    window.ask("and what else?")
    settled(window)
    qtbot.waitUntil(lambda: not frames.isVisible())
