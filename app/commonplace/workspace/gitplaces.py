"""Where git keeps its ignore rules outside the folder: found without running git.

Read are ``core.excludesFile`` and ``core.ignoreCase`` of the system's, the
user's and the repository's configuration, with plain ``include.path``;
conditional includes are not followed.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from commonplace.workspace.reading import read_small

_SECTION = re.compile(r'\[\s*([A-Za-z0-9.-]+)\s*(?:"[^"]*"\s*)?\]')
_VARIABLE = re.compile(r"([A-Za-z][A-Za-z0-9-]*)\s*(?:=\s*(.*))?")
_MAX_INCLUDES = 10
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b"}


@dataclass(frozen=True, slots=True)
class GitPlaces:
    """What git would consult for a folder.

    `top` is the work tree the folder lies in, or None outside a repository.
    """

    top: Path | None
    excludes_file: Path | None
    info_exclude: Path | None
    ignore_case: bool


def find_git_places(folder: Path) -> GitPlaces:
    """Return where the ignore rules for `folder` lie."""
    top = next((f for f in (folder, *folder.parents) if is_repository(f)), None)
    git_dir = _common_dir(top / ".git") if top is not None else None
    values = _configuration(git_dir)
    excludes = values.get("core.excludesfile")
    if excludes is None:
        excludes_file: Path | None = _config_home() / "git" / "ignore"
    else:
        excludes_file = _path_value(excludes, top or folder)
    return GitPlaces(
        top,
        excludes_file,
        info_exclude_of(top) if top is not None else None,
        values.get("core.ignorecase", "false").lower() in {"true", "yes", "on", "1", ""},
    )


def is_repository(folder: Path) -> bool:
    """Return whether `folder` is the top of a git work tree."""
    dot_git = folder / ".git"
    return os.path.lexists(dot_git / "HEAD") or _pointed_at(dot_git) is not None


def info_exclude_of(top: Path) -> Path | None:
    """Return the path of the repository's own exclude file, which may not exist."""
    git_dir = _common_dir(top / ".git")
    return git_dir / "info" / "exclude" if git_dir is not None else None


def _common_dir(dot_git: Path) -> Path | None:
    """Return the folder that all work trees of the repository share."""
    git_dir = dot_git if os.path.lexists(dot_git / "HEAD") else _pointed_at(dot_git)
    if git_dir is None:
        return None
    common = read_small(git_dir / "commondir")
    return git_dir / os.fsdecode(common.strip()) if common else git_dir


def _pointed_at(dot_git: Path) -> Path | None:
    """Return where a ``.git`` file points, as submodules and work trees have it."""
    data = read_small(dot_git) or b""
    if not data.startswith(b"gitdir:") or b"\0" in data:
        return None
    return dot_git.parent / os.fsdecode(data.removeprefix(b"gitdir:").strip())


def _config_home() -> Path:
    home = os.environ.get("XDG_CONFIG_HOME")
    return Path(home) if home else _home() / ".config"


def _home() -> Path:
    return Path(os.environ.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 - never raises


def _configuration(git_dir: Path | None) -> dict[str, str]:
    values: dict[str, str] = {}
    for path in _configuration_files(git_dir):
        values.update(_read_config(path, depth=0))
    return values


def _configuration_files(git_dir: Path | None) -> Iterator[Path]:
    """Yield the configuration files, the weakest first."""
    if not os.environ.get("GIT_CONFIG_NOSYSTEM"):
        system = os.environ.get("GIT_CONFIG_SYSTEM")
        if system or sys.platform != "win32":
            yield Path(system or "/etc/gitconfig")
    chosen = os.environ.get("GIT_CONFIG_GLOBAL")
    if chosen is not None:
        yield Path(chosen)
    else:
        yield _config_home() / "git" / "config"
        yield _home() / ".gitconfig"
    if git_dir is not None:
        yield git_dir / "config"


def _read_config(path: Path, depth: int) -> dict[str, str]:
    values: dict[str, str] = {}
    text = (read_small(path) or b"").decode("utf-8", "surrogateescape")
    section = ""
    for line in text.replace("\\\r\n", "").replace("\\\n", "").splitlines():
        rest = line.strip()
        header = _SECTION.match(rest)
        if header:
            section = header[1].lower() if '"' not in header[0] else ""
            rest = rest[header.end() :].strip()
        variable = _VARIABLE.match(rest)
        if not variable:
            continue
        key = f"{section}.{variable[1].lower()}"
        value = _unquoted(variable[2] or "")
        if key == "include.path" and depth < _MAX_INCLUDES:
            included = _path_value(value, path.parent)
            if included is not None:
                values.update(_read_config(included, depth + 1))
        else:
            values[key] = value
    return values


def _unquoted(raw: str) -> str:
    """Return a configuration value without quotes, escapes and comment."""
    out: list[str] = []
    quoted = False
    kept = 0  # unquoted blanks at the end do not count
    chars = iter(raw)
    for char in chars:
        if char == '"':
            quoted = not quoted
            continue
        if char in "#;" and not quoted:
            break
        if char == "\\":
            escaped = next(chars, "")
            out.append(_ESCAPES.get(escaped, escaped))
        else:
            out.append(char)
        if quoted or not char.isspace():
            kept = len(out)
    return "".join(out[:kept])


def _path_value(value: str, base: Path) -> Path | None:
    if not value or "\0" in value:
        return None
    if value.startswith("~/"):
        return _home() / value[2:]
    return base / os.path.expanduser(value)  # noqa: PTH111 - leaves an unknown user alone
