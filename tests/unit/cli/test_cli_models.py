"""``commonplace models``, from the catalogue to the folder and out of it again."""

from __future__ import annotations

import hashlib
import io
import json

import pytest

from commonplace.cli import commands
from commonplace.engine import catalogue as catalogue_module
from commonplace.engine.library import own_folder
from commonplace.settings import save
from servers import serve
from unit.engine.gguf_builder import build

MODEL = build()


def run_json(capsys, *args):
    assert commands.run(["models", *args, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def hub(state, monkeypatch, tmp_path):
    """A hub with one model, which is the catalogue's."""
    text = catalogue_module.catalogue_file().read_text(encoding="utf-8")
    head, _, rest = text.partition('[[model]]\nid = "qwen2.5-coder-7b"')
    entry = rest.partition("[[model]]")[0]
    right = hashlib.sha256(MODEL).hexdigest()
    entry = entry.replace("1664fccab734674a50763490a8c6931b70e3f2f8ec10031b54806d30e5f956b6", right)
    path = tmp_path / "catalogue.toml"
    path.write_text(f'{head.partition("[[model]]")[0]}[[model]]\nid = "qwen2.5-coder-7b"{entry}')
    monkeypatch.setattr(catalogue_module, "catalogue_file", lambda: path)
    with serve(lambda client: client.reply(200, MODEL, ETag='"x"')) as server:
        save(state.settings_file, {"models.address": server.url})
        yield server


def test_a_download_needs_the_network_to_be_allowed(hub, state, capsys):
    assert commands.run(["models", "download", "qwen2.5-coder-7b"]) == 1
    said = capsys.readouterr().err
    assert "Apache-2.0: commercial use is allowed" in said
    assert f"would contact {hub.url}" in said
    assert "--allow-network" in said
    assert hub.seen == []
    done = run_json(capsys, "download", "qwen2.5-coder-7b", "--allow-network")
    assert done["path"] == str(own_folder(state) / "Qwen2.5-Coder-7B-Instruct-Q4_K_M.gguf")
    assert len(hub.seen) == 1
    target = hub.seen[0].target
    assert target.startswith("/bartowski/Qwen2.5-Coder-7B-Instruct-GGUF/")
    own_folder(state).joinpath("Qwen2.5-Coder-7B-Instruct-Q4_K_M.gguf").unlink()
    save(state.settings_file, {"network.allowed": [f"models {hub.url}"]})
    run_json(capsys, "download", "qwen2.5-coder-7b")
    assert len(hub.seen) == 2
    found = run_json(capsys, "list")["models"]
    assert any(m["path"] == done["path"] and m["problem"] == "" and m["ours"] for m in found)
    shown = run_json(capsys, "show", done["path"])["model"]
    assert shown["architecture"] == "llama"
    assert run_json(capsys, "remove", done["path"], "--yes")["removed"] == [done["path"]]


def test_a_licence_with_conditions_is_asked_about(state, capsys, monkeypatch):
    args = ["models", "download", "codestral-22b", "--allow-network"]
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert commands.run(args) == 1
    said = capsys.readouterr().err
    assert "NOT for commercial use" in said
    assert not own_folder(state).exists()


def test_import_list_and_remove(state, capsys, tmp_path):
    source = tmp_path / "mine.gguf"
    source.write_bytes(MODEL)
    path = run_json(capsys, "import", str(source))["path"]
    assert path == str(own_folder(state) / "mine.gguf")
    (own_folder(state) / "other.gguf.part").write_bytes(b"GGUF")
    assert commands.run(["models", "list"]) == 0
    said = capsys.readouterr().out
    assert "mine" in said
    assert "unfinished: other.gguf" in said
    assert commands.run(["models", "remove", "mine.gguf", "--yes"]) == 0
    assert not (own_folder(state) / "mine.gguf").exists()
    assert source.exists()
    assert commands.run(["models", "remove", str(source), "--yes"]) == 1
    assert source.exists()
    assert commands.run(["models", "import", str(source), "--link"]) == 0
    assert (own_folder(state) / "mine.gguf").is_symlink()


def test_a_model_is_packed_shown_and_installed(state, capsys, tmp_path, monkeypatch):
    source, licence, package = (tmp_path / n for n in ("mine.gguf", "LICENCE", "mine.cpmodel"))
    source.write_bytes(MODEL)
    licence.write_text("You may\x1b[2J do everything.\n")
    args = ["pack", str(source), "--licence", str(licence), "-o", str(package)]
    assert commands.run(["models", *args]) == 1
    assert "licence's name" in capsys.readouterr().err
    made = run_json(capsys, *args, "--licence-name", "Mine 1.0")["package"]
    assert run_json(capsys, "show", str(package))["package"] == made
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert commands.run(["models", "install", str(package)]) == 1
    said = capsys.readouterr().err
    assert "You may\\x1b[2J do everything." in said
    assert "Mine 1.0" in said
    assert not own_folder(state).exists()
    path = run_json(capsys, "install", str(package), "--yes")["path"]
    assert path == str(own_folder(state) / "mine.gguf")
    package.write_bytes(package.read_bytes()[:5000])
    assert commands.run(["models", "install", str(package), "--yes"]) == 1
    said = capsys.readouterr().err
    assert "cut off" in said
    assert "Traceback" not in said


def test_the_catalogue_and_its_entries_are_shown_without_a_network(capsys):
    models = run_json(capsys, "catalogue")["models"]
    assert {"no", "yes", "conditions"} == {m["commercial"] for m in models}
    assert commands.run(["models", "catalogue"]) == 0
    assert "NOT for commercial use" in capsys.readouterr().out
    assert commands.run(["models", "show", "codestral-22b"]) == 0
    assert "Non-Production" in capsys.readouterr().out
    assert commands.run(["models", "show", "no-such-model"]) == 1
    assert commands.run(["models", "download", "no-such-model"]) == 1
    assert commands.run(["models", "download", "smollm2-135m"]) == 1
    assert "make models" in capsys.readouterr().err


def test_every_command_has_help():
    for command in commands.commands.commands["models"].commands.values():
        assert command.help
