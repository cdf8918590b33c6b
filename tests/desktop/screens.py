"""Every screen of the program, opened as a user would: for walks over all of them."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QDialog, QWidget

from commonplace.settings import save

CHANGE = "src/other.py⏎<<<<<<< SEARCH⏎def unrelated():⏎=======⏎def related():⏎>>>>>>> REPLACE"


def _dialog(qtbot, act):
    """Return the dialog that `act` opens, at once or in a while."""
    before = {id(w) for w in _dialogs()}
    found = []

    def there():
        found[:] = [w for w in _dialogs() if id(w) not in before]
        return bool(found)

    act()
    qtbot.waitUntil(there, timeout=5000)
    return found[0]


def _dialogs():
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, QDialog) and w.isVisible()]


def _action(name):
    def open_it(window, qtbot):
        return _dialog(qtbot, window.actions_by_id[name].trigger)

    return open_it


def _work(window, qtbot):
    window._open_file("README.md")
    window.messages.show_message("x", "error", "Wrong", "Mend it", [("Mend", lambda: None)])
    window.messages.show_message("y", "warning", "Odd", "Look at it")
    window.messages.show_message("z", "info", "Good", "Go on")
    qtbot.waitUntil(lambda: window.code.view.toPlainText() != "")
    window.composer.set_draft("settings?")
    return window


def _palette(window, _qtbot):
    window.actions_by_id["palette"].trigger()
    return window.shell.palette


def _toast(window, _qtbot):
    window.shell.toasts.say("Deleted it.", "Undo", lambda: None)
    return window.shell.toasts


def _index(window, qtbot):
    panel = _action("index")(window, qtbot)
    qtbot.waitUntil(lambda: "KiB" in panel.figures[4].value.text())
    return panel


def _evidence(window, qtbot):
    panel = _action("evidence")(window, qtbot)
    panel.quick.click()
    qtbot.waitUntil(lambda: bool(panel.view.charts) and not panel.strip.isVisible(), timeout=15000)
    return panel


def _evidence_tables(window, qtbot):
    panel = _evidence(window, qtbot)
    panel.as_tables.click()
    return panel


def _usages(window, qtbot):
    def look():
        window.finder.find_usages("settings")
        qtbot.waitUntil(lambda: window.finder.dialog is not None)

    return _dialog(qtbot, look)


def _crash(window, qtbot):
    from commonplace.desktop.crash_dialog import show_report

    return _dialog(qtbot, lambda: show_report("builtins.ValueError", lambda: None, window))


def _link(window, qtbot):
    return _dialog(qtbot, lambda: window._confirm_link("https://example.org/"))


def _rebuild(window, qtbot):
    panel = _index(window, qtbot)
    return _dialog(qtbot, panel.rebuild.click)


def _side(action):
    def open_it(window, _qtbot):
        window.actions_by_id[action].trigger()
        return window

    return open_it


def _review(window, qtbot):
    window.ask(f"change the settings !say {CHANGE}")
    qtbot.waitUntil(window.actions_by_id["review"].isEnabled, timeout=15000)
    return _action("review")(window, qtbot)


def _find(window, qtbot):
    _work(window, qtbot)
    window.actions_by_id["find"].trigger()
    return window


def _adapt(window, qtbot, first_line=""):
    """Return the window of adapting with an estimate."""
    file = window.controller.memory.root / "src" / "config.py"
    code = "".join(f"def step_{n}(value):\n    return value * {n}\n\n\n" for n in range(40))
    file.write_text(first_line + code)
    window.adapt.missing = list
    settings_file = window.controller.paths.settings_file
    window.controller.apply(save(settings_file, {"adapt.enabled": True}))
    window._open_file("src/config.py")
    dialog = _action("adapt")(window, qtbot)
    qtbot.waitUntil(dialog.adapt.isEnabled, timeout=15000)
    return dialog


def _adapt_off(window, qtbot):
    window._open_file("src/config.py")
    return _action("adapt")(window, qtbot)


def _adapt_running(window, qtbot):
    dialog = _adapt(window, qtbot, "# slow\n")
    dialog.adapt.click()
    qtbot.waitUntil(lambda: dialog.running.chart is not None, timeout=15000)
    qtbot.waitUntil(lambda: dialog.running.bar.value() == 700, timeout=15000)
    return dialog


def _adapt_outcome(window, qtbot):
    dialog = _adapt(window, qtbot)
    dialog.adapt.click()
    qtbot.waitUntil(dialog.outcome.scale.isVisible, timeout=15000)
    qtbot.waitUntil(dialog.discard_all.isVisible, timeout=15000)
    return dialog


SCREENS = {
    "adapt": _adapt,
    "adapt_off": _adapt_off,
    "adapt_outcome": _adapt_outcome,
    "adapt_running": _adapt_running,
    "conversations": _side("conversations"),
    "note": _action("quick_note"),
    "find": _find,
    "review": _review,
    "work": _work,
    "palette": _palette,
    "toast": _toast,
    "settings": _action("settings"),
    "shortcuts": _action("shortcuts"),
    "models": _action("models"),
    "past changes": _action("past_changes"),
    "context": _action("context"),
    "about": _action("about"),
    "index": _index,
    "evidence": _evidence,
    "evidence_empty": _action("evidence"),
    "evidence_tables": _evidence_tables,
    "rebuild": _rebuild,
    "usages": _usages,
    "crash": _crash,
    "link": _link,
}


def open_screen(name: str, window: QWidget, qtbot) -> QWidget:
    """Open the screen `name` of a window in which a question was answered."""
    screen = SCREENS[name](window, qtbot)
    screen.window().activateWindow()
    QApplication.processEvents()
    return screen
