"""Which lines of a file came from an accepted edit: a model may have written them."""

from __future__ import annotations

import difflib
import logging
from pathlib import Path

from commonplace.adapt.blocks import telling_lines
from commonplace.edits.journal import Journal
from commonplace.errors import CommonplaceError
from commonplace.index.text import NotTextError, decode
from commonplace.paths import StatePaths

log = logging.getLogger(__name__)


def written_lines(state: StatePaths, root: Path) -> dict[str, frozenset[str]]:
    """Return by path the telling lines that accepted edits brought into the project's files.

    The journal keeps its changes bounded; what it no longer knows nobody can tell.
    """
    folder = state.project_data(root) / "edits"
    if not folder.is_dir():
        return {}
    found: dict[str, set[str]] = {}
    try:
        journal = Journal(folder)
        for record in journal.records():
            for file in record.files if record.once else ():
                before, after = (
                    _lines(journal.content(record, digest)) if digest else []
                    for digest in (file.before, file.after)
                )
                added = [line[2:] for line in difflib.ndiff(before, after) if line.startswith("+ ")]
                found.setdefault(file.path, set()).update(telling_lines("\n".join(added)))
    except (CommonplaceError, OSError) as error:
        log.warning("The journal of edits cannot be read: %s", error)
    return {path: frozenset(lines) for path, lines in found.items()}


def _lines(data: bytes) -> list[str]:
    try:
        return decode(data).split("\n")
    except NotTextError:
        return []
