"""What the packages add around the program: add-ons, project files, the man page."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from commonplace import paths

ROOT = Path(__file__).resolve().parents[2]
HOOK = ROOT / "packaging/hooks/rthook-commonplace.py"


def after_hook(tmp_path: Path, variables: dict[str, str], show: str) -> str:
    code = f"""
import os, runpy, sys
sys._MEIPASS = {str(tmp_path)!r}
sys.executable = {str(tmp_path / "commonplace")!r}
runpy.run_path({str(HOOK)!r})
print(({show}))
"""
    environment = {**os.environ, **variables}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_other_programs_do_not_get_our_libraries(tmp_path: Path) -> None:
    show = 'os.environ.get("LD_LIBRARY_PATH"), os.environ.get("LD_LIBRARY_PATH_ORIG")'
    both = {"LD_LIBRARY_PATH": str(tmp_path), "LD_LIBRARY_PATH_ORIG": "/theirs"}
    assert after_hook(tmp_path, both, show) == "('/theirs', None)"
    assert after_hook(tmp_path, {"LD_LIBRARY_PATH": str(tmp_path)}, show) == "(None, None)"


def test_a_worker_is_started_like_any_program(tmp_path: Path) -> None:
    variables = {"_PYI_ARCHIVE_FILE": str(tmp_path / "commonplace")}
    assert after_hook(tmp_path, variables, '"_PYI_ARCHIVE_FILE" in os.environ') == "False"


def test_packages_of_an_add_on_are_found_last(tmp_path: Path) -> None:
    (tmp_path / "addons/adapt").mkdir(parents=True)
    assert after_hook(tmp_path, {}, "sys.path[-1]") == str(tmp_path / "addons/adapt")


def test_models_of_an_add_on_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert paths.addons() == ()
    (tmp_path / "addons/adapt/models").mkdir(parents=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "commonplace"))
    assert paths.addons() == ()  # a checkout has none
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert paths.addons() == (tmp_path / "addons/adapt",)
    state = paths.StatePaths(tmp_path, tmp_path, tmp_path)
    assert state.model_folders()[-1] == tmp_path / "addons/adapt/models"


def test_a_project_file_stands_for_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "mine.commonplace-project"
    assert paths.opened_folder(file) == file  # not there: an error names it
    file.touch()
    assert paths.opened_folder(file) == tmp_path
    assert paths.opened_folder(tmp_path) == tmp_path


def test_the_man_page_has_every_command() -> None:
    from packagelib import manual

    commands = manual.commands_of(ROOT)
    names = [name for name, _about in commands]
    assert {"ask", "window", "notes add", "edits undo"} <= set(names)
    text = manual.page(ROOT / "packaging/linux/commonplace.1", "1.2", 0, commands)
    assert '"1970-01-01" "Commonplace 1.2"' in text
    assert all(f".B {name}" in text for name in names)
    assert "@" not in text


def test_what_the_add_on_is_for_is_said_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from commonplace.errors import ModelError
    from commonplace.index.embedder import SentenceEmbedder

    (tmp_path / "model.safetensors").write_bytes(b"")
    (tmp_path / "config.json").write_text('{"hidden_size": 4}')
    monkeypatch.setitem(sys.modules, "torch", None)  # as if it were not installed
    embedder = SentenceEmbedder(tmp_path)
    with pytest.raises(ModelError) as caught:
        embedder.embed(["text"])
    assert "pip install" in caught.value.remedy
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(ModelError) as caught:
        embedder.embed(["text"])
    assert "torch" in caught.value.message
    assert "the add-on commonplace-adapt" in caught.value.remedy
