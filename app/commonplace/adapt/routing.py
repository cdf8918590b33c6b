"""Which adapter, if any, a question is answered with: one file's, and one at a time.

An adapter knows one file and makes the model no better elsewhere. So it is used only where
a question is about that file alone: it is the one file attached, or, with nothing attached,
the one file named. Whatever is less clear is answered by the model as it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from commonplace.adapt.hygiene import text_of
from commonplace.adapt.records import Record, text_hash
from commonplace.adapt.store import AdapterStore
from commonplace.chat.choosing import Chosen
from commonplace.engine.identity import model_id
from commonplace.workspace.reading import read_below

_BESIDE = r"[\w./\\-]"
"""What may not stand next to a name for it to be that name, and not a part of another."""


def file_asked_about(question: str, chosen: Chosen, files: Collection[str]) -> str:
    """Return the one of `files` that a question is about, or nothing.

    `chosen` is what it brings along. Notes that are attached say nothing of files; an
    attached folder, or a second file, says that it is not about one.
    """
    attached = {passage.path for passage in chosen.first if not passage.note}
    attached |= set(chosen.folders)
    if attached:
        (only, *others) = attached
        return only if not others and only in files else ""
    near = [path for path in files if _name(path) in question]
    alike = Counter(map(_name, near))
    named = {path for path in near if _names(question, _called(path, alike))}
    return named.pop() if len(named) == 1 else ""


def usable_adapter(store: AdapterStore, root: Path, file: str, model: Path) -> Record | None:
    """Return the adapter for `file` as it is now and the model at `model`, verified.

    None if there is none, or the file cannot be read, or changed by more than the blanks
    at its lines' ends. Reads the adapter's file whole. Raises `AdapterError` for one that
    was tampered with.
    """
    digest = current_hash(root, file)
    return store.usable(file, digest, model_id(model)) if digest else None


def current_hash(root: Path, file: str) -> str:
    """Return the `text_hash` of `file` as it is on disk; nothing if it cannot be learned from."""
    try:
        text, refused = text_of(file, read_below(root, file))
    except OSError:
        return ""
    return "" if refused else text_hash(text)


def _called(path: str, alike: Mapping[str, int]) -> list[str]:
    """Return what `path` may be called: itself, and its name if no other file has it."""
    name = _name(path)
    # A word such as "main" or "Makefile" is not enough to mean a file.
    return [path, name] if alike[name] == 1 and "." in name.lstrip(".") else [path]


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _names(question: str, names: Iterable[str]) -> bool:
    return any(
        re.search(rf"(?<!{_BESIDE}){re.escape(name)}(?!\.?{_BESIDE.replace('.', '')})", question)
        for name in names
    )
