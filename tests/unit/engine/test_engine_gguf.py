from __future__ import annotations

import os
import random
import struct
import time
from pathlib import Path

import pytest

from commonplace.engine.fit import kv_bytes, memory_needed
from commonplace.engine.gguf import read_header, size_in_words
from commonplace.engine.gguf_format import read_contents
from commonplace.errors import ModelError
from unit.engine.gguf_builder import ARRAY, STRING, U8, U32, build, string


@pytest.fixture
def write(tmp_path: Path):
    def write(data: bytes, name: str = "tiny.gguf") -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def test_reads_what_a_sound_file_says(write):
    data = build()
    header = read_header(write(data))
    assert (header.architecture, header.name, header.size_label) == ("llama", "Tiny", "1K")
    assert (header.context_length, header.block_count, header.embedding_length) == (8192, 2, 64)
    assert (header.head_count, header.head_count_kv, header.key_length) == (4, 2, 16)
    assert (header.quantisation, header.tokenizer, header.vocabulary) == ("F32", "gpt2", 4)
    assert (header.bos, header.eos) == (0, 1)
    assert header.chat_template is not None
    assert "im_start" in header.chat_template
    assert header.parameters == 2 * 64 * 4
    assert header.file_bytes == len(data)


def test_version_2_is_read_as_well(write):
    assert read_header(write(build(version=2))).architecture == "llama"


def test_kv_heads_may_differ_by_layer(write):
    changes = {
        "llama.attention.head_count_kv": (ARRAY, (U32, [2, 0])),
        "llama.attention.key_length": (U32, 8),
    }
    header = read_header(write(build(changes)))
    assert header.kv_heads == (2, 0)
    assert kv_bytes(header, 100) == 2 * (8 + 16) * 100 * 2


@pytest.mark.parametrize("version", [0, 1, 99, 0x03000000])
def test_other_versions_are_refused(write, version):
    with pytest.raises(ModelError, match=r"version|endian"):
        read_header(write(build(version=version)))


def test_what_is_no_gguf_file_is_refused_with_a_remedy(write, tmp_path):
    pipe = tmp_path / "pipe.gguf"
    os.mkfifo(pipe)
    for path in (
        write(b"", "empty.gguf"),
        write(b"GG", "short.gguf"),
        write(b"PK\x03\x04" + bytes(200), "zip.gguf"),
        tmp_path,
        tmp_path / "missing.gguf",
        pipe,
    ):
        with pytest.raises(ModelError) as caught:
            read_header(path)
        assert caught.value.remedy, path


def test_every_truncation_is_told(write):
    data = build()
    ends = {*range(400), *range(400, len(data), 97), len(data) - 33}
    for end in sorted(ends):
        with pytest.raises(ModelError):
            read_header(write(data[:end]))


def test_truncated_weights_are_told_in_numbers(write):
    data = build()
    with pytest.raises(ModelError, match=r"truncated: 1,000 of [\d,]+ bytes|ends inside"):
        read_header(write(data[:1000]))
    start = len(data) - 40
    with pytest.raises(ModelError, match=r"truncated: [\d,]+ of [\d,]+ bytes"):
        read_header(write(data[:start]))


@pytest.mark.parametrize("seed", range(8))
def test_flipped_bytes_end_in_an_answer_or_a_model_error(write, seed):
    rng = random.Random(seed)
    sound = build()
    started = time.monotonic()
    for _ in range(150):
        data = bytearray(sound)
        for _ in range(rng.choice((1, 1, 2, 8, 64))):
            data[rng.randrange(1000)] = rng.choice((0, 0xFF, 0x80, 0x7F, rng.randrange(256)))
        try:
            read_header(write(bytes(data)))
        except ModelError:
            continue
    assert time.monotonic() - started < 30  # a bound against hangs, not a benchmark


HUGE = 0xFFFFFFFFFFFFFFFF


@pytest.mark.parametrize(
    "data",
    [
        build(counts=(HUGE, 1)),
        build(counts=(1, HUGE)),
        build(counts=(1 << 40, 1 << 40)),
        b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, HUGE),
        b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1 << 31),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + string("k") + struct.pack("<IQ", STRING, HUGE),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + string("k") + struct.pack("<IIQ", 9, U8, HUGE),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + string("k") + struct.pack("<IIQ", 9, 8, 1 << 23),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + string("k") + struct.pack("<IIQ", 9, ARRAY, 1),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + string("k") + struct.pack("<I", 77),
        b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + string("t") + struct.pack("<I", 1 << 31),
        b"GGUF"
        + struct.pack("<IQQ", 3, 1, 0)
        + string("t")
        + struct.pack("<IQQQQIQ", 4, HUGE, HUGE, HUGE, HUGE, 0, 0),
        b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + string("t") + struct.pack("<IQIQ", 1, 32, 4, 0),
        b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + string("t") + struct.pack("<IQIQ", 1, 31, 2, 0),
        build({"general.alignment": (U32, 0)}),
        build({"general.alignment": (U32, 3)}),
        build({"general.alignment": (STRING, "x")}),
    ],
)  # fmt: skip
def test_hostile_claims_are_refused_at_once(write, data):
    with pytest.raises(ModelError) as caught:
        read_contents(write(data))
    assert caught.value.remedy


def test_kept_text_is_limited_in_total(write):
    big = (STRING, "x" * (7 << 20))
    data = build({f"k{n}": big for n in range(6)})
    with pytest.raises(ModelError, match="damaged"):
        read_header(write(data))


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"general.architecture": (STRING, "bert")}, "embedding"),
        ({"general.architecture": (STRING, "nomic-bert")}, "embedding"),
        ({"general.architecture": (STRING, "clip")}, "image part"),
        ({"general.type": (STRING, "mmproj")}, "image part"),
        ({"general.type": (STRING, "adapter")}, "adapter"),
        ({"general.architecture": None}, "architecture"),
        ({"llama.context_length": None}, "context_length"),
        ({"llama.embedding_length": (STRING, "64")}, "embedding_length"),
        ({"llama.block_count": (U32, 1 << 30)}, "layers"),
    ],
)
def test_files_that_cannot_answer_are_refused(write, changes, what):
    with pytest.raises(ModelError, match=what) as caught:
        read_header(write(build(changes)))
    assert caught.value.remedy


def test_a_split_file_needs_all_its_parts(write):
    split = build({"split.count": (U32, 2)})
    first = write(split, "m-00001-of-00002.gguf")
    with pytest.raises(ModelError, match=r"m-00002-of-00002\.gguf is missing"):
        read_header(first)
    second = write(split, "m-00002-of-00002.gguf")
    with pytest.raises(ModelError, match="not the first part"):
        read_header(second)
    header = read_header(first)
    assert header.file_bytes == 2 * len(split)
    assert header.parameters == 2 * 512
    second.write_bytes(split[:-64])
    with pytest.raises(ModelError, match=r"m-00002-of-00002\.gguf is truncated"):
        read_header(first)
    with pytest.raises(ModelError, match="does not say which"):
        read_header(write(split, "renamed.gguf"))


def test_memory_is_the_file_the_keys_and_values_and_more(write):
    header = read_header(write(build()))
    needed = memory_needed(header, 4096, header.file_bytes)
    assert needed > header.file_bytes + kv_bytes(header, 4096)


def test_sizes_are_written_for_people():
    assert [size_in_words(n) for n in (0, 98_362_432, 4_700_000_000)] == ["0 MB", "99 MB", "4.7 GB"]
