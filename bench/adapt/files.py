"""Which files of a project are adapted to: those people wrote, of a usual length."""

from __future__ import annotations

import random
from pathlib import Path

from commonplace.adapt.hygiene import text_of
from commonplace.index.languages import NOTEBOOK, language_of
from commonplace.recall.demotions import is_aside
from commonplace.workspace.project import Workspace


def chosen(root: Path, count: int, lines: tuple[int, int], seed: int) -> list[str]:
    """Return `count` files of code of `lines` (fewest, most) lines, drawn by `seed`."""
    workspace = Workspace(root)
    paths = sorted(workspace.scan().files)
    random.Random(f"{seed} {root.name}").shuffle(paths)
    found: list[str] = []
    for path in paths:
        language = language_of(path, "")
        code = language.grammar != "-" and not language.prose and language.name != NOTEBOOK
        if not code or is_aside(path):
            continue
        text, reason = text_of(path, workspace.read(path))
        if not reason and lines[0] <= text.count("\n") <= lines[1]:
            found.append(path)
        if len(found) == count:
            break
    return found
