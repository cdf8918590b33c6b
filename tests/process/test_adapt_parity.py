"""Torch trains and llama.cpp uses: both must compute the same, with and without an adapter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import commonplace
from commonplace.adapt import export, weights
from commonplace.adapt.export import write_adapter
from commonplace.adapt.measuring import Asking, Question, TorchSide
from commonplace.adapt.store import file_sha256
from commonplace.adapt.training import Recipe, Trainee
from commonplace.adapt.weights import load_model
from commonplace.engine.gguf import read_header
from commonplace.engine.identity import model_id
from commonplace.engine.session import EngineSession
from commonplace.engine.types import LoadOptions
from unit.adapt.tiny_model import write_model

pytestmark = pytest.mark.filterwarnings("ignore")

CHECKOUT = Path(commonplace.__file__).parents[2]
STARTER = CHECKOUT / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
TEXT = (
    "def add(first, second):\n    return first + second\n\n\n"
    "def subtract(first, second):\n    return first - second\n"
)
QUESTIONS = (
    Question("heldout", "# a.py\n", "# Adds.\n", TEXT),
    Question("heldout", "# a.py\n", "# Multiplies.\n", TEXT.replace("add", "multiply")),
    Question("code", "", "\n", TEXT.replace("first", "left")),
)
NEAR = 0.02


@pytest.fixture(scope="module")
def engine() -> Iterator[EngineSession]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        with EngineSession(LoadOptions(context=2048, threads=1, batch=128)) as session:
            yield session


def strayed(trainee: Trainee, scale: float) -> None:
    """Give the untrained half of the adapter numbers that change every layer."""
    import torch

    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, weight in trainee.model.named_parameters():
            if ".lora_B." in name:
                weight.copy_(scale * torch.randn(weight.shape, generator=generator))
    trainee.round_to_half()


def apart(model: Path, engine: EngineSession, folder: Path, scale: float) -> dict[str, float]:
    """Return both sides' means and their differences, without and with an adapter."""
    info = engine.load(model)
    asking = Asking(engine, info)
    trainee = Trainee(load_model(model, lambda: None), Recipe(rank=4), 0, lambda: None)
    strayed(trainee, scale)
    side = TorchSide(trainee, asking)
    path = folder / "adapter.gguf"
    write_adapter(
        path,
        trainee.halves(),
        trainee.config,
        architecture=read_header(model).architecture,
        alpha=8,
        base=model_id(model),
    )
    with trainee.without():
        base = side.mean(QUESTIONS)
    found = {"base": base - mean(asking), "torch": side.mean(QUESTIONS)}
    trained_alpha = Recipe(rank=4).alpha
    assert trained_alpha != 8  # the strength of a file and of torch are set apart, then alike
    with asking.adapted(path, file_sha256(path), model_id(model)):
        found["half as strong"] = found["torch"] - mean(asking)
    write_adapter(
        path,
        trainee.halves(),
        trainee.config,
        architecture=read_header(model).architecture,
        alpha=trained_alpha,
        base=model_id(model),
    )
    with asking.adapted(path, file_sha256(path), model_id(model)):
        found["adapted"] = found["torch"] - mean(asking)
    found["moved"] = abs(found["torch"] - base)
    found["after"] = base - mean(asking)
    return found


def mean(asking: Asking) -> float:
    values = [v for nats in asking.scores(QUESTIONS, lambda: False) for v in nats]
    return sum(values) / len(values)


@pytest.mark.parametrize("features", [(), ("avx512_bf16",)], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3"])
def test_every_architecture_computes_the_same(
    architecture: str,
    features: tuple[str, ...],
    engine: EngineSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(weights, "features", lambda: frozenset(features))
    model = write_model(tmp_path / "tiny.gguf", architecture)
    found = apart(model, engine, tmp_path, 0.6)
    assert abs(found["base"]) < NEAR
    assert abs(found["adapted"]) < NEAR
    assert abs(found["after"]) < NEAR
    assert found["moved"] > 2 * NEAR
    assert abs(found["half as strong"]) > NEAR


def test_rows_in_the_wrong_order_are_noticed(
    engine: EngineSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_they_are(rows: Any, _heads: int) -> Any:
        return rows

    monkeypatch.setattr(export, "permuted", as_they_are)
    model = write_model(tmp_path / "tiny.gguf", "llama")
    found = apart(model, engine, tmp_path, 0.6)
    assert abs(found["base"]) < NEAR
    assert abs(found["adapted"]) > NEAR


@pytest.mark.models
def test_the_starter_model_computes_the_same(engine: EngineSession, tmp_path: Path) -> None:
    if not STARTER.is_file():
        pytest.skip("the starter model is not installed: make models")
    found = apart(STARTER, engine, tmp_path, 0.06)
    assert abs(found["base"]) < NEAR
    assert abs(found["adapted"]) < NEAR
    assert abs(found["after"]) < NEAR
    assert found["moved"] > NEAR
