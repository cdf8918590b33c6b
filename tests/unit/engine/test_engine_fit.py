"""Where a model goes, with ggml's device interface played by a fake."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from commonplace.engine.devices import backend_words, better_build, cards, read_devices
from commonplace.engine.fit import CARD_MARGIN, memory_needed, plan
from commonplace.engine.gguf import Header
from commonplace.engine.ladder import Ladder
from commonplace.engine.types import LoadOptions
from commonplace.errors import ModelError

GB = 1 << 30


@dataclass
class FakeLibrary:
    """ggml with the devices given as (name, kind, free, total)."""

    devices: list[tuple[str, int, int, int]] = field(default_factory=list)

    def count(self):
        return len(self.devices)

    def name(self, index):
        return self.devices[index][0]

    def description(self, index):
        return f"A {self.devices[index][0]} "

    def kind(self, index):
        return self.devices[index][1]

    def memory(self, index):
        return self.devices[index][2:]


CPU = ("CPU", 0, 16 * GB, 16 * GB)


def devices(*cards_):
    return read_devices(FakeLibrary([*cards_, CPU]))


def header(tmp_path, **changes):
    """About a 7B model: 32 layers of 200 MiB, 8 key heads of 128."""
    values = {
        "path": tmp_path / "seven.gguf", "architecture": "qwen2", "name": "", "size_label": "",
        "context_length": 32768, "block_count": 32, "embedding_length": 4096, "head_count": 32,
        "kv_heads": (8,) * 32, "key_length": 128, "value_length": 128, "quantisation": "Q4_K_M",
        "tokenizer": "gpt2", "vocabulary": 150_000, "bos": None, "eos": 1,
        "chat_template": None, "parameters": 7_000_000_000, "file_bytes": 7000 << 20,
        "layer_bytes": (200 << 20,) * 32,
    }  # fmt: skip
    return Header(**{**values, **changes})


def test_without_a_card_all_runs_on_the_processor(tmp_path):
    found = plan(header(tmp_path), LoadOptions(), devices(), available=16 * GB)
    assert (found.gpu_layers, found.context, found.kv_type) == (0, 4096, "f16")
    assert found.card_memory == 0
    assert found.sentence.startswith("All 32 layers run on the processor; with 4,096 tokens")


def test_a_large_card_takes_all_layers_and_the_output(tmp_path):
    found = plan(
        header(tmp_path), LoadOptions(), devices(("CUDA0", 1, 24 * GB, 24 * GB)), available=2 * GB
    )
    assert found.gpu_layers == 33
    assert "graphics card" in found.sentence


@pytest.mark.parametrize("free", [1, 2, 3, 4, 6])
def test_a_small_card_takes_what_fits_and_never_more(tmp_path, free):
    card = ("CUDA0", 1, free * GB, 8 * GB)
    found = plan(header(tmp_path), LoadOptions(), devices(card), available=16 * GB)
    assert 0 < found.gpu_layers < 33
    assert found.card_memory <= free * GB - CARD_MARGIN
    less = plan(
        header(tmp_path), LoadOptions(), devices(("CUDA0", 1, GB, 8 * GB)), available=16 * GB
    )
    assert less.gpu_layers <= found.gpu_layers
    assert f"{found.gpu_layers} of 32 layers" in found.sentence


def test_two_cards_are_used_together_and_an_integrated_one_only_alone(tmp_path):
    one = plan(
        header(tmp_path), LoadOptions(), devices(("CUDA0", 1, 3 * GB, 3 * GB)), available=16 * GB
    )
    pair = devices(("CUDA0", 1, 3 * GB, 3 * GB), ("CUDA1", 1, 3 * GB, 3 * GB))
    both = plan(header(tmp_path), LoadOptions(), pair, available=16 * GB)
    assert both.gpu_layers > one.gpu_layers
    mixed = devices(("Vulkan0", 2, 8 * GB, 8 * GB), ("Vulkan1", 1, 4 * GB, 4 * GB))
    assert [card.name for card in cards(mixed)] == ["Vulkan1"]
    assert [card.name for card in cards(devices(("Vulkan0", 2, GB, GB)))] == ["Vulkan0"]


def test_what_the_user_set_is_taken_as_it_is(tmp_path):
    card = devices(("CUDA0", 1, 24 * GB, 24 * GB))
    asked = LoadOptions(gpu_layers=5, kv_type="q4_0", batch=128, context=8192)
    found = plan(header(tmp_path), asked, card, available=16 * GB)
    assert (found.gpu_layers, found.kv_type, found.batch, found.context) == (5, "q4_0", 128, 8192)
    assert (
        plan(header(tmp_path), LoadOptions(gpu_layers=99), card, available=16 * GB).gpu_layers == 33
    )
    assert (
        plan(header(tmp_path), LoadOptions(gpu_layers=0), card, available=16 * GB).gpu_layers == 0
    )


def test_keys_and_values_give_way_before_the_context(tmp_path):
    model, asked = header(tmp_path), LoadOptions(context=32768)
    whole = memory_needed(model, 32768, model.file_bytes)
    found = plan(model, asked, devices(), available=whole)
    assert (found.kv_type, found.context) == ("f16", 32768)
    found = plan(model, asked, devices(), available=whole - GB)
    assert (found.kv_type, found.context) == ("q8_0", 32768)
    found = plan(model, asked, devices(), available=whole - 5 * GB // 2)
    assert (found.kv_type, found.context) == ("q8_0", 16384)
    assert "not 32,768, for want of memory" in found.sentence
    with pytest.raises(ModelError, match=r"\d GB") as refused:
        plan(model, asked, devices(), available=6 * GB)
    assert "smaller" in refused.value.remedy


def test_heads_of_an_odd_size_keep_16_bits(tmp_path):
    model = header(tmp_path, key_length=80, value_length=80)
    asked = LoadOptions(kv_type="q8_0")
    assert plan(model, asked, devices(), available=16 * GB).kv_type == "f16"


def test_the_context_never_exceeds_the_models_own(tmp_path):
    small = header(tmp_path, context_length=1024)
    found = plan(small, LoadOptions(), devices(), available=16 * GB)
    assert (found.context, found.batch) == (1024, 512)
    assert "want of memory" not in found.sentence


def test_the_ladder_leads_from_a_full_card_to_one_that_holds(tmp_path):
    """A driver that promises more than it has: each attempt asks for less."""
    really = 2 * GB
    told = devices(("CUDA0", 1, 8 * GB, 8 * GB))
    ladder, tried = Ladder(LoadOptions()), []
    while True:
        found = plan(header(tmp_path), ladder.current.options, told, available=16 * GB)
        ladder.on_card = found.gpu_layers
        tried.append(found.gpu_layers)
        if found.card_memory <= really:
            break
        assert ladder.step_down("out of memory", "memory") is not None
    assert tried == sorted(tried, reverse=True)
    assert len(tried) > 1
    assert tried[-1] > 0


def test_devices_are_read_with_care():
    odd = FakeLibrary([("X", 77, 1, 1), ("CUDA0", 1, 5, 3), ("BLAS", 3, 0, 0), CPU])
    found = read_devices(odd)
    assert [d.name for d in found] == ["CUDA0", "BLAS", "CPU"]
    assert found[0].free == 3
    assert backend_words(found) == "CUDA (A CUDA0), BLAS, processor"
    assert backend_words(devices()) == "processor"


@pytest.mark.parametrize(
    ("system", "there", "flag"),
    [
        ("Darwin", (), "GGML_METAL"),
        ("Linux", ("/dev/nvidia0",), "GGML_CUDA"),
        ("Linux", ("/dev/kfd",), "GGML_HIP"),
        ("Linux", ("/dev/dri/renderD128",), "GGML_VULKAN"),
        ("Linux", (), ""),
    ],
)
def test_a_card_the_build_cannot_use_names_the_build_that_can(system, there, flag):
    def hint(found):
        return better_build(
            found, system=system, exists=lambda p: p in there, has_program=lambda _name: False
        )

    assert flag in hint(devices())
    assert bool(hint(devices())) == bool(flag)
    assert hint(devices(("CUDA0", 1, GB, GB))) == ""
