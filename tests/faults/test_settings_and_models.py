"""A broken settings file, a broken model: one line that says so and how to mend it."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from commonplace.errors import UserError
from commonplace.memory.project import Memory
from commonplace.settings import load, save
from faults.programs import assert_told, run, write_settings
from faults.trees import put, source
from faults.truth import assert_index_is_disk

BROKEN = {
    "no toml": "this is not = = toml",
    "half a line": '[recall]\nembedder = "no',
    "a key twice": '[recall]\nembedder = "none"\nembedder = "hash"\n',
    "a table twice": '[recall]\nembedder = "none"\n[recall]\nx = 1\n',
    "a number for a text": "[recall]\nembedder = 3\n",
    "a text for a number": '[answer]\npassages = "six"\n',
    "a truth for a number": "[answer]\npassages = true\n",
    "out of range": "[answer]\npassages = 0\n",
    "not a number": "[answer]\ntemperature = nan\n",
    "beyond numbers": "[answer]\ntemperature = inf\n",
    "unknown choice": '[appearance]\ntheme = "pink"\n',
}


@pytest.fixture
def project(root: Path) -> Path:
    put(root, "file.py", source("zqmodel", ".py"))
    return root


@pytest.mark.parametrize("name", BROKEN)
def test_broken_settings_are_told_in_one_line_and_not_touched(name, project, state):
    path = state.settings_file
    path.parent.mkdir(parents=True)
    path.write_text(BROKEN[name])
    for use in (lambda: load(path), lambda: save(path, {"answer.max_tokens": 100})):
        with pytest.raises(UserError) as caught:
            use()
        assert caught.value.remedy
    assert path.read_text() == BROKEN[name]


def test_the_command_line_tells_of_broken_settings(project, state):
    path = state.settings_file
    path.parent.mkdir(parents=True)
    for data in (BROKEN["a key twice"].encode(), b"\xff\xfe\0", BROKEN["out of range"].encode()):
        path.write_bytes(data)
        assert_told(run("index", project))
    path.unlink()
    path.mkdir()
    assert_told(run("index", project), "Cannot read")


def test_unknown_keys_and_comments_survive_a_save(state):
    path = state.settings_file
    path.parent.mkdir(parents=True)
    text = "# mine\n[future]\nflag = true\n[answer]\nunknown = [1, 2]\nmax_tokens = 50 # few\n"
    path.write_text(text)
    save(path, {"answer.max_tokens": 100})
    assert path.read_text() == text.replace("= 50", "= 100")


def test_a_value_where_a_table_belongs_is_told(state):
    path = state.settings_file
    path.parent.mkdir(parents=True)
    path.write_text("answer = 3\n")
    with pytest.raises(UserError):
        save(path, {"answer.max_tokens": 100})
    assert path.read_text() == "answer = 3\n"


def gguf(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_models_that_cannot_be_used_are_told_in_one_line(project, state, tmp_path):
    write_settings(state)
    cases = [
        tmp_path / "missing.gguf",
        tmp_path,
        gguf(tmp_path / "empty.gguf", b""),
        gguf(tmp_path / "text.gguf", b"just a text\n" * 100),
        gguf(tmp_path / "head.gguf", b"GGUF\x03\0\0\0"),
        gguf(tmp_path / "counts.gguf", b"GGUF\x03\0\0\0" + b"\xff" * 16),
        gguf(tmp_path / "noise.gguf", b"GGUF\x03\0\0\0" + bytes(range(256)) * 64),
    ]
    for path in cases:
        assert_told(run("ask", project, "add_zqmodel_1", "--model", path))


@pytest.mark.models
def test_a_model_cut_short_or_too_large_is_told_in_one_line(project, state, tmp_path, starter_gguf):
    write_settings(state)
    cut = tmp_path / "cut.gguf"
    with starter_gguf.open("rb") as source_file, cut.open("wb") as target:
        target.write(source_file.read(20 << 20))
    assert_told(run("ask", project, "add_zqmodel_1", "--model", cut))
    large = tmp_path / "large.gguf"
    shutil.copy(starter_gguf, large)
    os.truncate(large, 4 << 40)  # sparse: four tebibytes that are not there
    assert_told(run("ask", project, "add_zqmodel_1", "--model", large))


EMBEDDERS = {
    "missing": {},
    "no config": {"model.safetensors": b"x"},
    "config is a list": {"model.safetensors": b"x", "config.json": b"[]"},
    "config is no json": {"model.safetensors": b"x", "config.json": b"{"},
    "config is no text": {"model.safetensors": b"x", "config.json": b"\xff\xfe\0"},
    "dimensions are a text": {"model.safetensors": b"x", "config.json": b'{"hidden_size": "9"}'},
    "no dimensions": {"model.safetensors": b"x", "config.json": b'{"hidden_size": 0}'},
}


@pytest.mark.parametrize("name", EMBEDDERS)
def test_an_embedder_that_cannot_be_used_leaves_words(name, project, state, tmp_path):
    folder = tmp_path / "embedder"
    folder.mkdir()
    for file, data in EMBEDDERS[name].items():
        (folder / file).write_bytes(data)
    with closing(Memory(project, state, embedder=str(folder))) as memory:
        memory.refresh()
        memory.embed()
        assert memory.status.note
        assert memory.search("add_zqmodel_1", 3).passages
        assert_index_is_disk(project, state)


@pytest.mark.parametrize("name", ["~nobody-of-this-name/model", "nul\0byte", "x" * 5000])
def test_an_embedder_with_an_impossible_name_leaves_words(name, project, state):
    with closing(Memory(project, state, embedder=name)) as memory:
        memory.refresh()
        assert memory.status.note
        assert memory.search("add_zqmodel_1", 3).passages


@pytest.mark.models
def test_an_embedder_cut_short_leaves_words(project, state, tmp_path, starter_embedder):
    folder = tmp_path / "embedder"
    shutil.copytree(starter_embedder, folder)
    weights = folder / "model.safetensors"
    weights.chmod(0o644)
    os.truncate(weights, weights.stat().st_size // 2)
    with closing(Memory(project, state, embedder=str(folder))) as memory:
        memory.refresh()
        memory.embed()
        assert "cannot be loaded" in memory.status.note
        assert memory.search("add_zqmodel_1", 3).passages
