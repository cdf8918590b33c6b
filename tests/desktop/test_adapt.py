"""Adapting to the open file: off, refused, trained, used for that file alone, and gone again."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from commonplace.adapt.store import ADAPTER_FILE, AdapterStore
from commonplace.desktop.adapt_dialog import AdaptDialog
from commonplace.errors import AdapterError
from commonplace.settings import load, save

PATIENCE = 20_000
FILE = "src/config.py"
CODE = "".join(f"def step_{n}(value):\n    return value * {n} + {n * n}\n\n\n" for n in range(40))


@pytest.fixture
def on(window, project):
    """The window with the feature on, no package missing, and the file open."""
    return prepared(window, project, CODE)


def prepared(window, project, code):
    (project / FILE).write_text(code)
    window.adapt.missing = list
    window.controller.apply(save(window.controller.paths.settings_file, {"adapt.enabled": True}))
    window._open_file(FILE)
    return window


def dialog_of(window) -> AdaptDialog:
    window.actions_by_id["adapt"].trigger()
    assert window.adapt.dialog is not None
    return window.adapt.dialog


def page(dialog):
    return dialog.pages.currentWidget()


def estimated(window, qtbot) -> AdaptDialog:
    dialog = dialog_of(window)
    qtbot.waitUntil(dialog.adapt.isEnabled, timeout=PATIENCE)
    return dialog


def adapted(window, qtbot) -> AdaptDialog:
    dialog = estimated(window, qtbot)
    dialog.adapt.click()
    qtbot.waitUntil(lambda: page(dialog) is dialog.outcome, timeout=PATIENCE)
    return dialog


def answer(window, qtbot, question):
    """Ask, and return what the fake says of the adapter that it has in place."""
    conversation = window.conversation
    before = len(conversation.exchanges)
    window.ask(f"{question} !adapter")  # what it mentions is read first

    def answered():
        exchanges = conversation.exchanges
        ready = len(exchanges) > before and exchanges[-1].answer is not None
        return ready and not conversation.busy and not window.transcript.busy

    qtbot.waitUntil(answered, timeout=PATIENCE)
    return conversation.exchanges[-1].answer.text


def store(window, paths) -> AdapterStore:
    return AdapterStore.of(paths, window.controller.memory.root)


def test_it_is_off_until_somebody_turns_it_on(window, project, paths, qtbot):
    assert not window.controller.settings.adapt_enabled
    assert not window.actions_by_id["adapt"].isEnabled()
    window._open_file(FILE)
    assert window.actions_by_id["adapt"] in window.code.view.menu_actions
    window.adapt.missing = list
    dialog = dialog_of(window)
    assert page(dialog) is dialog.off
    assert not dialog.adapt.isVisible()
    dialog.off.button.click()
    assert load(paths.settings_file).adapt_enabled
    qtbot.waitUntil(dialog.adapt.isEnabled, timeout=PATIENCE)
    assert page(dialog) is dialog.estimate
    dialog.close()


def test_without_the_packages_it_says_what_to_install(window, project):
    prepared(window, project, CODE).adapt.missing = lambda: ["peft", "gguf"]
    dialog = dialog_of(window)
    assert page(dialog) is dialog.missing
    assert "peft, gguf" in dialog.missing.more.text()
    assert "commonplace[adapt]" in dialog.missing.more.text()
    assert not dialog.adapt.isVisible()
    dialog.close()


def test_before_it_starts_it_says_what_it_would_learn_from_and_take(on, qtbot):
    dialog = estimated(on, qtbot)
    assert dialog.estimate.files.count() == 1
    assert FILE in dialog.estimate.files.item(0).text()
    assert "80 s" in dialog.estimate.figures.text()
    assert "1.2 GB" in dialog.estimate.figures.text()
    assert not dialog.estimate.neighbours.isChecked()
    dialog.estimate.neighbours.click()
    qtbot.waitUntil(lambda: dialog.estimate.files.count() == 2, timeout=PATIENCE)
    assert "src/other.py" in dialog.estimate.files.item(1).text()
    dialog.close()


def test_a_refusal_comes_with_its_reason_and_what_helps(window, project, qtbot):
    dialog = dialog_of(prepared(window, project, f"# refuse\n{CODE}"))
    qtbot.waitUntil(dialog.estimate.refused.isVisible, timeout=PATIENCE)
    assert dialog.estimate.refused.text() == f"{FILE} is too short."
    assert dialog.estimate.remedy.text() == "Just ask."
    assert not dialog.adapt.isEnabled()
    dialog.close()


def test_what_passes_is_shown_with_its_answers_and_kept(on, paths, qtbot):
    dialog = adapted(on, qtbot)
    texts = dialog.outcome.texts
    assert "The adapter is kept" in texts
    assert texts.count("Yes") == 3
    assert any("−7.1 %" in text and "812 tokens" in text for text in texts)
    assert any(FILE in text for text in texts)
    assert dialog.running.chart is not None
    assert "1.760" in dialog.running.chart.accessibleDescription()
    [record] = store(on, paths).records()
    assert record.file == FILE
    dialog.close()


def test_what_does_not_pass_says_why_and_nothing_is_kept(window, project, paths, qtbot):
    dialog = adapted(prepared(window, project, f"# fail\n{CODE}"), qtbot)
    assert "The adapter was thrown away" in dialog.outcome.texts
    assert "It does not help with the best prompt." in dialog.outcome.texts
    assert dialog.outcome.texts.count("No") == 1
    assert not dialog.discard.isVisible()
    assert not dialog.outcome.use.isVisible()
    assert store(window, paths).records() == []
    dialog.close()


def test_closing_the_page_stops_nothing_and_the_foot_shows_it(window, project, qtbot):
    dialog = estimated(prepared(window, project, f"# slow\n{CODE}"), qtbot)
    dialog.adapt.click()
    qtbot.waitUntil(lambda: dialog.running.chart is not None, timeout=PATIENCE)
    dialog.close()
    button = window.adapt_button
    qtbot.waitUntil(lambda: "70 %" in button.text(), timeout=PATIENCE)
    assert button.text().startswith("Adapting to config.py")
    assert button.isVisible()
    button.click()
    assert dialog.isVisible()
    assert page(dialog) is dialog.running
    dialog.stop.click()
    qtbot.waitUntil(lambda: page(dialog) is dialog.estimate, timeout=PATIENCE)
    qtbot.waitUntil(dialog.adapt.isEnabled, timeout=PATIENCE)
    assert any("Nothing was kept" in said.text() for said in dialog.messages.findChildren(QLabel))
    assert not button.isVisible()
    dialog.close()


def test_a_trainer_that_dies_leaves_the_model_and_can_be_tried_again(window, project, paths, qtbot):
    dialog = estimated(prepared(window, project, f"# crash\n{CODE}"), qtbot)
    dialog.adapt.click()
    qtbot.waitUntil(lambda: page(dialog) is dialog.running, timeout=PATIENCE)
    qtbot.waitUntil(lambda: page(dialog) is dialog.estimate, timeout=PATIENCE)
    assert dialog.messages.isVisible()
    assert store(window, paths).records() == []
    assert answer(window, qtbot, f"What does @{FILE} do?") == "no adapter"
    (project / FILE).write_text(CODE)
    qtbot.waitUntil(dialog.adapt.isEnabled, timeout=PATIENCE)
    dialog.adapt.click()
    qtbot.waitUntil(lambda: page(dialog) is dialog.outcome, timeout=PATIENCE)
    dialog.close()


def test_it_is_used_for_questions_about_its_file_and_for_no_other(on, paths, qtbot):
    adapted(on, qtbot).close()
    [record] = store(on, paths).records()
    badge = on.adapt_button
    assert not badge.isVisible()
    used = f"adapter {record.sha256[:8]} 1"
    assert answer(on, qtbot, f"What does @{FILE} do?") == used
    assert badge.isVisible()
    assert badge.text() == "Adapted to config.py"
    # What an answer was given with is kept with it.
    said = on.conversation.exchanges[-1].answer
    assert said.model == f"tiny-instruct, adapted to {FILE}"
    assert answer(on, qtbot, "What does this project do?") == "no adapter"
    assert on.conversation.exchanges[-1].answer.model == "tiny-instruct"
    assert not badge.isVisible()
    assert answer(on, qtbot, "What does src/config.py do?") == used
    assert answer(on, qtbot, f"Compare @{FILE} with @src/other.py.") == "no adapter"
    on.code.view.selectAll()
    on.actions_by_id["ask_selection"].trigger()
    qtbot.waitUntil(lambda: on.desk.attached.passage is not None)
    assert answer(on, qtbot, "What is @selection?") == used


def test_its_strength_can_be_lowered_and_it_can_be_turned_off(on, paths, qtbot):
    dialog = adapted(on, qtbot)
    [record] = store(on, paths).records()
    answer(on, qtbot, f"What does @{FILE} do?")
    dialog.outcome.scale.setFocus()
    qtbot.keyClick(dialog.outcome.scale, Qt.Key.Key_Down)
    assert load(paths.settings_file).adapt_scale == pytest.approx(0.9)
    used = f"adapter {record.sha256[:8]} 0.9"
    assert answer(on, qtbot, f"What does @{FILE} do?") == used
    dialog.outcome.used.click()
    assert on.adapt.router.placed is None
    assert answer(on, qtbot, f"What does @{FILE} do?") == "no adapter"
    dialog.outcome.used.click()
    assert answer(on, qtbot, f"What does @{FILE} do?") == used
    on.controller.apply(dataclasses.replace(on.controller.settings, adapt_enabled=False))
    assert on.adapt.router.placed is None
    assert not on.adapt_button.isVisible()
    assert answer(on, qtbot, f"What does @{FILE} do?") == "no adapter"
    dialog.close()


def test_it_is_dropped_when_its_file_is_closed(on, qtbot):
    adapted(on, qtbot).close()
    answer(on, qtbot, f"What does @{FILE} do?")
    on._open_file("README.md")
    assert on.adapt.router.placed is not None  # its tab is still there
    on.code.close_file(FILE)
    assert on.adapt.router.placed is None
    assert answer(on, qtbot, f"What does @{FILE} do?") == "no adapter"
    on._open_file(FILE)
    assert answer(on, qtbot, f"What does @{FILE} do?").startswith("adapter ")
    on.actions_by_id["close_files"].trigger()
    assert on.adapt.router.placed is None


def test_it_is_dropped_when_its_file_changes_by_more_than_blanks(on, project, qtbot):
    adapted(on, qtbot).close()
    answer(on, qtbot, f"What does @{FILE} do?")
    memory = on.controller.memory
    (project / FILE).write_text(CODE.replace("\n", "  \n", 3))
    memory.reconcile()
    assert answer(on, qtbot, f"What does @{FILE} do?").startswith("adapter ")
    (project / FILE).write_text(CODE.replace("step_3", "stride"))
    memory.reconcile()
    qtbot.waitUntil(lambda: on.adapt.router.placed is None, timeout=PATIENCE)
    assert "has changed" in on.shell.toasts.text
    assert answer(on, qtbot, f"What does @{FILE} do?") == "no adapter"


def test_it_is_not_used_with_another_model(on, model, qtbot):
    adapted(on, qtbot).close()
    answer(on, qtbot, f"What does @{FILE} do?")
    model.write_text("another model under the same name")
    on.controller.engine.again()
    qtbot.waitUntil(lambda: on.adapt.router.placed is None, timeout=PATIENCE)
    qtbot.waitUntil(lambda: on.controller.engine.state.kind == "ready", timeout=PATIENCE)
    assert answer(on, qtbot, f"What does @{FILE} do?") == "no adapter"


def test_a_tampered_adapter_is_told_and_the_model_answers_without(on, paths, qtbot):
    adapted(on, qtbot).close()
    [record] = store(on, paths).records()
    Path(record.path).write_bytes(b"x" * record.size)
    assert Path(record.path).name == ADAPTER_FILE
    assert answer(on, qtbot, f"What does @{FILE} do?") == "no adapter"
    assert "not the file that passed" in on.shell.toasts.text
    assert not on.adapt_button.isVisible()
    on.say("Kept it.")
    assert "not the file that passed" in on.shell.toasts.text, "a late success waits"


def test_a_failure_behind_a_closed_page_keeps_its_time(on):
    toasts = on.shell.toasts
    on.adapt._link.failed.emit(AdapterError("The trainer died.", "Try again."))
    on.say("Kept it.")
    assert toasts.text == "The trainer died. Try again."
    assert toasts.button.text() == "Show"
    toasts.dismiss()


def test_all_are_discarded_with_one_click(on, paths, qtbot):
    dialog = adapted(on, qtbot)
    answer(on, qtbot, f"What does @{FILE} do?")
    qtbot.waitUntil(dialog.discard_all.isVisible, timeout=PATIENCE)
    dialog.discard_all.click()
    qtbot.waitUntil(lambda: "for good" in on.shell.toasts.text, timeout=PATIENCE)
    assert store(on, paths).records() == []
    assert on.adapt.router.placed is None
    assert answer(on, qtbot, f"What does @{FILE} do?") == "no adapter"
    qtbot.waitUntil(lambda: not dialog.discard_all.isVisible(), timeout=PATIENCE)
    qtbot.waitUntil(dialog.adapt.isEnabled, timeout=PATIENCE)
    dialog.close()


def test_what_is_kept_is_shown_when_the_page_is_opened_again(on, paths, qtbot):
    adapted(on, qtbot).close()
    dialog = dialog_of(on)
    qtbot.waitUntil(lambda: "There is an adapter for this file" in dialog.outcome.texts)
    assert dialog.discard.isVisible()
    dialog.discard.click()
    qtbot.waitUntil(lambda: page(dialog) is dialog.estimate, timeout=PATIENCE)
    qtbot.waitUntil(dialog.adapt.isEnabled, timeout=PATIENCE)
    assert store(on, paths).records() == []
    dialog.close()


def test_what_is_dropped_on_its_way_does_not_stay_in_the_model(on, paths, qtbot):
    adapted(on, qtbot).close()
    router, [record] = on.adapt.router, store(on, paths).records()
    told = []
    router._place(record, lambda: told.append("placed"))
    router.drop()  # before the engine answered
    qtbot.waitUntil(lambda: told == ["placed"], timeout=PATIENCE)
    assert router.placed is None
    assert answer(on, qtbot, "What does this project do?") == "no adapter"
    router._place(record, lambda: told.append("again"))
    router._place(None, lambda: told.append("away"))
    qtbot.waitUntil(lambda: told == ["placed", "again", "away"], timeout=PATIENCE)
    assert router.placed is None
    assert answer(on, qtbot, "And this one?") == "no adapter"
