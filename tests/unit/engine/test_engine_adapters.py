"""What is asked of an adapter's file before llama.cpp sees it."""

from __future__ import annotations

import ctypes
import os
import random
import struct

import pytest

from commonplace.engine.adapters import (
    BASE_KEY,
    MAX_RANK,
    check_bytes,
    checked_scale,
    verified_bytes,
)
from commonplace.engine.gguf_format import Tensor, contents_of
from commonplace.errors import ModelError
from unit.engine.adapter_builder import adapter, kept, lora_shapes
from unit.engine.gguf_builder import ARRAY, F32, STRING, U32

Q = "blk.0.attn_q.weight"
MODEL = {
    Q: Tensor(3, (32, 48)),
    "blk.0.attn_norm.weight": Tensor(0, (32,)),
    "blk.0.ffn_gate_exps.weight": Tensor(0, (32, 8, 4)),
    "token_embd.weight": Tensor(8, (32, 100)),
}
SHAPES = lora_shapes({Q: (32, 48)})
A, B = f"{Q}.lora_a", f"{Q}.lora_b"


@pytest.fixture
def check(tmp_path):
    def check(data, **changes):
        path, sha256 = kept(tmp_path / "mine.gguf", data)
        asked = {"architecture": "llama", "model": "abc", "tensors": MODEL, **changes}
        whole = verified_bytes(path, asked.pop("sha256", sha256))
        check_bytes(whole, path.name, **asked)
        return whole

    return check


def test_what_was_checked_of_a_sound_one_is_what_is_given(check):
    data = adapter(SHAPES)
    assert check(data) == data
    check(adapter(SHAPES, {BASE_KEY: (STRING, "abc")}))
    check(adapter(SHAPES, kind=1))
    check(adapter(SHAPES, kind=30))


@pytest.mark.parametrize(
    ("kind", "code", "last", "bad"),
    [
        (0, "<I", 0x7F7F_FFFF, [0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0x7F80_0001]),
        (1, "<H", 0x7BFF, [0x7C00, 0xFC00, 0x7E00, 0x7C01]),
        (30, "<H", 0x7F7F, [0x7F80, 0xFF80, 0x7FC0, 0x7F81]),
    ],
)
def test_a_weight_that_is_no_number_is_found_in_every_tensor(check, kind, code, last, bad):
    data = adapter(SHAPES, kind=kind)
    contents = contents_of(data, "mine.gguf")
    places = [
        contents.data_start + tensor.offset + at
        for tensor in contents.named.values()
        for at in (0, tensor.bytes - struct.calcsize(code))
    ]
    for place in places:
        changed = bytearray(data)
        struct.pack_into(code, changed, place, last)
        check(bytes(changed))
        for bits in bad:
            struct.pack_into(code, changed, place, bits)
            with pytest.raises(ModelError, match="not numbers") as caught:
                check(bytes(changed))
            assert caught.value.remedy


def test_another_checksum_is_refused(check):
    with pytest.raises(ModelError, match="checksum differs"):
        check(adapter(SHAPES), sha256="0" * 64)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"general.type": (STRING, "model")}, "not a LoRA"),
        ({"general.type": None}, "not a LoRA"),
        ({"adapter.type": (STRING, "control_vector")}, "not a LoRA"),
        ({"general.architecture": (STRING, "qwen2")}, "of the kind qwen2"),
        ({BASE_KEY: (STRING, "another")}, "another model"),
        ({"adapter.lora.alpha": None}, "alpha"),
        ({"adapter.lora.alpha": (F32, float("nan"))}, "alpha"),
        ({"adapter.lora.alpha": (F32, -1.0)}, "alpha"),
        ({"adapter.lora.alpha": (STRING, "8")}, "alpha"),
        ({"adapter.alora.invocation_tokens": (ARRAY, (U32, [1, 2]))}, "switched on"),
    ],
)
def test_what_it_says_of_itself_must_fit(check, changes, told):
    with pytest.raises(ModelError, match=told) as caught:
        check(adapter(SHAPES, changes))
    assert caught.value.remedy


@pytest.mark.parametrize(
    "shapes",
    [
        {},
        {A: (32, 4)},
        {A: (32, 4), B: (5, 48)},
        {A: (33, 4), B: (4, 48)},
        {A: (32, 4), B: (4, 49)},
        {A: (32,), B: (4, 48)},
        {A: (32, 4, 1), B: (4, 48)},
        {A: (), B: (4, 48)},
        {A: (32, 0), B: (0, 48)},
        {A: (32, MAX_RANK + 1), B: (MAX_RANK + 1, 48)},
        {**SHAPES, "blk.0.attn_q.weight": (32, 48)},
        {**SHAPES, "blk.0.attn_q.weight.lora_c": (32, 4)},
        lora_shapes({"blk.9.attn_q.weight": (32, 48)}),
        lora_shapes({"token_embd.weight": (32, 100)}),
        lora_shapes({"blk.0.attn_norm.weight": (32, 1)}),
        lora_shapes({"blk.0.ffn_gate_exps.weight": (32, 8)}),
        {"lora_a": (32, 4), "lora_b": (4, 48)},
    ],
)
def test_every_tensor_must_fit_the_model(check, shapes):
    with pytest.raises(ModelError, match=r"mine\.gguf"):
        check(adapter(shapes))


def test_a_form_of_weights_that_is_not_trained_is_refused(check):
    data = adapter({**SHAPES})
    forms = [24, 26, 28, 8]
    for form in forms:
        changed = data.replace(
            (4).to_bytes(8, "little") + (48).to_bytes(8, "little") + bytes(4),
            (4).to_bytes(8, "little") + (48).to_bytes(8, "little") + form.to_bytes(4, "little"),
        )
        assert changed != data
        with pytest.raises(ModelError):
            check(changed)


def test_a_file_cut_short_or_damaged_anywhere_is_told_and_nothing_else(check):
    data = adapter(SHAPES)
    for length in (0, 3, 40, 200, len(data) - 1):
        with pytest.raises(ModelError):
            check(data[:length])
    draw = random.Random(3)
    header = data.index(B.encode()) + 60
    for _ in range(300):
        mutant = bytearray(data)
        mutant[draw.randrange(header)] = draw.randrange(256)
        try:
            check(bytes(mutant))
        except ModelError as error:
            assert error.remedy  # noqa: PT017 - many bytes may change without harm


def test_what_is_no_file_is_told(tmp_path):
    def check(path):
        verified_bytes(path, "0" * 64)

    with pytest.raises(ModelError, match="no adapter"):
        check(tmp_path / "missing.gguf")
    with pytest.raises(ModelError, match="not a file"):
        check(tmp_path)
    pipe = tmp_path / "pipe.gguf"
    os.mkfifo(pipe)
    with pytest.raises(ModelError, match="not a file"):
        check(pipe)


@pytest.mark.parametrize("scale", [0.0, -1.0, 2.5, float("nan"), float("inf")])
def test_a_scale_without_sense_is_refused(scale):
    with pytest.raises(ModelError, match="scale"):
        checked_scale(scale)


def test_as_few_adapters_are_held_as_are_worth_it_and_all_are_freed(monkeypatch):
    pytest.importorskip("llama_cpp")
    from commonplace.engine import lora

    loaded: list[int] = []
    used: list[int] = []

    def load(_model, name, _data):
        loaded.append(int(name))
        return int(name)

    def choose(_context, pointers, count, _scales):
        used[:] = [ctypes.cast(pointers[n], ctypes.c_void_p).value for n in range(count)]
        return 0

    def free(number):
        assert number not in used
        loaded.remove(number)

    monkeypatch.setattr(lora, "_from_memory", load)
    monkeypatch.setattr(lora, "_from_copy", load)
    monkeypatch.setattr(lora.C, "llama_set_adapters_lora", choose)
    monkeypatch.setattr(lora.C, "llama_adapter_lora_free", free)
    adapters = lora.Adapters(None, None)

    def put(number, size=1):
        if str(number) not in adapters:
            adapters.load(str(number), str(number), bytes(size))
        adapters.use(str(number), 1.0)
        assert used == [number]

    for number in (1, 2, 3, 4, 1, 5):
        put(number)
    assert sorted(loaded) == [1, 3, 4, 5]
    monkeypatch.setattr(lora, "HELD_BYTES", 10)
    put(6, 100)  # however large, it is in use
    assert sorted(loaded) == [1, 4, 5, 6]
    put(1)  # and now it is not
    assert loaded == [1]
    put(2)
    assert loaded == [1, 2]
    adapters.close()
    assert (loaded, used) == ([], [])
