"""Folders and files no project means as its own text.

Kept short on purpose: a name that real projects use for source, such as
``build``, ``dist`` or ``vendor``, is left to the project's ``.gitignore``.
"""

from __future__ import annotations

from collections.abc import Callable

OWN_RULES_FILE = ".commonplaceignore"

# Object stores of version control: never text, whatever the rules say.
VERSION_CONTROL = frozenset({".git", ".hg", ".svn"})

_FOLDERS = frozenset(
    {
        "node_modules",
        "bower_components",
        "__pycache__",
        "__pypackages__",
        "site-packages",
        "dist-packages",
        ".tox",
        ".nox",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".hypothesis",
        ".ipynb_checkpoints",
        ".gradle",
        ".idea",
        ".vs",
        ".terraform",
        ".Trash",
        ".fseventsd",
        ".Spotlight-V100",
        "$RECYCLE.BIN",
        "System Volume Information",
    }
)
_FILES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", ".directory"})

# A build folder is known by the file beside it that orders it.
_BESIDE = {"target": ("Cargo.toml", "pom.xml")}

# A virtual environment is known by what it holds.
INSIDE_MARKER = "pyvenv.cfg"


def is_junk(name: str, is_dir: bool, has: Callable[[str], bool]) -> bool:
    """Return whether an entry is junk; `has` tells what else its folder holds."""
    if not is_dir:
        return name in _FILES
    if name in _FOLDERS or name.endswith(".egg-info"):
        return True
    return any(has(marker) for marker in _BESIDE.get(name, ()))
