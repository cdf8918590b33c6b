"""Which paths may be written: judged by their spelling, before the disk is asked.

The rules are the same on every system, so that a project stays as safe when it
is opened on another one. `Tree` adds what only the disk knows: links, other
names of the same file, folders that were exchanged.
"""

from __future__ import annotations

import re
import unicodedata

from commonplace.errors import EditError

MAX_PATH = 2000
MAX_PART_BYTES = 255
MAX_DEPTH = 60

VERSION_CONTROL = frozenset(
    {".git", ".hg", ".svn", ".bzr", ".jj", ".sl", ".pijul", "_darcs", "git~1"}
)
"""Folders whose files run programs or rewrite history; ``git~1`` is .git's short DOS name."""
OURS = ".commonplace"
DEVICE = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9\xb9\xb2\xb3])(?:\..*)?"
)
# Controls, what reorders or hides text, what file systems drop when they compare names.
UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
)

CI = "it may run by itself on a build server"
EDITOR = "an editor may run it when the folder is opened"
SHELL = "a shell may run it when the folder is entered"
HOOK = "git or a tool may run it by itself"
PACKAGES = "it decides where packages come from, or what their tools run"
GUIDES = "other tools take it for instructions"
FOLDERS_ASKING_TWICE = {
    ".github": CI, ".gitlab": CI, ".circleci": CI, ".buildkite": CI, ".teamcity": CI, ".ci": CI,
    ".woodpecker": CI, ".forgejo": CI, ".gitea": CI, ".azuredevops": CI, ".azure-pipelines": CI,
    ".vscode": EDITOR, ".idea": EDITOR, ".vs": EDITOR, ".fleet": EDITOR, ".zed": EDITOR,
    ".devcontainer": EDITOR, ".nvim": EDITOR, ".vim": EDITOR, ".cursor": EDITOR,
    ".husky": HOOK, ".githooks": HOOK, ".lefthook": HOOK, ".cargo": PACKAGES, ".yarn": PACKAGES,
    ".mvn": PACKAGES,
}  # fmt: skip
FILES_ASKING_TWICE = {
    ".gitlab-ci.yml": CI, ".travis.yml": CI, ".drone.yml": CI, ".cirrus.yml": CI,
    ".appveyor.yml": CI, "appveyor.yml": CI, "azure-pipelines.yml": CI, "jenkinsfile": CI,
    "bitbucket-pipelines.yml": CI, ".woodpecker.yml": CI, "cloudbuild.yaml": CI,
    "buildspec.yml": CI, ".readthedocs.yaml": CI, ".readthedocs.yml": CI,
    ".vimrc": EDITOR, ".nvimrc": EDITOR, ".exrc": EDITOR, ".nvim.lua": EDITOR,
    ".dir-locals.el": EDITOR, ".sublime-project": EDITOR, ".editorconfig": EDITOR,
    ".envrc": SHELL, ".env": SHELL, ".bashrc": SHELL, ".bash_profile": SHELL, ".profile": SHELL,
    ".zshrc": SHELL, ".zshenv": SHELL, ".tool-versions": SHELL, "mise.toml": SHELL,
    ".mise.toml": SHELL, ".autoenv": SHELL,
    ".gitattributes": HOOK, ".gitmodules": HOOK, ".gitconfig": HOOK, ".hgsub": HOOK,
    ".pre-commit-config.yaml": HOOK, "lefthook.yml": HOOK, ".lefthook.yml": HOOK,
    ".lintstagedrc": HOOK, ".overcommit.yml": HOOK,
    ".npmrc": PACKAGES, ".yarnrc": PACKAGES, ".yarnrc.yml": PACKAGES, ".pypirc": PACKAGES,
    ".netrc": PACKAGES, "pip.conf": PACKAGES, ".pnpmfile.cjs": PACKAGES, ".condarc": PACKAGES,
    "nuget.config": PACKAGES, ".bundle": PACKAGES,
    "agents.md": GUIDES, ".cursorrules": GUIDES,
}  # fmt: skip
ENDINGS_ASKING_TWICE = {
    ".code-workspace": EDITOR, ".sublime-project": EDITOR, ".code-profile": EDITOR, ".iml": EDITOR
}  # fmt: skip


def checked_parts(path: str) -> list[str]:
    """Return the parts of the relative path of a file that may be written.

    Raises `EditError` for one that leaves the project, names a device or a
    stream, hides characters, or lies where nothing is ever written.
    """
    if not path:
        raise _refused(path, "it is empty")
    if len(path) > MAX_PATH:
        raise _refused(f"{path[:80]}…", "it is too long")
    if UNSEEN.search(path):
        raise _refused(path, "it holds characters that cannot be seen")
    if "\\" in path:
        raise _refused(path, "it holds a backslash")
    if path.startswith(("/", "~")):
        raise _refused(path, "it does not begin inside the project")
    parts = path.split("/")
    if len(parts) > MAX_DEPTH:
        raise _refused(path, "it is too deep")
    for part in parts:
        why = _why_not(part)
        if why:
            raise _refused(path, why)
    return parts


def asks_twice(path: str) -> str:
    """Return why a change of this file needs a second yes, or nothing."""
    *folders, name = (plain(part) for part in path.split("/"))
    for folder in folders:
        if folder in FOLDERS_ASKING_TWICE:
            return FOLDERS_ASKING_TWICE[folder]
    if name in FILES_ASKING_TWICE:
        return FILES_ASKING_TWICE[name]
    if name in FOLDERS_ASKING_TWICE:
        return FOLDERS_ASKING_TWICE[name]
    if name.startswith(".env."):
        return SHELL
    return next((why for end, why in ENDINGS_ASKING_TWICE.items() if name.endswith(end)), "")


def plain(name: str) -> str:
    """Return `name` as the most forgiving file system compares it."""
    folded = unicodedata.normalize("NFKC", UNSEEN.sub("", name)).casefold()
    return unicodedata.normalize("NFC", folded).rstrip(". ")


def _why_not(part: str) -> str:
    if part in {"", ".", ".."}:
        return "it does not lead straight into the project"
    if part != part.strip(" ") or part.endswith("."):
        return "a part of it begins or ends with a space, or ends with a dot"
    if ":" in part:
        return "it holds a colon, which means a drive or a hidden stream elsewhere"
    if len(part.encode("utf-8", "replace")) > MAX_PART_BYTES:
        return "a part of it is too long"
    name = plain(part)
    if DEVICE.fullmatch(name):
        return "it is the name of a device on Windows"
    if name in VERSION_CONTROL or re.fullmatch(r"git~\d+", name):
        return "nothing is ever written into a version control folder"
    if name == OURS:
        return "notes are kept by people, in the window or an editor"
    return ""


def _refused(path: str, why: str) -> EditError:
    return EditError(
        f"{path} cannot be written: {why}.", "Make this change by hand if you mean it."
    )
