"""The user's editor: which one, with which arguments, and never through a shell."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from commonplace.desktop.editors import EDITORS, arguments, editor_of, start
from commonplace.errors import UserError
from commonplace.settings import Settings

PATH = Path("/p/a b; rm -rf $(x) {line} & .py")


def has(*names):
    return lambda name: f"/bin/{name}" if name in names else None


def test_the_setting_comes_before_what_is_installed():
    assert editor_of("mine {path}", has("code")) == "mine {path}"
    assert editor_of(" ", has("code", "nvim", "xterm")) == "code --goto {path}:{line}"
    assert editor_of("", has("nvim", "xterm")) == "xterm -e nvim +{line} {path}"
    with pytest.raises(UserError, match="No editor") as raised:
        editor_of("", has("nvim"))
    assert "editor.command" in raised.value.remedy


@pytest.mark.parametrize("editor", EDITORS, ids=lambda editor: editor.name)
def test_known_editors_get_the_path_whole(editor):
    program = editor.command.split()[0]
    parts = arguments(editor.command, PATH, 7, has(program))
    assert parts[0] == f"/bin/{program}"
    assert [part for part in parts if str(PATH) in part]
    assert len(parts) == len(editor.command.split())
    assert "7" in "".join(parts).replace(str(PATH), "")


def test_quotes_and_a_path_that_was_forgotten():
    assert arguments('ed "--at line={line}"', PATH, 3, has("ed")) == [
        "/bin/ed",
        "--at line=3",
        str(PATH),
    ]


@pytest.mark.parametrize("command", ["ed 'open", "none {path}", "  "])
def test_commands_that_cannot_be_used(command):
    with pytest.raises(UserError, match="editor"):
        arguments(command, PATH, 1, has("ed"))


def test_batch_files_get_no_signs_to_act_on():
    which = {"code": "C:\\bin\\code.cmd"}.get
    harmless = arguments("code {path}", Path("a b.py"), 1, which, windows=True)
    assert harmless == ["C:\\bin\\code.cmd", "a b.py"]
    with pytest.raises(UserError, match="batch"):
        arguments("code {path}", PATH, 1, which, windows=True)


def test_an_editor_is_started_and_outlives_us(tmp_path, qtbot):
    note = tmp_path / "note"
    code = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"
    start([sys.executable, "-c", code, str(note), "a; b"], tmp_path)
    qtbot.waitUntil(lambda: note.exists() and note.read_text() == "a; b", timeout=10000)
    with pytest.raises(UserError, match="did not start"):
        start([str(tmp_path / "none")], tmp_path)


def recorder(tmp_path, monkeypatch):
    script = tmp_path / "editor.py"
    script.write_text("import pathlib, sys\npathlib.Path(sys.argv[1]).write_text(sys.argv[2])\n")
    note = tmp_path / "opened"
    return f'"{sys.executable}" "{script}" "{note}" {{path}}:{{line}}', note


def test_the_window_opens_the_line_of_the_cursor(window, project, qtbot, tmp_path, monkeypatch):
    command, note = recorder(tmp_path, monkeypatch)
    window.controller.settings = Settings(editor_command=command)
    with qtbot.waitSignal(window.code.opened):
        window._open_file("src/config.py", 40, 42)
    window.code.editor_button.click()
    qtbot.waitUntil(lambda: note.exists() and note.read_text() != "", timeout=10000)
    assert note.read_text() == f"{project / 'src' / 'config.py'}:40"


def test_what_cannot_be_opened_is_said(window, project, qtbot):
    window.controller.settings = Settings(editor_command="no-such-editor-here {path}")
    window.desk.open_at("src/config.py", 1)
    qtbot.waitUntil(lambda: "no-such-editor-here" in window.shell.toasts.text)
    (project / "out.py").symlink_to(sys.executable)
    window.controller.settings = Settings(editor_command=f'"{sys.executable}" {{path}}')
    window.desk.open_at("out.py", 1)
    qtbot.waitUntil(lambda: "leads out" in window.shell.toasts.text)
