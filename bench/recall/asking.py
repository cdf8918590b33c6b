"""Asks the product a question and keeps everything that ranking was given.

`recall.search.search` runs as it is, with a listener in the place of its last
step: what it hears (the question as read, the candidates, their places) can
then be ordered by the product's ranking or by anything it is compared with.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from bench.recall.scoring import Spot
from commonplace.index.embedder import Embedder, open_embedder
from commonplace.index.rows import Place
from commonplace.index.vectors import VectorTable, load_table
from commonplace.memory.project import Memory
from commonplace.paths import StatePaths
from commonplace.recall import candidates as candidates_module
from commonplace.recall import depth as depth_module
from commonplace.recall import search as search_module
from commonplace.recall.adapter import Adapter
from commonplace.recall.candidates import Candidates
from commonplace.recall.depth import Depth
from commonplace.recall.ranking import Ranked, Weights, rank
from commonplace.recall.search import NOTHING_LEARNED, Learned
from commonplace.recall.shapes import Question
from commonplace.recall.trial import fit_adapter
from commonplace.workspace.files import never

SPOTS = (
    "SELECT c.id, f.path, c.start_line, c.end_line FROM chunks c JOIN files f ON f.id = c.file_id"
)
Columns = tuple[float, float, float, float, float]
FIELDED: Columns = candidates_module.COLUMN_WEIGHTS
AS_WRITTEN: Columns = (0.0, 0.0, 1.0, 0.0, 0.0)
BODIES: Columns = (0.0, 0.0, 1.0, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Heard:
    """What ranking was given for one question."""

    question: Question
    candidates: Candidates
    places: Mapping[int, Place]


class Project:
    """An indexed project and the vectors one embedder gave it."""

    def __init__(self, memory: Memory, embedder: Embedder | None) -> None:
        self.memory = memory
        self._conn = memory.store.reader()
        self._embedder = embedder
        self._vectors: VectorTable | None = None
        if embedder is not None:
            self._vectors = load_table(self._conn, embedder.id, embedder.dimensions)
        self.spots = {row[0]: Spot(*row[1:]) for row in self._conn.execute(SPOTS)}

    def close(self) -> None:
        """Close the reading connection; the memory is its owner's."""
        self._conn.close()

    def adapter(self) -> Adapter:
        """Fit the project's adapter and put it to its trial."""
        if self._embedder is None:
            raise ValueError("without an embedder there is nothing to adapt")
        return fit_adapter(self._conn, self._embedder, never)

    def hear(
        self, text: str, columns: Columns = FIELDED, learned: Learned = NOTHING_LEARNED
    ) -> Heard:
        """Return what ranking is given for `text` when BM25 weighs columns so."""
        heard: list[Heard] = []

        def listen(
            question: Question,
            candidates: Candidates,
            places: Mapping[int, Place],
            _weights: Weights | None = None,
        ) -> list[Ranked]:
            heard.append(Heard(question, candidates, places))
            return []

        with (
            mock.patch.object(search_module, "rank", listen),
            mock.patch.object(candidates_module, "COLUMN_WEIGHTS", columns),
        ):
            search_module.search(
                text,
                1,
                self._conn,
                self.memory.workspace.read,
                embedder=self._embedder,
                vectors=self._vectors,
                learned=learned,
            )
        return heard[0]

    def deepened(self, heard: Heard, depth: Depth) -> list[int]:
        """Return the product's order when `depth` has a say in it, however long it takes."""
        ranked = rank(heard.question, heard.candidates, heard.places)
        with mock.patch.object(depth_module, "SECONDS", math.inf):
            found = depth.rerank(self._conn, heard.question.text, ranked)
        return [item.chunk_id for item in found]

    def located(self, chunk_ids: Sequence[int]) -> list[Spot]:
        """Return where chunks are, in the given order."""
        return [self.spots[chunk_id] for chunk_id in chunk_ids]


@contextmanager
def opened(root: Path, state: StatePaths, embedder: str) -> Iterator[Project]:
    """Index `root`, or bring its index up to date, and give it to be asked."""
    memory = Memory(root, state, embedder=embedder)
    try:
        memory.refresh()
        memory.embed()
        project = Project(memory, open_embedder(embedder, state.model_folders(), threads=1))
        try:
            yield project
        finally:
            project.close()
    finally:
        memory.close()


@contextmanager
def state_in(folder: Path | None) -> Iterator[StatePaths]:
    """Give state folders below `folder`, or below one that goes afterwards."""
    with tempfile.TemporaryDirectory() as temporary:
        base = folder or Path(temporary)
        yield StatePaths(base / "config", base / "data", base / "cache")
