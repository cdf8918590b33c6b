from __future__ import annotations

import pytest

from commonplace.engine.library import choose_model, find_models
from commonplace.errors import ModelError


def put(folder, name, size):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(bytes(size))
    return path


def test_instruction_tuned_and_larger_models_come_first(tmp_path):
    put(tmp_path / "a", "base-7b.gguf", 900)
    put(tmp_path / "a", "small-Instruct.Q4.gguf", 10)
    put(tmp_path / "b", "large-it-Q4.gguf", 500)
    for name in ("mmproj-x.gguf", "x.gguf.part", ".hidden.gguf", "notes.txt"):
        put(tmp_path / "b", name, 5)
    put(tmp_path / "b", "m-00001-of-00002.gguf", 7)
    put(tmp_path / "b", "m-00002-of-00002.gguf", 7)
    put(tmp_path / "b", "empty.gguf", 0)
    (tmp_path / "b" / "folder.gguf").mkdir()
    (tmp_path / "b" / "again-instruct.gguf").symlink_to(tmp_path / "a" / "small-Instruct.Q4.gguf")
    found = find_models([tmp_path / "a", tmp_path / "b", tmp_path / "missing"])
    assert [m.name for m in found] == [
        "large-it-Q4",
        "small-Instruct.Q4",
        "base-7b",
        "m-00001-of-00002",
    ]
    assert found[0].bytes == 500


def test_the_model_of_the_settings_wins_and_must_exist(tmp_path):
    model = put(tmp_path / "a", "x.gguf", 1)
    put(tmp_path / "a", "y-instruct.gguf", 1)
    folders = [tmp_path / "a"]
    assert choose_model(str(model), folders) == model
    assert choose_model("x.gguf", folders) == model
    assert choose_model("", folders) == tmp_path / "a" / "y-instruct.gguf"
    assert choose_model("", [tmp_path / "missing"]) is None
    with pytest.raises(ModelError, match=r"gone\.gguf") as caught:
        choose_model("gone.gguf", folders)
    assert str(tmp_path / "a") in caught.value.remedy
