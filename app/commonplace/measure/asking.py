"""One question, asked of recall and of the plain alternatives; and what their ranks amount to.

All answer with files, since grep knows nothing smaller: the rank of a file is that of
its best passage. Recall is the product's own search and ranking, without the project's
own map of questions: that was fitted to the very documentation that is asked here.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from commonplace.index.chunks import embedded_text
from commonplace.index.embedder import Embedder, Vectors
from commonplace.index.rows import read_places
from commonplace.index.text import NotTextError, decode
from commonplace.index.vectors import VectorTable, load_table
from commonplace.measure import intervals
from commonplace.measure.grep import Grep
from commonplace.measure.history import Change
from commonplace.measure.questions import Question
from commonplace.measure.results import Asked, Recall
from commonplace.measure.snapshot import Snapshot
from commonplace.measure.trees import Tree
from commonplace.memory.project import Memory
from commonplace.paths import StatePaths
from commonplace.recall.candidates import find
from commonplace.recall.documented import Documented
from commonplace.recall.search import QUERY_CHARS, VECTOR_LIMIT, ranked_for
from commonplace.recall.shapes import read_question
from commonplace.recall.trial import blanked, embedded

DEPTH = 10
"""Files looked at; an answer below counts as none."""
SYSTEMS = ("recall", "vectors", "words", "grep")
"""`words` is BM25 over passages, as recall's own word index has it, and nothing else."""

GREP_FILES = 20_000
"""Files of which the words are held in memory at most; of larger projects grep is not asked."""

Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Corpus:
    """What is asked: an index, its vectors, and the words of its files."""

    conn: sqlite3.Connection
    embedder: Embedder | None
    vectors: VectorTable | None
    grep: Grep | None

    def ask(self, question: Question) -> Asked:
        """Return the rank of the first right file, by system."""
        ranked = self._ranked(question.text)
        ranks = [rank_of(question.answers, files) for files in ranked.values()]
        return Asked(question.source, question.text, question.answers, tuple(ranked), tuple(ranks))

    def _ranked(self, text: str) -> dict[str, list[str]]:
        """Return the first files of each system, best first."""
        question = read_question(text)
        words = find(self.conn, question).by_id.values()
        by_words = sorted((-c.words, c.chunk_id) for c in words if c.words is not None)
        ranked = ranked_for(question, self.conn, self.embedder, self.vectors)
        found = {"recall": self._files(r.chunk_id for r in ranked)}
        if self.embedder is not None and self.vectors is not None and len(self.vectors):
            near = self.vectors.search(_vector(self.embedder, question.text), VECTOR_LIMIT)
            found["vectors"] = self._files(n.chunk_id for n in near)
        found["words"] = self._files(chunk_id for _, chunk_id in by_words)
        if self.grep is not None:
            found["grep"] = self.grep.files_for(question.text, DEPTH)
        return found

    def _files(self, chunk_ids: Iterable[int]) -> list[str]:
        ids = list(chunk_ids)
        places = read_places(self.conn, ids)
        paths = dict.fromkeys(places[i].path for i in ids if i in places)
        return list(paths)[:DEPTH]


@contextmanager
def documentation_corpus(
    snapshot: Snapshot, items: Sequence[Documented], stop: Stop
) -> Iterator[Corpus]:
    """Give the index without the documentation of `items`, gone afterwards."""
    grep = _grep_of(snapshot)
    if grep is not None:
        for item in items:
            grep.change(item.path, item.whole, item.code)
    with blanked(snapshot.conn, items) as copy:
        embedder, table = snapshot.embedder, None
        if embedder is not None:
            table = load_table(copy, embedder.id, embedder.dimensions)
            ids = [item.chunk_id for item in items if item.chunk_id in table]
            bare = [item for item in items if item.chunk_id in table]
            if bare:
                code = embedded(embedder, [embedded_text(i.symbol, i.code) for i in bare], stop)
                table.remove(ids)
                table.add(ids, code)
        yield Corpus(copy, embedder, table, grep)


def corpus_of(snapshot: Snapshot) -> Corpus:
    """Return the index as it is."""
    return Corpus(snapshot.conn, snapshot.embedder, snapshot.vectors, _grep_of(snapshot))


class Past:
    """A scratch folder that is moved from commit to commit, and its index."""

    def __init__(self, tree: Tree, folder: Path, state: StatePaths, embedder: str) -> None:
        self._tree = tree
        self._folder = folder
        self._state = state
        self._embedder = embedder
        self._grep = Grep([])

    def ask(self, change: Change, parent: str, model: Embedder | None, stop: Stop) -> Asked | None:
        """Ask what `change` says of the files before it; None if it changed none of them."""
        changed = self._tree.move_to(parent)
        memory = Memory(self._folder, self._state, embedder=self._embedder, adapter="off")
        try:
            memory.refresh(None, stop)
            memory.embed(stop)
            indexed = set(memory.files())
            for path, data in changed.items():
                text = None if data is None or path not in indexed else _text(data)
                self._grep.put(path, text)
            answers = tuple(path for path in change.paths if path in indexed)
            if not answers:
                return None
            with contextlib.closing(memory.store.reader()) as conn:
                table = None
                if model is not None:
                    table = load_table(conn, model.id, model.dimensions)
                corpus = Corpus(conn, model, table, self._grep)
                return corpus.ask(Question("history", change.text, answers))
        finally:
            memory.close()


def texts_of(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """Yield each file that can be searched, with what it says."""
    for path in snapshot.files():
        text = snapshot.text(path)
        if text is not None:
            yield path, text


def _grep_of(snapshot: Snapshot) -> Grep | None:
    return Grep(texts_of(snapshot)) if len(snapshot.files()) <= GREP_FILES else None


def rank_of(answers: Sequence[str], files: Sequence[str]) -> int:
    """Return the rank, from 1, of the first of `files` that answers; 0 if none does."""
    return next((rank for rank, path in enumerate(files, 1) if path in answers), 0)


def summarised(asked: Sequence[Asked], seed: int) -> list[Recall]:
    """Return a row for each source and system, in the order in which they were asked."""
    rows: list[Recall] = []
    for source in dict.fromkeys(item.source for item in asked):
        some = [item for item in asked if item.source == source]
        # A system that was not there for every question would be compared on others.
        systems = [s for s in SYSTEMS if all(s in item.systems for item in some)]
        ranks = {s: [item.ranks[item.systems.index(s)] for item in some] for s in systems}
        ours = [_reciprocal(rank) for rank in ranks["recall"]]
        for system, own in ranks.items():
            theirs = [_reciprocal(rank) for rank in own]
            one, five, ten = (
                intervals.mean([float(0 < rank <= k) for rank in own], seed) for k in (1, 5, 10)
            )
            gain = None if system == "recall" else intervals.mean_difference(ours, theirs, seed)
            mrr = intervals.mean(theirs, seed)
            rows.append(Recall(source, system, len(some), one, five, ten, mrr, gain))
    return rows


def _reciprocal(rank: int) -> float:
    return 1 / rank if rank else 0.0


def _vector(embedder: Embedder, text: str) -> Vectors:
    readable = text[:QUERY_CHARS].encode("utf-8", "replace").decode()
    vector: Vectors = np.asarray(embedder.embed([readable])[0], dtype=np.float32)
    return vector


def _text(data: bytes) -> str | None:
    try:
        return decode(data)
    except NotTextError:
        return None
