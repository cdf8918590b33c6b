"""The transformer of the starter set, for those who choose it."""

import numpy as np
import pytest

from commonplace.index.embedder import MINILM, SentenceEmbedder, open_embedder
from commonplace.memory.project import Memory

pytestmark = [
    pytest.mark.models,
    # torch and its kin warn about each other; that is not ours to mend.
    pytest.mark.filterwarnings("default"),
]


def test_it_is_named_by_its_weights_and_embeds_by_meaning(starter_embedder):
    embedder = open_embedder("minilm", [starter_embedder.parent], threads=1)
    assert isinstance(embedder, SentenceEmbedder)
    assert embedder.id.startswith(f"{MINILM}@")
    assert not embedder.ready
    question, near, far = embedder.embed(
        ["save the settings to disk", "write configuration to a file", "draw a red circle"]
    )
    assert embedder.ready
    assert question.shape == (embedder.dimensions,) == (384,)
    assert np.isclose(np.linalg.norm(question), 1.0, atol=1e-4)
    assert question @ near > question @ far


def test_a_project_is_found_by_meaning(make_project, state, starter_embedder):
    root = make_project(
        {
            "a.py": "def persist(options, target):\n    target.write_text(dump(options))\n",
            "b.py": "def circle(canvas, radius):\n    canvas.arc(0, 0, radius)\n",
        }
    )
    memory = Memory(root, state, embedder=str(starter_embedder), embed_threads=1)
    memory.refresh()
    memory.embed()
    assert memory.status.vectors == memory.status.chunks == 2
    assert memory.search("save settings", 1).passages[0].path == "a.py"
    memory.close()
