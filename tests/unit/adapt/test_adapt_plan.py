"""What adapting would take, and what is refused before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from commonplace.adapt import plan, weights
from commonplace.adapt.training import Recipe, free_cores, windows
from commonplace.adapt.weights import gguf_name, permuted, unpermuted
from commonplace.engine.gguf import read_header
from commonplace.engine.options import ELSEWHERE
from commonplace.errors import AdapterError, ModelError
from unit.adapt.tiny_model import write_model


def test_missing_packages_are_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    plan.check_installed()
    monkeypatch.setattr(plan, "find_spec", lambda name: None if name == "peft" else object())
    with pytest.raises(AdapterError, match="not installed: peft") as caught:
        plan.check_installed()
    assert "commonplace[adapt]" in caught.value.remedy


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3"])
def test_known_architectures_are_taken(architecture: str, tmp_path: Path) -> None:
    path = write_model(tmp_path / "tiny.gguf", architecture)
    assert plan.checked_model(path).architecture == architecture


def test_others_are_refused_with_the_reason(tmp_path: Path) -> None:
    path = write_model(tmp_path / "tiny.gguf", "qwen3")
    path.write_bytes(path.read_bytes().replace(b"qwen3", b"smoll"))
    with pytest.raises(AdapterError, match="smoll cannot be loaded for training"):
        plan.checked_model(path)
    with pytest.raises(AdapterError, match="server"):
        plan.checked_model(ELSEWHERE)
    with pytest.raises(ModelError, match="no model"):
        plan.checked_model(None)


def test_too_little_memory_is_refused_with_both_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = read_header(write_model(tmp_path / "tiny.gguf"))
    assert plan.check_memory(header, Recipe()) > header.file_bytes

    class Full:
        available = 10 << 20

    monkeypatch.setattr(plan.psutil, "virtual_memory", Full)
    with pytest.raises(AdapterError, match="11 MB are free"):
        plan.check_memory(header, Recipe())


def test_matrices_of_16_bits_take_less_memory_and_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = read_header(write_model(tmp_path / "tiny.gguf"))
    embedding = header.vocabulary * header.embedding_length
    found = []
    for features in ({"avx2"}, {"avx2", "avx512_bf16"}):
        monkeypatch.setattr(weights, "features", lambda features=features: frozenset(features))
        memory = plan.memory_of(header, Recipe())
        found.append((memory, plan.seconds_of(header, 1000, Recipe(), 1e9)))
    (memory, seconds), (less, sooner) = found
    matrices = header.parameters - embedding  # the head of this model is its embedding
    assert memory - less == 2 * matrices - 2 * embedding
    assert sooner < seconds


def test_a_longer_file_and_a_slower_machine_take_longer(tmp_path: Path) -> None:
    header = read_header(write_model(tmp_path / "tiny.gguf"))
    short, long, slow = (
        plan.seconds_of(header, tokens, Recipe(), speed)
        for tokens, speed in ((1000, 1e9), (5000, 1e9), (1000, 1e8))
    )
    assert plan.START_SECONDS < short < long < slow
    assert plan.speed_now() > 0


def test_a_short_file_is_refused() -> None:
    plan.check_length("a.py", plan.FEWEST_TOKENS)
    with pytest.raises(AdapterError, match="too short"):
        plan.check_length("a.py", plan.FEWEST_TOKENS - 1)


def test_an_estimate_that_is_refused_says_why() -> None:
    wired = plan.Estimate(refusal=AdapterError("No.", "Do this.")).to_wire()
    assert wired["refusal"] == {"message": "No.", "remedy": "Do this."}
    assert plan.Estimate().to_wire()["refusal"] is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("model.embed_tokens.weight", "token_embd.weight"),
        ("model.layers.12.self_attn.q_proj.weight", "blk.12.attn_q.weight"),
        ("model.layers.0.self_attn.k_proj.bias", "blk.0.attn_k.bias"),
        ("model.layers.3.mlp.down_proj.weight", "blk.3.ffn_down.weight"),
        ("model.layers.3.post_attention_layernorm.weight", "blk.3.ffn_norm.weight"),
        ("model.layers.3.self_attn.qkv_proj.weight", ""),
        ("something.else", ""),
    ],
)
def test_parameters_have_the_names_of_gguf(name: str, expected: str) -> None:
    assert gguf_name(name) == expected


def test_the_order_of_rows_is_taken_back_exactly() -> None:
    rows = np.arange(4 * 6 * 5).reshape(24, 5)
    assert (unpermuted(permuted(rows, 4), 4) == rows).all()
    assert not (permuted(rows, 4) == rows).all()
    # llama.cpp turns neighbours: row 1 of a head is what stands in the middle elsewhere.
    assert (permuted(rows, 4)[1] == rows[3]).all()


def test_windows_hold_every_token_once_and_are_of_a_length() -> None:
    texts = [tuple(range(100)), tuple(range(100, 330))]
    cut = windows(texts, 64, (9999,))
    assert [token for window in cut for token in window[1:]] == list(range(330))
    assert all(window[0] == 9999 for window in cut)
    assert max(map(len, cut)) - min(map(len, cut)) <= 5
    assert windows([], 64, ()) == ()


def test_no_more_threads_than_processors_are_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psutil.cpu_count", lambda: 8)
    monkeypatch.setattr("psutil.cpu_percent", lambda _seconds: 3.0)
    assert free_cores(4) == 4
    monkeypatch.setattr("psutil.cpu_percent", lambda _seconds: 76.0)
    assert free_cores(4) == 2
    monkeypatch.setattr("psutil.cpu_percent", lambda _seconds: 100.0)
    assert free_cores(4) == 1
