"""The user's own editor: which one it is, and how it opens a file at a line.

An editor is a command with ``{path}`` and ``{line}`` in it. It is cut into
arguments before these are filled in and is started without a shell, so no file
name can add an argument or run anything.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from commonplace.errors import UserError

Which = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Editor:
    """A known editor: its name, and its command."""

    name: str
    command: str


EDITORS = (
    Editor("VS Code", "code --goto {path}:{line}"),
    Editor("VSCodium", "codium --goto {path}:{line}"),
    Editor("Zed", "zed {path}:{line}"),
    *(
        Editor(name, f"{program} --line {{line}} {{path}}")
        for name, program in (
            ("IntelliJ IDEA", "idea"),
            ("PyCharm", "pycharm"),
            ("CLion", "clion"),
            ("GoLand", "goland"),
            ("WebStorm", "webstorm"),
            ("PhpStorm", "phpstorm"),
            ("RubyMine", "rubymine"),
            ("RustRover", "rustrover"),
            ("Rider", "rider"),
            ("Kate", "kate"),
        )
    ),
    Editor("Sublime Text", "subl {path}:{line}"),
    Editor("Neovide", "neovide {path} -- +{line}"),
    Editor("gVim", "gvim +{line} {path}"),
    Editor("Emacs", "emacsclient -n -c -a emacs +{line} {path}"),
)
"""Editors with windows of their own, the likeliest first."""

TERMINALS = (
    ("kitty", "kitty"),
    ("alacritty", "alacritty -e"),
    ("wezterm", "wezterm start --"),
    ("foot", "foot"),
    ("gnome-terminal", "gnome-terminal --"),
    ("konsole", "konsole -e"),
    ("xfce4-terminal", "xfce4-terminal -x"),
    ("x-terminal-emulator", "x-terminal-emulator -e"),
    ("xterm", "xterm -e"),
)
IN_TERMINAL = (("nvim", "nvim +{line} {path}"), ("vim", "vim +{line} {path}"))
BATCH = (".cmd", ".bat")
CMD_MARKS = frozenset('&|<>^%!"\r\n')
"""What the interpreter of batch files would act on, even inside an argument."""


def editor_of(setting: str, which: Which = shutil.which) -> str:
    """Return the command of the user's editor: the `setting`, or the first that is installed.

    Raises `UserError` if there is none.
    """
    if setting.strip():
        return setting
    for editor in EDITORS:
        if which(editor.command.split()[0]):
            return editor.command
    for program, command in IN_TERMINAL:
        for terminal, start in TERMINALS:
            if which(program) and which(terminal):
                return f"{start} {command}"
    raise UserError(
        "No editor was found on this machine.",
        "Name yours in the setting editor.command, such as: code --goto {path}:{line}",
    )


def arguments(
    command: str,
    path: Path,
    line: int,
    which: Which = shutil.which,
    *,
    windows: bool = sys.platform == "win32",
) -> list[str]:
    """Return what to start to open `path` at `line`, counted from 1: a program, its arguments.

    Without ``{path}`` in `command` the path comes last. Raises `UserError` for a
    command that cannot be read or whose program is missing.
    """
    try:
        parts = shlex.split(command, posix=not windows)
    except ValueError as error:
        raise UserError(
            f"The setting editor.command cannot be read: {command}", "Close its quotes."
        ) from error
    if windows:
        parts = [part.strip('"') for part in parts]
    program = which(parts[0]) if parts else None
    if program is None:
        raise UserError(
            f"The editor {parts[0] if parts else command!r} was not found.",
            "Change the setting editor.command.",
        )
    if not any("{path}" in part for part in parts):
        parts.append("{path}")
    filled = [_filled(part, path, line) for part in parts[1:]]
    if Path(program).suffix.lower() in BATCH and CMD_MARKS & set("".join(filled)):
        raise UserError(
            f"{path.name} has signs in its path that batch files act on.",
            "Name the editor's program in editor.command, not its batch file.",
        )
    return [program, *filled]


def _filled(part: str, path: Path, line: int) -> str:
    """Fill in both at once, so that a path that holds ``{line}`` stays what it is."""
    pieces = part.split("{path}")
    return str(path).join(piece.replace("{line}", str(line)) for piece in pieces)


def start(parts: Sequence[str], folder: Path) -> None:
    """Start an editor that outlives this program. Raises `UserError` if it does not start."""
    from PySide6.QtCore import QProcess

    started, _ = QProcess.startDetached(parts[0], list(parts[1:]), str(folder))
    if not started:
        raise UserError(
            f"The editor {parts[0]} did not start.", "Change the setting editor.command."
        )
