"""``commonplace usages``, and what ``search`` says of the structure around a passage."""

import json

import pytest

from commonplace.cli import commands
from commonplace.memory.project import Memory
from commonplace.settings import save

FILES = {
    "app/load.py": "def load_config(path):\n    return path\n\n\ndef save_config(path): ...\n",
    "app/main.py": "from .load import load_config\n\n\ndef main():\n    return load_config('x')\n",
    "app/other.py": "from app.load import save_config\n",
}


@pytest.fixture
def project(make_project, state):
    save(state.settings_file, {"recall.embedder": "hash"})
    return make_project(FILES)


def test_usages_prints_definitions_first(project, capsys):
    assert commands.run(["usages", str(project), "load_config"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert [line.strip() for line in out] == [
        "defined",
        "app/load.py:1  (function load_config)",
        "def load_config(path):",
        "used",
        "app/main.py:1",
        "from .load import load_config",
        "app/main.py:5",
        "return load_config('x')",
    ]


def test_usages_as_json(project, capsys):
    assert commands.run(["usages", str(project), "load_config", "--limit", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(p["path"], p["line"]) for p in found["definitions"]] == [("app/load.py", 1)]
    assert [(p["path"], p["line"]) for p in found["usages"]] == [("app/main.py", 1)]
    assert found["more"] is True


def test_usages_of_nothing_and_of_no_name(project, capsys):
    assert commands.run(["usages", str(project), "absent_name"]) == 0
    assert "No code" in capsys.readouterr().out
    assert commands.run(["usages", str(project), "()"]) == 1
    assert "Give a name" in capsys.readouterr().err


def test_usages_of_a_project_that_another_process_has_open(project, state, capsys):
    memory = Memory(project, state, embedder="none")
    try:
        memory.refresh()
        assert commands.run(["usages", str(project), "load_config"]) == 0
    finally:
        memory.close()
    assert "app/load.py:1" in capsys.readouterr().out


def test_search_says_who_imports_a_file_and_what_is_defined(project, capsys):
    assert commands.run(["search", str(project), "load_config", "--limit", "1"]) == 0
    out = capsys.readouterr().out
    assert "imported by 2 files (app/main.py, app/other.py)" in out
    assert "defines save_config" in out
    assert commands.run(["search", str(project), "load_config", "--limit", "1", "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert result["defined"] == ["load_config", "save_config"]
    assert result["imported_by"] == {"count": 2, "paths": ["app/main.py", "app/other.py"]}
