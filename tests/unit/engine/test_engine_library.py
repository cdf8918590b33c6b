from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from commonplace.engine import entries as entries_module
from commonplace.engine import library
from commonplace.engine.devices import Device
from commonplace.engine.entries import LibraryEntry
from commonplace.engine.importing import discard_part, import_model, remove_model, unfinished
from commonplace.engine.library import choose_model, find_models, list_models
from commonplace.errors import CancelledError, ModelError, StorageError
from commonplace.paths import StatePaths
from commonplace.settings import Settings
from unit.engine.gguf_builder import STRING, U32, build

FIM = "tokenizer.ggml.fim_pre_token_id"


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


def model_file(folder, name, changes=None, **options):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(build(changes, **options))
    return path


def entries(settings, paths):
    return {Path(entry.path).name: entry for entry in list_models(settings, paths)}


@pytest.fixture
def paths(tmp_path):
    return Paths(tmp_path / "config", tmp_path / "data", tmp_path / "cache")


class Paths(StatePaths):
    def model_folders(self):
        return (self.data / "models",)


def test_the_first_sound_model_is_chosen(tmp_path):
    put(tmp_path / "a", "large-instruct.gguf", 100_000)
    sound = model_file(tmp_path / "a", "small-instruct.gguf")
    assert choose_model("", [tmp_path / "a"]) == sound


def test_a_list_says_what_each_file_is_and_why_it_cannot_be_chosen(paths, tmp_path):
    own = paths.data / "models"
    mine = tmp_path / "stick" / "deep" / "deeper"
    model_file(own, "good.gguf", {"general.license": (STRING, "mit"), FIM: (U32, 3)})
    model_file(own, "base.gguf", {"tokenizer.chat_template": None})
    model_file(own, "embedding.gguf", {"general.architecture": (STRING, "bert")})
    model_file(own, "mmproj-x.gguf", {"general.type": (STRING, "mmproj")})
    model_file(own, "lora.gguf", {"general.type": (STRING, "adapter")})
    (own / "half.gguf").write_bytes(build()[:-64])
    (own / "text.gguf").write_text("hello")
    (own / "empty.gguf").touch()
    (own / "loading.gguf.part").write_bytes(build()[:100])
    model_file(own, "s-00002-of-00002.gguf", {"split.count": (U32, 2)})
    model_file(mine, "t-00001-of-00002.gguf", {"split.count": (U32, 2)})
    model_file(mine, "t-00002-of-00002.gguf", {"split.count": (U32, 2)})
    model_file(mine / "too" / "deep", "unseen.gguf")
    found = entries(Settings(models_folders=(str(tmp_path / "stick"),)), paths)
    assert {n for n, e in found.items() if not e.problem} == {
        "good.gguf",
        "base.gguf",
        "t-00001-of-00002.gguf",
    }
    assert "unseen.gguf" not in found
    assert not [name for name in found if "part" in name]
    good = found["good.gguf"]
    assert (good.architecture, good.licence, good.context) == ("llama", "mit", 8192)
    assert (good.chat, good.fim, good.ours, good.fit) == (True, True, True, "fits")
    assert good.memory > good.size > 0
    assert "processor" in good.fit_sentence
    assert not found["base.gguf"].chat
    assert found["t-00001-of-00002.gguf"].parts == 2
    assert not found["t-00001-of-00002.gguf"].ours
    for name, says in {
        "embedding.gguf": "embedding model",
        "mmproj-x.gguf": "image part",
        "lora.gguf": "adapter",
        "half.gguf": "truncated",
        "text.gguf": "not a GGUF",
        "empty.gguf": "empty",
        "s-00002-of-00002.gguf": "not the first part",
    }.items():
        assert says in found[name].problem, found[name]
        assert found[name].remedy
    assert LibraryEntry.from_wire(good.to_wire()) == good


def test_memory_is_compared_with_the_machine(paths, monkeypatch):
    model_file(paths.data / "models", "m.gguf")
    seen = []
    for total, available in [(8 << 30, 4 << 30), (8 << 30, 1 << 20), (1 << 20, 1 << 20)]:
        monkeypatch.setattr(
            entries_module.psutil,
            "virtual_memory",
            lambda t=total, a=available: SimpleNamespace(total=t, available=a),
        )
        [entry] = list_models(Settings(), paths)
        seen.append(entry.fit)
    assert seen == ["fits", "tight", "large"]
    card = Device("CUDA0", "a card", "gpu", 8 << 30, 8 << 30)
    [entry] = list_models(Settings(), paths, [card])
    assert entry.fit in {"fits", "tight"}
    assert entries_module.fit_of(6 << 30, entries_module.card_bytes([card])) == "fits"


def test_other_apps_only_if_asked_for_and_only_read(paths, tmp_path, monkeypatch):
    user = tmp_path / "user"
    monkeypatch.setattr(Path, "home", lambda: user)
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "HF_HOME", "OLLAMA_MODELS", "LLAMA_CACHE"):
        monkeypatch.delenv(name, raising=False)
    model_file(user / ".lmstudio/models/pub/repo", "lm.gguf")
    model_file(user / ".local/share/nomic.ai/GPT4All", "four.gguf")
    model_file(user / ".cache/llama.cpp", "cpp.gguf")
    blob = model_file(user / ".cache/huggingface/hub/models--o--n/blobs", "abc")
    snapshot = user / ".cache/huggingface/hub/models--o--n/snapshots/1"
    snapshot.mkdir(parents=True)
    (snapshot / "hub.gguf").symlink_to(blob)
    ollama = user / ".ollama/models"
    model_file(ollama / "blobs", "sha256-0a")
    manifests = ollama / "manifests" / "host" / "library" / "coder"
    manifests.mkdir(parents=True)
    layer = {"mediaType": "application/vnd.app.image.model", "digest": "sha256:0a"}
    (manifests / "7b").write_text(json.dumps({"layers": [layer, {"mediaType": "x"}]}))
    for name, bad in {
        "a": "{",
        "b": "[]",
        "c": json.dumps({"layers": [{**layer, "digest": "../../../etc"}]}),
        "d": json.dumps({"layers": [{**layer, "digest": "sha256:missing"}]}),
    }.items():
        (manifests / name).write_text(bad)
    before = {p: p.stat().st_mtime_ns for p in user.rglob("*")}
    assert list_models(Settings(), paths) == []
    found = list_models(Settings(models_other_apps=True), paths)
    assert {(e.owner, e.title) for e in found} == {
        ("LM Studio", "lm"),
        ("GPT4All", "four"),
        ("llama.cpp", "cpp"),
        ("hub cache", "hub"),
        ("Ollama", "coder:7b"),
    }
    assert not any(e.ours or e.problem for e in found)
    assert {p: p.stat().st_mtime_ns for p in user.rglob("*")} == before
    for entry in found:
        with pytest.raises(ModelError, match="does not delete"):
            remove_model(Path(entry.path), paths.data / "models")
    ollama_blob = next(e for e in found if e.owner == "Ollama")
    target = import_model(Path(ollama_blob.path), paths.data / "models", title=ollama_blob.title)
    assert target.name == "coder-7b.gguf"


def test_import_copies_whole_or_not_at_all(paths, tmp_path, monkeypatch):
    own = paths.data / "models"
    source = model_file(tmp_path / "stick", "größe ü.gguf")
    seen = []
    target = import_model(source, own, on_progress=seen.append)
    assert target == own / "größe ü.gguf"
    assert target.read_bytes() == source.read_bytes()
    assert seen[-1].done == seen[-1].total == source.stat().st_size
    with pytest.raises(ModelError, match="already"):
        import_model(source, own)
    assert import_model(target, own) == target
    bad = tmp_path / "stick" / "bad.gguf"
    bad.write_bytes(build()[:-50])
    with pytest.raises(ModelError, match="truncated"):
        import_model(bad, own)
    other = model_file(tmp_path / "stick", "other.gguf")
    with pytest.raises(CancelledError):
        import_model(other, own, stop=lambda: True)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left")))
    with pytest.raises(StorageError, match="No space"):
        import_model(other, own)
    assert [path.name for path in own.iterdir()] == ["größe ü.gguf"]


def test_a_disk_too_small_for_a_copy_is_told(paths, tmp_path, monkeypatch):
    source = model_file(tmp_path / "stick", "m.gguf")
    usage = type(shutil.disk_usage(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1 << 40, 1 << 40, 1 << 20))
    with pytest.raises(StorageError, match="free"):
        import_model(source, paths.data / "models")


def test_links_refer_and_deleting_them_leaves_the_file(paths, tmp_path):
    own = paths.data / "models"
    parts = [
        model_file(tmp_path / "stick", f"m-0000{n}-of-00002.gguf", {"split.count": (U32, 2)})
        for n in (1, 2)
    ]
    target = import_model(parts[0], own, "link")
    assert target.is_symlink()
    [entry] = list_models(Settings(), paths)
    assert (entry.parts, entry.ours, entry.problem) == (2, True, "")
    assert len(remove_model(target, own)) == 2
    assert all(part.exists() for part in parts)
    assert list(own.iterdir()) == []
    with pytest.raises(ModelError, match="not there"):
        remove_model(target, own)


def test_unfinished_downloads_are_known_and_can_be_thrown_away(paths):
    own = paths.data / "models"
    assert unfinished(own) == {}
    own.mkdir(parents=True)
    (own / "a.gguf.part").write_bytes(bytes(10))
    (own / "a.gguf.part.json").write_text("{}")
    assert unfinished(own) == {"a.gguf": 10}
    discard_part("../a.gguf", own)  # only ever in this folder
    assert list(own.iterdir()) == []


def test_a_changed_file_is_read_anew_and_an_unchanged_one_is_not(paths, monkeypatch):
    path = model_file(paths.data / "models", "m.gguf")
    read = []
    real = entries_module.read_header
    monkeypatch.setattr(entries_module, "read_header", lambda p: read.append(p) or real(p))
    for _ in range(3):
        assert list_models(Settings(), paths)[0].problem == ""
    assert len(read) == 1
    path.write_bytes(build()[:-50])
    assert "truncated" in list_models(Settings(), paths)[0].problem


def test_folders_are_followed_so_far_and_no_further(tmp_path, monkeypatch):
    model_file(tmp_path / "disk", "far.gguf")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "link").symlink_to(tmp_path / "disk")
    (tmp_path / "mine" / "loop").symlink_to(tmp_path / "mine")
    assert [m.name for m in find_models([tmp_path / "mine"])] == ["far"]
    assert len(library.places(Settings(models_folders=(str(tmp_path / "mine"),)), NoPaths())) == 1
    monkeypatch.setattr(library, "MOST_FOLDERS", 2)
    assert find_models([tmp_path / "mine"]) == []


class NoPaths(StatePaths):
    def __init__(self):
        super().__init__(Path("/none"), Path("/none"), Path("/none"))

    def model_folders(self):
        return ()
