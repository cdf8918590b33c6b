"""The plain alternative to recall: what a person with grep would find.

Files are ranked by how many different words of the question they hold, whole words
of any case, common English ones aside; then by how often they hold them; then by path.
No index, no stems, no weights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from commonplace.index.words import IDENTIFIER
from commonplace.recall.shapes import STOP_WORDS


def words_in(text: str) -> Counter[str]:
    """Count the words of a text: runs of letters, digits and underscores, lower-cased."""
    return Counter(word.lower() for word in IDENTIFIER.findall(text))


class Grep:
    """The words of every file, by path."""

    def __init__(self, texts: Iterable[tuple[str, str]]) -> None:
        self._files = {path: words_in(text) for path, text in texts}

    def put(self, path: str, text: str | None) -> None:
        """Take over what a file says now; None where it is gone."""
        if text is None:
            self._files.pop(path, None)
        else:
            self._files[path] = words_in(text)

    def change(self, path: str, before: str, after: str) -> None:
        """Let the file at `path` say `after` where it said `before`."""
        if path in self._files:
            self._files[path] = self._files[path] - words_in(before) + words_in(after)

    def files_for(self, question: str, limit: int) -> list[str]:
        """Return the first `limit` files for `question`."""
        asked = set(words_in(question))
        asked = asked - STOP_WORDS or asked
        scored = [(*_held(words, asked), path) for path, words in self._files.items()]
        best = sorted((-held, -times, path) for held, times, path in scored if held)
        return [path for _, _, path in best[:limit]]


def _held(words: Mapping[str, int], asked: set[str]) -> tuple[int, int]:
    held = [words[word] for word in asked if word in words]
    return len(held), sum(held)
