"""Reports of crashes: where it happened, and nothing else; shown once, sent nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QPlainTextEdit

from commonplace.desktop.app import _begin
from commonplace.desktop.crash import CrashReports, cleaned, described

APP = Path(__file__).resolve().parents[2] / "app"
DIE = """
import faulthandler, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from commonplace.desktop.crash import CrashReports
reports = CrashReports(Path(sys.argv[2]))
reports.begin()
def secret_work(password="hunter2"):
    if sys.argv[3] == "fault":
        faulthandler._sigabrt()
    if sys.argv[3] == "error":
        try:
            raise ValueError("hunter2")
        except ValueError as error:
            reports.write(type(error), error.__traceback__)
secret_work()
reports.end()
"""


def died(logs, how):
    subprocess.run(
        [sys.executable, "-c", DIE, str(APP), str(logs), how],
        check=False,
        capture_output=True,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
    )


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_fault_leaves_a_report_without_private_text(tmp_path):
    died(tmp_path, "fault")
    text = CrashReports(tmp_path).left_behind()
    assert "Aborted" in text
    assert "secret_work" in text  # a name of the program's own
    assert "hunter2" not in text
    assert str(Path.home()) not in text
    assert str(APP) not in text


def test_an_error_leaves_its_kind_and_place(tmp_path):
    died(tmp_path, "error")
    reports = CrashReports(tmp_path)
    text = reports.left_behind()
    assert "builtins.ValueError" in text
    assert "hunter2" not in text
    reports.forget()
    assert reports.left_behind() == ""


def test_a_clean_end_leaves_nothing(tmp_path):
    died(tmp_path, "well")
    assert CrashReports(tmp_path).left_behind() == ""
    assert not list((tmp_path / "crashes").iterdir())


def test_a_report_of_a_running_process_is_not_shown(tmp_path):
    folder = tmp_path / "crashes"
    folder.mkdir()
    (folder / f"{os.getppid()}.txt").write_text("half written")
    assert CrashReports(tmp_path).left_behind() == ""


def test_paths_lose_their_folders():
    assert cleaned('File "/home/ada/x y/app/desktop/window.py", line 3') == (
        "File desktop/window.py, line 3"
    )
    assert cleaned(r'File "C:\Users\ada\app\run.py", line 3') == "File app/run.py, line 3"


def test_the_text_of_an_error_is_not_described():
    try:
        {}["private"]
    except KeyError as error:
        text = described(type(error), error.__traceback__)
    assert "KeyError" in text
    assert "private" not in text
    assert "desktop/test_crash.py" in text


def test_without_a_folder_there_is_no_report_and_no_trouble(tmp_path):
    (tmp_path / "file").write_text("")
    reports = CrashReports(tmp_path / "file")
    reports.begin()
    reports.write(ValueError, None)
    reports.end()
    assert reports.left_behind() == ""


def test_the_next_start_shows_it_and_deletes_it_on_request(open_window, paths, qtbot):
    died(paths.logs, "error")
    window = open_window()
    _begin(window, None, CrashReports(paths.logs))
    assert "crash" in window.messages.texts
    [show] = [b for b in window.messages.findChildren(type(window.model_button)) if b.text()]
    show.click()
    [dialog] = [w for w in QApplication.topLevelWidgets() if w.windowTitle() == "What happened"]
    assert "builtins.ValueError" in dialog.findChild(QPlainTextEdit).toPlainText()
    buttons = {b.text(): b for b in dialog.findChildren(type(window.model_button))}
    buttons["Copy"].click()
    assert "ValueError" in QApplication.clipboard().text()
    buttons["Delete the Report"].click()
    assert CrashReports(paths.logs).left_behind() == ""
