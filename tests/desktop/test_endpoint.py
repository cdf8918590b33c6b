"""Nothing is sent to somebody else's engine before the user says so, in the window too."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from test_engine_remote import Server

from commonplace.desktop import endpoint_desk
from commonplace.desktop.controller import Commands
from commonplace.desktop.endpoint_dialog import EndpointDialog
from commonplace.engine import keys
from commonplace.errors import StorageError
from commonplace.paths import worker_command
from commonplace.settings import load, save

PATIENCE = 20_000
FAKE_MEMORY = [sys.executable, str(Path(__file__).parent / "fake_memory.py")]


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def real(open_window, paths, project, monkeypatch, qtbot):
    """Return a function that opens a window whose engine is the real worker."""
    monkeypatch.setenv("COMMONPLACE_HOME", str(paths.config.parent))
    monkeypatch.delenv(keys.VARIABLE, raising=False)
    monkeypatch.setattr(type(paths), "from_environment", classmethod(lambda _cls: paths))

    def make(**settings):
        made = save(paths.settings_file, settings)
        window = open_window(made, Commands(FAKE_MEMORY, worker_command("engine")))
        window.open_project(project)
        window.controller.load_model()
        qtbot.waitUntil(lambda: window.status.status.phase == "ready", timeout=PATIENCE)
        return window

    return make


def opened(window) -> EndpointDialog:
    [dialog] = [d for d in window.findChildren(EndpointDialog) if d.isVisible()]
    return dialog


def ready(window, qtbot) -> None:
    qtbot.waitUntil(lambda: window.controller.engine.state.kind == "ready", timeout=PATIENCE)


def test_nothing_is_contacted_before_it_is_allowed_then_it_answers(
    real, server, qtbot, settled, paths
):
    window = real(**{"model.endpoint": server.url})
    qtbot.waitUntil(lambda: "endpoint" in window.messages.texts, timeout=PATIENCE)
    assert server.url.removesuffix("/v1") in window.messages.texts["endpoint"]
    window.ask("where are the settings?")
    settled(window)
    assert "here is what the project itself says" in window.transcript.shown_text()
    assert server.keys == server.asked == []
    decide = next(b for b in window.messages.findChildren(QPushButton) if b.text() == "Decide…")
    decide.click()
    dialog = opened(window)
    assert "would send your questions, the conversation, your notes" in dialog.sent.text()
    assert dialog.no_button.isDefault()
    qtbot.waitUntil(dialog.isActiveWindow, timeout=PATIENCE)
    qtbot.keyClick(dialog, Qt.Key.Key_O, Qt.KeyboardModifier.AltModifier)  # allow once
    ready(window, qtbot)
    assert "endpoint" not in window.messages.texts
    window.ask("and now?")
    settled(window)
    assert "Hello wörld" in window.transcript.shown_text()
    assert len(server.asked) == 1
    assert load(paths.settings_file).network_allowed == ()  # once: the settings do not know


def test_always_is_kept_and_taken_back_in_the_settings(real, server, qtbot, paths):
    window = real()
    window.actions_by_id["endpoint"].trigger()
    dialog = opened(window)
    assert not dialog.always_button.isEnabled()
    qtbot.keyClicks(dialog.address, server.url)
    dialog.always_button.click()
    ready(window, qtbot)
    allowed = (f"endpoint {server.url.removesuffix('/v1')}",)
    assert load(paths.settings_file).network_allowed == allowed
    window.settings_desk.apply(save(paths.settings_file, {"network.allowed": ()}))
    assert window.controller.engine.state.kind == "absent"
    qtbot.waitUntil(lambda: "endpoint" in window.messages.texts, timeout=PATIENCE)


def test_this_machine_answers_again_when_asked_to(real, server, qtbot, paths):
    grant = f"endpoint {server.url.removesuffix('/v1')}"
    window = real(**{"model.endpoint": server.url, "network.allowed": (grant, "models https://x")})
    ready(window, qtbot)
    window.actions_by_id["endpoint"].trigger()
    opened(window).revoke_button.click()
    qtbot.waitUntil(lambda: window.controller.engine.state.kind == "absent", timeout=PATIENCE)
    settings = load(paths.settings_file)
    assert (settings.model_endpoint, settings.network_allowed) == ("", ("models https://x",))


def test_no_leaves_everything_as_it_was(window, qtbot, paths):
    window.actions_by_id["endpoint"].trigger()
    dialog = opened(window)
    dialog.address.setText("https://answers.example/v1")
    qtbot.waitUntil(dialog.isActiveWindow, timeout=PATIENCE)
    qtbot.keyClick(dialog, Qt.Key.Key_Return)  # No is what Enter presses
    assert not dialog.isVisible()
    assert load(paths.settings_file).model_endpoint == ""
    assert window.controller.engine.state.kind == "ready"


@pytest.mark.parametrize(
    "address", ["ftp://x", "https://", "https://me:word@host/v1", "javascript:alert(1)", "no"]
)
def test_an_address_that_is_none_cannot_be_allowed(window, address):
    window.actions_by_id["endpoint"].trigger()
    dialog = opened(window)
    dialog.address.setText(address)
    assert "not a web address" in dialog.sent.text()
    assert not dialog.once_button.isEnabled()
    dialog.reject()


def test_a_connection_that_others_can_read_says_so(window):
    window.actions_by_id["endpoint"].trigger()
    dialog = opened(window)
    dialog.address.setText("http://answers.example/v1")
    assert "not encrypted" in dialog.sent.text()
    dialog.reject()


def test_the_key_goes_to_the_keyring_alone(window, qtbot, monkeypatch, paths):
    kept = []
    monkeypatch.setattr(endpoint_desk, "keep_key", lambda *both: kept.append(both))
    window.actions_by_id["endpoint"].trigger()
    dialog = opened(window)
    dialog.address.setText("https://answers.example/v1/")
    dialog.key.setText("secret-1")
    dialog.always_button.click()
    qtbot.waitUntil(lambda: bool(window.controller.settings.model_endpoint), timeout=PATIENCE)
    assert kept == [("https://answers.example/v1", "secret-1")]
    assert "secret-1" not in paths.settings_file.read_text()


def test_without_a_keyring_nothing_is_allowed_and_the_reason_is_told(window, qtbot, monkeypatch):
    def refuse(_address, _key):
        raise StorageError("There is no access to the system's keyring.", "Set the variable.")

    monkeypatch.setattr(endpoint_desk, "keep_key", refuse)
    window.actions_by_id["endpoint"].trigger()
    dialog = opened(window)
    dialog.address.setText("https://answers.example/v1")
    dialog.key.setText("secret-1")
    dialog.always_button.click()
    qtbot.waitUntil(dialog.error.isVisible, timeout=PATIENCE)
    assert "keyring" in dialog.error.text()
    assert dialog.always_button.isEnabled()
    assert window.controller.settings.model_endpoint == ""
    dialog.reject()


def test_an_odd_address_in_the_settings_is_told(open_window, project, model, qtbot, paths):
    window = open_window(save(paths.settings_file, {"model.endpoint": "nonsense"}))
    window.controller.load_model()
    qtbot.waitUntil(lambda: "no_model" in window.messages.texts, timeout=PATIENCE)
    assert "not a web address" in window.messages.texts["no_model"]
