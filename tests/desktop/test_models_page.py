"""The page of models: with the real library process, a local hub and the fake engine."""

from __future__ import annotations

import hashlib
import re

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QLabel, QMessageBox
from test_accessibility import rich_labels, unnamed

from commonplace import paths as paths_module
from commonplace.desktop import models_dialog as dialog_module
from commonplace.desktop.library_link import Transfer
from commonplace.desktop.model_words import time_words, transfer_words
from commonplace.desktop.models_dialog import ModelsDialog
from commonplace.desktop.package_dialog import PackageDialog
from commonplace.desktop.settings_dialog import SettingsDialog
from commonplace.engine import catalogue as catalogue_module
from commonplace.settings import load, save
from servers import serve
from unit.engine.gguf_builder import STRING, build

MODEL = build(tensors=[("token_embd.weight", (64, 4096), 0)])
FILE = "Qwen2.5-Coder-7B-Instruct-Q4_K_M.gguf"


def serve_ranges(client):
    asked = re.fullmatch(r"bytes=(\d+)-", client.headers.get("range", ""))
    if asked:
        start = int(asked.group(1))
        where = f"bytes {start}-{len(MODEL) - 1}/{len(MODEL)}"
        client.reply(206, MODEL[start:], ETag='"1"', Content_Range=where)
    else:
        client.reply(200, MODEL, ETag='"1"')


@pytest.fixture
def library_home(paths, monkeypatch):
    """Let the library process see the same state as the window."""
    monkeypatch.setenv(paths_module.HOME_VARIABLE, str(paths.data.parent))
    return paths.data / "models"


@pytest.fixture
def page(open_window, library_home, qtbot):
    """Return a function that opens the page of models, listed."""

    def make():
        window = open_window(load_settings(library_home))
        window.controller.load_model()
        window.actions_by_id["models"].trigger()
        dialog = window.findChild(ModelsDialog)
        qtbot.waitUntil(lambda: window.controller.library.entries is not None, timeout=15000)
        return window, dialog

    return make


def load_settings(own):
    return load(own.parent.parent / "config" / "settings.toml")


def question(dialog, qtbot):
    qtbot.waitUntil(lambda: dialog.findChild(QMessageBox, "modelQuestion") is not None)
    return dialog.findChild(QMessageBox, "modelQuestion")


def answer(dialog, qtbot, title):
    box = question(dialog, qtbot)
    [button] = [b for b in box.buttons() if b.text().replace("&", "") == title]
    text = f"{box.text()} {box.informativeText()}"
    button.click()
    qtbot.waitUntil(lambda: dialog.findChild(QMessageBox, "modelQuestion") is not box)
    return text


def mine(dialog):
    return {e.title: e for e in dialog._entries if e.ours}


def test_models_are_shown_with_what_they_are(page, library_home, qtbot):
    (library_home / "good.gguf").write_bytes(MODEL)
    (library_home / "chosen-by-itself-instruct.gguf").write_bytes(MODEL)
    (library_home / "half.gguf").write_bytes(MODEL[:-9])
    (library_home / "vectors.gguf").write_bytes(build({"general.architecture": (STRING, "bert")}))
    window, dialog = page()
    assert set(mine(dialog)) == {"good", "chosen-by-itself-instruct", "half", "vectors"}
    rows = {row.title: row for row in dialog.installed.list.rows.rows}
    assert "Fits this machine" in rows["good"].status
    assert "truncated" in rows["half"].status
    assert "embedding model" in rows["vectors"].status
    dialog.installed.list.select(str(library_home / "half.gguf"))
    assert not dialog.use_button.isEnabled()
    assert "truncated" in dialog.installed.facts[0][1]
    dialog.installed.list.select(str(library_home / "good.gguf"))
    assert dialog.use_button.isEnabled()
    dialog.installed.list.activated.emit(dialog.installed.list.currentIndex())
    assert load_settings(library_home).model_path == str(library_home / "good.gguf")
    qtbot.waitUntil(lambda: window.controller.engine.state.kind == "ready", timeout=15000)
    qtbot.waitUntil(lambda: not dialog.use_button.isEnabled())
    marks = {row.title: row.mark for row in dialog.installed.list.rows.rows}
    assert marks["good"] == "in use"


def test_without_models_the_page_teaches(page, library_home, qtbot, monkeypatch):
    window, dialog = page()
    window.controller.library.entries = ()
    window.controller.library.listed.emit()
    assert dialog.installed.stack.currentIndex() == 0
    said = dialog.installed.empty.text()
    for word in ("catalogue", "import", "other programs", "network stays closed"):
        assert word in said
    window.controller.library.refresh()


@pytest.fixture
def hub(library_home, monkeypatch, tmp_path):
    """A hub that has the model; the catalogue tells its checksum."""
    text = catalogue_module.catalogue_file().read_text(encoding="utf-8")
    wrong = "1664fccab734674a50763490a8c6931b70e3f2f8ec10031b54806d30e5f956b6"
    path = tmp_path / "catalogue.toml"
    path.write_text(text.replace(wrong, hashlib.sha256(MODEL).hexdigest()))
    known = catalogue_module.read_catalogue(path)
    monkeypatch.setattr(dialog_module, "read_catalogue", lambda: known)
    with serve(serve_ranges) as server:
        save(
            library_home.parent.parent / "config" / "settings.toml", {"models.address": server.url}
        )
        yield server


@pytest.fixture
def page_with_hub(page, hub, tmp_path, monkeypatch):
    """The library process reads the same catalogue as the window."""
    from commonplace.desktop import controller

    code = (
        "from pathlib import Path; import commonplace.engine.catalogue as c;"
        f"c.catalogue_file = lambda: Path({str(tmp_path / 'catalogue.toml')!r});"
        "from commonplace.engine.library_worker import main; main()"
    )
    import sys

    real = controller.worker_command
    monkeypatch.setattr(
        controller,
        "worker_command",
        lambda role: [sys.executable, "-c", code] if role == "library" else real(role),
    )
    return page


def choose(dialog, model="qwen2.5-coder-7b"):
    dialog.tabs.setCurrentWidget(dialog.known)
    dialog.known.list.select(model)


def test_a_model_is_downloaded_after_two_questions(page_with_hub, hub, library_home, qtbot):
    window, dialog = page_with_hub()
    choose(dialog)
    dialog.download_button.click()
    assert hub.url in answer(dialog, qtbot, "Cancel")
    assert load_settings(library_home).network_allowed == ()
    dialog.download_button.click()
    asked = answer(dialog, qtbot, "Open")
    assert "Nothing of your projects" in asked
    assert load_settings(library_home).network_allowed == (f"models {hub.url}",)
    asked = answer(dialog, qtbot, "Accept and Download")
    assert "Apache-2.0: commercial use is allowed" in asked
    assert hub.url in asked
    assert hub.seen == [] or hub.seen[0].headers.get("range") is None
    with qtbot.waitSignal(window.controller.library.arrived, timeout=15000):
        pass
    assert (library_home / FILE).read_bytes() == MODEL
    qtbot.waitUntil(lambda: "Qwen2.5-Coder-7B-Instruct-Q4_K_M" in mine(dialog), timeout=15000)
    marks = {row.key: row.mark for row in dialog.known.list.rows.rows}
    assert marks["qwen2.5-coder-7b"] == "on this machine"
    assert not dialog.download_button.isEnabled()
    assert "is there" in dialog.messages.texts["models"]


def test_a_download_can_be_stopped_and_gone_on_with(page_with_hub, hub, library_home, qtbot):
    def slow(client):
        client.reply(200, MODEL[:500_000], ETag='"1"', Content_Length=len(MODEL))
        hub.over.wait(10)

    hub._script = slow
    save(
        library_home.parent.parent / "config" / "settings.toml",
        {"network.allowed": [f"models {hub.url}"]},
    )
    window, dialog = page_with_hub()
    choose(dialog)
    dialog.download_button.click()
    answer(dialog, qtbot, "Accept and Download")
    library = window.controller.library
    qtbot.waitUntil(
        lambda: any(t.done >= 400_000 for t in library.transfers) and dialog.transfers.isVisible(),
        timeout=15000,
    )
    assert not dialog.download_button.isEnabled()
    assert not unnamed(dialog)
    dialog.transfers.rows["qwen2.5-coder-7b"].button.click()
    qtbot.waitUntil(lambda: not library.transfers, timeout=15000)
    assert "gone on with" in dialog.messages.texts["models"]
    qtbot.waitUntil(lambda: FILE in library.unfinished, timeout=15000)
    assert dialog.download_button.text().replace("&", "") == "Go On Downloading…"
    assert FILE not in {path.name for path in library_home.iterdir()}
    hub._script = serve_ranges
    dialog.download_button.click()
    answer(dialog, qtbot, "Accept and Download")
    with qtbot.waitSignal(library.arrived, timeout=15000):
        pass
    assert hub.seen[-1].headers["range"] == "bytes=500000-"
    assert (library_home / FILE).read_bytes() == MODEL
    hub.over.set()


def test_what_goes_wrong_is_shown_and_the_window_lives(page_with_hub, hub, library_home, qtbot):
    hub._script = lambda client: client.reply(200, b"<html>Sign in</html>")
    save(
        library_home.parent.parent / "config" / "settings.toml",
        {"network.allowed": [f"models {hub.url}"]},
    )
    window, dialog = page_with_hub()
    choose(dialog)
    dialog.download_button.click()
    answer(dialog, qtbot, "Accept and Download")
    qtbot.waitUntil(lambda: "not a GGUF" in dialog.messages.texts.get("models", ""), timeout=15000)
    hub._script = lambda client: hub.over.wait(10)
    dialog.download_button.click()
    answer(dialog, qtbot, "Accept and Download")
    library = window.controller.library
    qtbot.waitUntil(lambda: len(hub.seen) == 2, timeout=15000)
    library._link.kill()  # as the system does when memory runs out
    qtbot.waitUntil(lambda: not library.transfers, timeout=15000)
    assert "process" in dialog.messages.texts["models"]
    hub._script = serve_ranges
    dialog.download_button.click()
    answer(dialog, qtbot, "Accept and Download")
    with qtbot.waitSignal(library.arrived, timeout=15000):
        pass
    hub.over.set()


def test_files_are_imported_by_drop_and_deleted(page, library_home, qtbot, tmp_path, monkeypatch):
    source = tmp_path / "stick" / "brought.gguf"
    source.parent.mkdir()
    source.write_bytes(MODEL)
    _window, dialog = page()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(source)), QUrl("https://x/y.gguf")])
    event = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    dialog.dropEvent(event)
    assert "copy" in answer(dialog, qtbot, "Copy").lower()
    qtbot.waitUntil(lambda: "brought" in mine(dialog), timeout=15000)
    assert (library_home / "brought.gguf").read_bytes() == MODEL
    dialog.import_files([source])
    answer(dialog, qtbot, "Copy")
    qtbot.waitUntil(lambda: "already" in dialog.messages.texts.get("models", ""), timeout=15000)
    thrown = []
    monkeypatch.setattr(
        dialog_module, "_moved_to_trash", lambda f: thrown.append(f) or f.unlink() is None
    )
    dialog.installed.list.select(str(library_home / "brought.gguf"))
    dialog.installed.list.setFocus()
    qtbot.keyClick(dialog.installed.list, Qt.Key.Key_Delete)
    answer(dialog, qtbot, "Delete")
    qtbot.waitUntil(lambda: "brought" not in mine(dialog), timeout=15000)
    assert thrown == [library_home / "brought.gguf"]
    dialog.import_files([source])
    answer(dialog, qtbot, "Use It Where It Is")
    qtbot.waitUntil((library_home / "brought.gguf").is_symlink, timeout=15000)
    qtbot.waitUntil(lambda: "brought" in mine(dialog), timeout=15000)
    dialog.installed.list.select(str(library_home / "brought.gguf"))
    dialog._delete()
    assert "Only the link" in answer(dialog, qtbot, "Delete")
    qtbot.waitUntil(lambda: "brought" not in mine(dialog), timeout=15000)
    assert source.exists()


def test_a_package_is_installed_once_its_licence_was_read(page, library_home, qtbot, tmp_path):
    from commonplace.engine.packing import pack_model

    source = tmp_path / "stick" / "carried.gguf"
    source.parent.mkdir()
    source.write_bytes(MODEL)
    package = tmp_path / "stick" / "carried.cpmodel"
    pack_model(source, package, "You may \u202edo\u202c everything.", licence="Mine 1.0")
    _window, dialog = page()

    def opened():
        found = [d for d in dialog.findChildren(PackageDialog) if d.isVisible()]
        return found[0] if found else None

    def ask():
        dialog.import_files([package])
        qtbot.waitUntil(lambda: opened() is not None, timeout=15000)
        return opened()

    shown = ask()
    assert "⟨U+202E⟩" in shown.text.toPlainText()
    said = " ".join(label.text() for label in shown.findChildren(QLabel))
    assert "Mine 1.0" in said
    assert not unnamed(shown)
    assert not rich_labels(shown)
    assert shown.cancel_button.isDefault()
    shown.cancel_button.click()
    qtbot.waitUntil(lambda: opened() is None, timeout=15000)
    assert not (library_home / "carried.gguf").exists()
    ask().accept_button.click()
    qtbot.waitUntil(lambda: "carried" in mine(dialog), timeout=15000)
    assert (library_home / "carried.gguf").read_bytes() == MODEL
    dialog.installed.list.select(str(library_home / "carried.gguf"))
    assert mine(dialog)["carried"].licence == "Mine 1.0"
    package.write_bytes(package.read_bytes()[:-3000])
    dialog.import_files([package])
    qtbot.waitUntil(lambda: "cut off" in dialog.messages.texts.get("models", ""), timeout=15000)


def test_without_a_trash_it_is_asked_again(page, library_home, qtbot, monkeypatch):
    (library_home / "mine.gguf").write_bytes(MODEL)
    _window, dialog = page()
    monkeypatch.setattr(dialog_module, "_moved_to_trash", lambda _: False)
    dialog.installed.list.select(str(library_home / "mine.gguf"))
    dialog.delete_button.click()
    answer(dialog, qtbot, "Delete")
    assert (library_home / "mine.gguf").exists()
    assert "for good" in answer(dialog, qtbot, "Delete")
    qtbot.waitUntil(lambda: "mine" not in mine(dialog), timeout=15000)
    assert not (library_home / "mine.gguf").exists()


def test_others_models_are_listed_if_asked_for_and_stay(page, library_home, qtbot, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "theirs.gguf").write_bytes(MODEL)
    _window, dialog = page()
    dialog._change({"models.folders": [str(folder)]}, look=True)
    path = str(folder / "theirs.gguf")
    qtbot.waitUntil(lambda: path in {e.path for e in dialog._entries}, timeout=15000)
    dialog.installed.list.select(path)
    assert not dialog.delete_button.isEnabled()
    assert dialog.copy_button.isVisibleTo(dialog)
    dialog.copy_button.click()
    qtbot.waitUntil(lambda: "theirs" in mine(dialog), timeout=15000)
    dialog.others_box.click()
    assert load_settings(library_home).models_other_apps


def test_everything_has_a_name_and_can_be_reached_by_keyboard(page, library_home, qtbot):
    (library_home / "good.gguf").write_bytes(MODEL)
    _window, dialog = page()
    (library_home / "x.gguf.part").write_bytes(b"GGUF")
    for tab in (dialog.installed, dialog.known):
        dialog.tabs.setCurrentWidget(tab)
        dialog.known.list.select("qwen2.5-coder-7b")
        assert not unnamed(dialog)
        assert not rich_labels(dialog)
        reached = set()
        dialog.tabs.setFocus()
        for _ in range(20):
            reached.add(dialog.focusWidget())
            dialog.focusNextPrevChild(True)
        assert tab.list in reached
        assert dialog.import_button in reached
        assert dialog.close_button in reached
    assert dialog.download_button in reached
    dialog.tabs.setCurrentWidget(dialog.installed)
    [label] = [w for w in dialog.findChildren(QLabel) if w.accessibleName().startswith("Where")]
    assert "models" in label.text()


def test_closing_the_page_lets_the_process_rest_and_opening_wakes_it(page, library_home, qtbot):
    window, dialog = page()
    library = window.controller.library
    dialog.close()
    library.refresh()  # asked while it is ending
    with qtbot.waitSignal(library.listed, timeout=15000):
        pass
    library.rest()
    qtbot.waitUntil(lambda: library.pid == 0, timeout=15000)


def test_progress_is_said_in_words():
    transfer = Transfer("a", "A", "download", "downloading", 500_000_000, 2_000_000_000, 5e6)
    assert transfer_words(transfer) == "500 MB of 2.0 GB, 5 MB a second, 5 min left"
    assert "trying again" in transfer_words(Transfer("a", "A", "download", "waiting", 5))
    assert [time_words(n) for n in (5, 90, 7500)] == ["5 s", "2 min", "2 h 5 min"]


def test_the_settings_page_edits_lists_and_truths(open_window, library_home, qtbot):
    window = open_window()
    window.actions_by_id["settings"].trigger()
    dialog = window.findChild(SettingsDialog)
    rows = {row.declaration.key: row for row in dialog.rows}
    rows["models.folders"].editor.setPlainText("/one\n\n  /two \n")
    rows["models.other_apps"].editor.setChecked(True)
    rows["network.allowed"].editor.setPlainText("everything")
    dialog.accept()
    assert "network.allowed" in rows["network.allowed"]._invalid.text()
    rows["network.allowed"].editor.setPlainText("models https://hub.example")
    dialog.accept()
    saved = load_settings(library_home)
    assert saved.models_folders == ("/one", "/two")
    assert saved.models_other_apps
    assert saved.network_allowed == ("models https://hub.example",)
