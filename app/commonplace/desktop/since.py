"""What became of the files of an answer: read again, and compared with what it read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from commonplace.desktop.source_text import as_shown, locate, read_source
from commonplace.desktop.sources import Source
from commonplace.errors import CommonplaceError, ProjectError


def since_answer(root: Path, sources: Sequence[Source]) -> tuple[Source, ...]:
    """Return `sources` with what became of each since the answer; reads files.

    Lines that only moved are unchanged. Files that cannot be read are left as
    they are, except those that are no longer there.
    """

    @cache
    def text_of(path: str) -> str | None:
        try:
            return read_source(root, path).text
        except ProjectError as error:
            return None if isinstance(error.__cause__, FileNotFoundError) else ""
        except CommonplaceError:
            return ""

    return tuple(replace(source, since=_since(text_of, source)) for source in sources)


def _since(text_of: Callable[[str], str | None], source: Source) -> str:
    passage = source.passage
    if passage.note:
        return ""  # the book says what became of a note
    text = text_of(passage.path)
    if text is None:
        return "gone"
    wanted = as_shown(passage.text)
    if not text or not wanted.strip():
        return ""
    found = locate(text, wanted, passage.start_line, passage.end_line)
    return "changed" if found is None else ""
