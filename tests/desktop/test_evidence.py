"""The Evidence panel: what it teaches, measures, shows, compares, exports and deletes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMessageBox

from commonplace.desktop.evidence_words import name_of
from commonplace.measure.store import ResultStore

ASKING = "Asking what the notes answer: 3 of 12"


@pytest.fixture
def panel(window):
    """The panel of a window, just opened."""
    window.actions_by_id["evidence"].trigger()
    return window.evidence.panel


def measured(panel, qtbot, *, count=1):
    """Wait until `count` results are shown and nothing runs."""
    qtbot.waitUntil(
        lambda: panel.chosen.count() == count and not panel.strip.isVisible(), timeout=15000
    )


def test_the_empty_panel_teaches(panel, qtbot):
    assert panel.pages.currentWidget() is panel.empty
    words = " ".join(label.text() for label in panel.empty.findChildren(type(panel.phase)))
    for word in ("held out", "grep", "only read", "minutes", "go on later"):
        assert word in words
    assert not panel.export.isVisible()
    assert panel.full.isEnabled()
    assert panel.quick.isEnabled()


def test_measuring_shows_sentences_figures_and_tables(panel, window, qtbot):
    panel.quick.click()
    measured(panel, qtbot)
    result = panel.shown()
    assert result.quick
    assert result.model == "tiny-instruct.gguf"
    assert result.project == "demo"
    assert [label.text() for label in panel.view.verdicts] == [
        verdict.sentence for verdict in result.verdicts
    ]
    assert panel.view.verdicts[0].accessibleName().startswith("Helps: ")
    assert len(panel.view.charts) == 7
    assert len(panel.view.tables) == 8
    assert panel.view.charts[0].isVisible()
    panel.as_tables.click()
    assert not panel.view.charts[0].isVisible()
    assert panel.view.tables[0].isVisible()
    assert panel.view.tables[4].item(0, 1).text() == "Recall"


def test_progress_says_how_long_and_can_be_stopped(open_window, qtbot, tmp_path, model):
    slow = tmp_path / "slow"
    slow.mkdir()
    window = open_window()
    window.open_project(slow)
    qtbot.waitUntil(lambda: window.status.status.phase == "ready", timeout=15000)
    window.actions_by_id["evidence"].trigger()
    panel = window.evidence.panel
    panel.full.setFocus()
    panel.full.click()
    qtbot.waitUntil(lambda: panel.phase.text() == ASKING, timeout=15000)
    assert panel.left.text() == "7 min left"
    assert panel.bar.value() == 250
    assert not panel.full.isEnabled()
    assert panel.stop.hasFocus()
    panel.stop.click()
    qtbot.waitUntil(lambda: not panel.strip.isVisible(), timeout=15000)
    assert "What was measured is kept" in panel.messages.texts["evidence"]
    qtbot.waitUntil(lambda: panel.full.text() == "Go &On Measuring", timeout=15000)
    assert panel.quick.text() == "&Quick Measurement"
    assert panel.full.isEnabled()
    # Going on starts the process again, even while the last one still ends.
    panel.full.click()
    qtbot.waitUntil(lambda: panel.phase.text() == ASKING, timeout=15000)
    panel.close()
    assert window.controller.evidence.running
    window.actions_by_id["evidence"].trigger()
    assert panel.strip.isVisible()


@pytest.mark.parametrize(
    ("name", "said"), [("refused", "Choose another one."), ("crash", "is kept")]
)
def test_trouble_is_told_with_its_remedy(name, said, open_window, qtbot, tmp_path, model):
    root = tmp_path / name
    root.mkdir()
    window = open_window()
    window.open_project(root)
    qtbot.waitUntil(lambda: window.status.status.phase == "ready", timeout=15000)
    window.actions_by_id["evidence"].trigger()
    panel = window.evidence.panel
    panel.full.click()
    qtbot.waitUntil(lambda: "evidence" in panel.messages.texts, timeout=15000)
    assert said in panel.messages.texts["evidence"]
    assert panel.full.isEnabled()


def test_another_project_ends_the_measurement(open_window, qtbot, tmp_path, project, model):
    slow = tmp_path / "slow"
    slow.mkdir()
    window = open_window()
    window.open_project(slow)
    qtbot.waitUntil(lambda: window.status.status.phase == "ready", timeout=15000)
    window.actions_by_id["evidence"].trigger()
    panel = window.evidence.panel
    panel.full.click()
    qtbot.waitUntil(lambda: panel.phase.text() == ASKING, timeout=15000)
    window.open_project(project)
    qtbot.waitUntil(lambda: not window.controller.evidence.running, timeout=15000)
    qtbot.waitUntil(lambda: not panel.strip.isVisible(), timeout=15000)


def test_a_result_that_comes_while_the_panel_is_closed_is_announced(panel, window, qtbot):
    panel.quick.click()
    panel.close()
    qtbot.waitUntil(window.shell.toasts.isVisible, timeout=15000)
    assert "The measurement is done." in window.shell.toasts.text


def keep(window, project, *results):
    store = ResultStore.of(project.resolve(), window.controller.paths)
    for result in results:
        store.put(result)
    return store


@pytest.mark.parametrize(
    ("memory", "said"), [("x", "Both measured the same memory."), ("y", "changed between")]
)
def test_two_kept_results_are_compared(memory, said, window, qtbot, project, example, earlier):
    example = replace(example, memory=memory)
    keep(window, project, earlier, example)
    window.actions_by_id["evidence"].trigger()
    panel = window.evidence.panel
    measured(panel, qtbot, count=2)
    assert panel.shown() == example  # the newest
    assert panel.compared() is None
    assert [panel.other.itemText(n) for n in range(panel.other.count())] == [
        "nothing", name_of(earlier),
    ]  # fmt: skip
    panel.other.setCurrentIndex(1)
    panel.other.activated.emit(1)
    assert panel.compared() == earlier
    bars = panel.view.charts[2].figure.groups[0].bars
    assert bars[1].second
    words = [label.text() for label in panel.view.widget().findChildren(type(panel.phase))]
    assert any("Hatched: " in text and said in text for text in words)
    qtbot.waitUntil(lambda: len(panel.view.tables) == 9, timeout=15000)
    assert panel.view.verdicts[-1].text().startswith("1 of 14 figures cannot")
    assert panel.view.tables[-1].item(0, 5).text() == "cannot be told"
    panel.chosen.setCurrentIndex(1)
    panel.chosen.activated.emit(1)
    assert panel.shown() == earlier
    assert panel.compared() is None  # nothing is compared with itself


def test_a_damaged_result_is_told_and_the_others_are_shown(window, qtbot, project, example):
    store = keep(window, project, example)
    (store.folder / "broken.json").write_text("{")
    window.actions_by_id["evidence"].trigger()
    panel = window.evidence.panel
    measured(panel, qtbot)
    qtbot.waitUntil(lambda: "evidence" in panel.messages.texts, timeout=5000)
    assert "broken.json" in panel.messages.texts["evidence"]


def test_a_result_is_deleted_after_a_question(window, qtbot, project, example):
    store = keep(window, project, example)
    window.actions_by_id["evidence"].trigger()
    panel = window.evidence.panel
    measured(panel, qtbot)
    panel.delete.click()
    box = panel.findChild(QMessageBox)
    next(b for b in box.buttons() if b.text() == "Delete").click()
    qtbot.waitUntil(lambda: panel.pages.currentWidget() is panel.empty, timeout=15000)
    assert store.all() == ([], [])


def test_a_web_page_is_exported(window, qtbot, project, example, tmp_path, monkeypatch):
    keep(window, project, example)
    window.actions_by_id["evidence"].trigger()
    panel = window.evidence.panel
    measured(panel, qtbot)
    target = tmp_path / "out"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    panel.as_page.trigger()
    qtbot.waitUntil(lambda: "Exported." in panel.messages.texts.get("evidence", ""), timeout=15000)
    text = target.with_suffix(".html").read_text()
    assert text.lower().startswith("<!doctype html")
    assert example.verdicts[0].sentence in text


def test_tables_are_exported(window, qtbot, project, example, tmp_path, monkeypatch):
    keep(window, project, example)
    window.actions_by_id["evidence"].trigger()
    panel = window.evidence.panel
    measured(panel, qtbot)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    panel.as_csv.trigger()
    qtbot.waitUntil(lambda: "Exported." in panel.messages.texts.get("evidence", ""), timeout=15000)
    [folder] = tmp_path.glob("evidence-*")
    assert "open file" in (folder / "layers.csv").read_text()


def test_an_export_that_cannot_be_written_is_told(
    window, qtbot, project, example, tmp_path, monkeypatch
):
    keep(window, project, example)
    window.actions_by_id["evidence"].trigger()
    panel = window.evidence.panel
    measured(panel, qtbot)
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "file" / "out.html"), "")
    )
    panel.as_page.trigger()
    qtbot.waitUntil(lambda: "evidence" in panel.messages.texts, timeout=15000)
    assert "Exported." not in panel.messages.texts["evidence"]


def test_the_palette_opens_it(window, qtbot):
    window.actions_by_id["palette"].trigger()
    QTest.keyClicks(window.shell.palette.edit, "evidence")
    qtbot.waitUntil(
        lambda: [e.title for e in window.shell.palette.entries][:1] == ["Evidence"], timeout=5000
    )
    QTest.keyClick(window.shell.palette.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(
        lambda: window.evidence.panel is not None and window.evidence.panel.isVisible(),
        timeout=5000,
    )


def test_the_panel_needs_no_numpy():
    code = (
        "import sys, json; import commonplace.desktop.evidence_desk; "
        "print(json.dumps([m for m in ('numpy', 'torch', 'llama_cpp') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_keys_lead_to_every_figure_and_turn_the_page(window, qtbot, project, example):
    keep(window, project, example)
    window.actions_by_id["evidence"].trigger()
    panel = window.evidence.panel
    measured(panel, qtbot)
    last = panel.view.charts[-1]
    last.setFocus(Qt.FocusReason.TabFocusReason)
    panel.view.ensureWidgetVisible(last)
    bar = panel.view.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0, timeout=5000)
    QTest.keyClick(panel, Qt.Key.Key_PageUp)
    QTest.keyClick(panel, Qt.Key.Key_PageUp)
    before = bar.value()
    QTest.keyClick(panel, Qt.Key.Key_PageDown)
    assert bar.value() > before
