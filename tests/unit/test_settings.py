from dataclasses import replace

import pytest

from commonplace.errors import StorageError, UserError
from commonplace.settings import Settings, declared, load, save
from commonplace.storage import files
from commonplace.storage.files import write_atomically


def test_a_missing_file_means_the_defaults(tmp_path):
    assert load(tmp_path / "none.toml") == Settings()


def test_every_setting_has_a_key_an_explanation_and_a_valid_default():
    for declaration in declared():
        assert "." in declaration.key
        assert declaration.help.endswith(".")
        assert declaration.checked(declaration.default) == declaration.default
    assert len({d.key for d in declared()}) == len(declared())


def test_saving_keeps_comments_and_unknown_keys(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text('# mine\n[model]\npath = "a.gguf"\nfuture = 3\n\n[other]\nx = 1\n')
    saved = save(path, {"model.path": "b.gguf", "answer.max_tokens": 64})
    assert saved == replace(Settings(), model_path="b.gguf", answer_max_tokens=64)
    text = path.read_text()
    assert "# mine" in text
    assert "future = 3" in text
    assert "[other]" in text


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("[model]\ncontext = 'big'\n", "model.context"),
        ("[model]\ncontext = 5\n", "between 512"),
        ("[appearance]\ntheme = 'pink'\n", "system, light, dark"),
        ("[answer]\ntemperature = true\n", "answer.temperature"),
        ("[model\n", "line 1"),
    ],
)
def test_a_wrong_value_is_named(tmp_path, text, names):
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=names):
        load(path)


def test_a_wrong_value_is_not_saved(tmp_path):
    path = tmp_path / "settings.toml"
    with pytest.raises(UserError):
        save(path, {"model.context": 1})
    with pytest.raises(UserError, match="no setting"):
        save(path, {"model.nonsense": 1})
    assert not path.exists()


def test_a_whole_number_serves_where_a_fraction_is_meant(tmp_path):
    assert save(tmp_path / "s.toml", {"answer.temperature": 1}).answer_temperature == 1.0


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "settings.toml"
    save(path, {"answer.max_tokens": 64})

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(StorageError, match="No space"):
        write_atomically(path, b"new")
    assert load(path).answer_max_tokens == 64
    assert [p.name for p in tmp_path.iterdir()] == ["settings.toml"]


def test_lists_and_truths_are_kept_as_the_file_has_them(tmp_path):
    path = tmp_path / "settings.toml"
    assert load(path).models_folders == ()
    changed = save(path, {"models.folders": ("/a", "/b c"), "models.other_apps": True})
    assert changed.models_folders == ("/a", "/b c")
    assert load(path) == changed
    assert 'folders = ["/a", "/b c"]' in path.read_text()
    for text in ('folders = "/a"', "folders = [1]", "folders = {}"):
        path.write_text(f"[models]\n{text}\n")
        with pytest.raises(UserError, match=r"models\.folders"):
            load(path)
    path.write_text("[models]\nother_apps = 1\n")
    with pytest.raises(UserError, match="other_apps"):
        load(path)
