"""The engine's side of measuring: whose processors are whose."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from commonplace.adapt.measuring import Asking
from commonplace.engine.fake import FakeModel
from commonplace.engine.types import ModelInfo


@pytest.mark.parametrize(("threads", "shared"), [(8, 4), (3, 1), (1, 1)])
@pytest.mark.parametrize("failing", [False, True])
def test_half_of_the_processors_are_left_to_others_and_taken_back(
    threads: int, shared: int, failing: bool
) -> None:
    info = ModelInfo("tiny", "tiny.gguf", "llama", "ChatML", 1, 512, "F16", 1, 1, "CPU", "", "")
    model = FakeModel(info)
    model.use_threads(threads)
    asking = Asking(model, model.info)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError) if failing else nullcontext(), asking.sharing():
        assert model.info.threads == shared
        if failing:
            raise RuntimeError
    assert model.info.threads == threads
