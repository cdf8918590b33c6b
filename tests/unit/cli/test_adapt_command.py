"""``commonplace adapt`` on the command line, without training anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from commonplace.adapt.store import AdapterStore
from commonplace.cli.commands import run
from commonplace.paths import StatePaths
from unit.adapt.adapters import kept, record
from unit.adapt.tiny_model import write_model

Make = Callable[[dict[str, str]], Path]


@pytest.fixture
def root(make_project: Make) -> Path:
    return make_project({"a.py": "x = 1\n", "rows.py": "append(1, 2, 3)\n" * 400})


def test_adapters_are_listed_and_discarded(
    root: Path, state: StatePaths, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["adapt", str(root), "--list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"adapters": []}
    made = kept(AdapterStore.of(state, root), record())
    assert run(["adapt", str(root), "--list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["adapters"] == [made.to_wire()]
    assert run(["adapt", str(root), "--list"]) == 0
    assert "a.py" in capsys.readouterr().out
    Path(made.path).write_bytes(b"tampered")
    assert run(["adapt", str(root), "--list"]) == 0
    assert "not the file that passed the gate" in capsys.readouterr().out
    assert run(["adapt", str(root), "--discard-all", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"discarded": 1}
    assert run(["adapt", str(root), "--list"]) == 0
    assert "no adapters" in capsys.readouterr().out


def test_a_refusal_is_an_outcome_in_json_and_one_line_for_people(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_model(tmp_path / "tiny.gguf")
    assert run(["adapt", str(root), "rows.py", "--json", "--model", str(model)]) == 1
    said = capsys.readouterr()
    outcome = json.loads(said.out)
    assert outcome["accepted"] is False
    assert "repeat" in outcome["reason"]
    assert set(outcome) == {"accepted", "reason", "seconds", "gate", "trained_on"}
    assert set(outcome["gate"]) == {"heldout", "regression", "parity"}
    assert {"base", "adapted", "ci"} <= set(outcome["gate"]["heldout"])
    assert "repeat" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "args", [["a.py", "--list"], [], ["--list", "--discard-all"], ["a.py", "--seed", "-1"]]
)
def test_wrong_usage_is_told(root: Path, args: list[str]) -> None:
    assert run(["adapt", str(root), *args]) == 2


def test_a_missing_file_or_folder_is_told(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["adapt", str(root), "missing.py"]) == 1
    assert "no file missing.py" in capsys.readouterr().err
    assert run(["adapt", str(tmp_path / "nowhere"), "--list"]) == 1
    assert "no folder" in capsys.readouterr().err
    outside = tmp_path / "outside.py"
    outside.write_text("x = 1\n")
    assert run(["adapt", str(root), str(outside)]) == 1
