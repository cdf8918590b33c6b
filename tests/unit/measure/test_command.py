"""The command: what it prints of results that are kept, without measuring anything."""

import dataclasses
import json
from pathlib import Path

import pytest

from commonplace.cli.commands import run
from commonplace.cli.measure import _print
from commonplace.measure.results import Result
from commonplace.measure.store import ResultStore

EXAMPLE = Result.from_json(Path(__file__).with_name("example.json").read_text(encoding="utf-8"))


@pytest.fixture
def store(make_project, state):
    return ResultStore.of(make_project({"a.py": "x = 1\n"}).resolve(), state)


@pytest.fixture
def measure(tmp_path):
    return lambda *words: run(["measure", str(tmp_path / "project"), *words])


def other(**changes):
    return dataclasses.replace(
        EXAMPLE, date="2026-11-22T10:00:00+00:00", identity="another", model="B.gguf", **changes
    )


def test_nothing_is_listed_before_anything_was_measured(store, measure, capsys):
    assert measure("--list") == 0
    assert "Nothing was measured" in capsys.readouterr().out


def test_results_are_listed_and_damage_is_told(store, measure, capsys):
    store.put(EXAMPLE)
    store.put(other())
    (store.folder / "bad.json").write_text("{")
    assert measure("--list") == 0
    said = capsys.readouterr()
    assert said.out.index("B.gguf") < said.out.index("SmolLM2")
    assert "bad.json" in said.err
    assert measure("--list", "--json") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["model"] for row in rows] == ["B.gguf", EXAMPLE.model]


def test_two_models_are_compared_and_exported(store, measure, capsys, tmp_path):
    store.put(EXAMPLE)
    store.put(other())
    html, tables = tmp_path / "r.html", tmp_path / "csv"
    assert measure("--compare", "--html", str(html), "--csv", str(tables)) == 0
    said = capsys.readouterr().out
    assert "B.gguf" in said
    assert "bits per character" in said
    assert "Another model on the same memory" in html.read_text(encoding="utf-8")
    assert (tables / "recall.csv").is_file()
    assert measure("--compare", "--json") == 0
    assert json.loads(capsys.readouterr().out)["new"]["model"] == "B.gguf"


def test_one_result_cannot_be_compared(store, measure, capsys):
    store.put(EXAMPLE)
    assert measure("--compare") == 1
    assert "fewer than two results" in capsys.readouterr().err
    assert measure("--compare", "--list") == 2


def test_a_result_is_printed_with_what_it_says_and_what_it_leaves_out(capsys):
    bare = Result(date="", project="p", model="", seed=1, left_out=("Not this.",))
    for result in (EXAMPLE, bare):
        _print(result, Path("kept.json"))
        said = capsys.readouterr().out
        for verdict in result.verdicts:
            assert verdict.sentence in said
        for sentence in result.left_out:
            assert sentence in said
