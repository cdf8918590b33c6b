"""A result survives its file, and a file that is none is refused in plain words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commonplace.errors import StorageError
from commonplace.measure.results import VERSION, Result

EXAMPLE = Path(__file__).with_name("example.json").read_text(encoding="utf-8")


def changed(**changes: object) -> str:
    return json.dumps({**json.loads(EXAMPLE), **changes})


def test_a_result_comes_back_as_it_was() -> None:
    result = Result.from_json(EXAMPLE)
    assert result.layers[1].perplexity is not None
    assert result.layers[1].perplexity.low < result.layers[1].perplexity.value
    assert Result.from_json(result.to_json()) == result


def test_unknown_keys_are_passed_over_and_missing_ones_take_their_default() -> None:
    data = json.loads(EXAMPLE)
    data["later"] = [1]
    data["layers"][0]["later"] = {"a": 1}
    del data["speed"]
    result = Result.from_json(json.dumps(data))
    assert result.speed == ()
    assert result.layers == Result.from_json(EXAMPLE).layers


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[" * 100_000,
        "[]",
        "null",
        "{}",
        changed(layers=3),
        changed(layers=[[]]),
        changed(seed="1"),
        changed(seed=True),
        changed(seconds=None),
        changed(layers=[{"n": 3}]),
        changed(verdicts=[{"subject": "x", "outcome": "better", "sentence": ""}]),
        EXAMPLE.replace("88.5", "NaN"),
        EXAMPLE.replace("88.5", "1e999"),
        EXAMPLE[: len(EXAMPLE) // 2],
    ],
)
def test_what_is_no_result_is_refused(text: str) -> None:
    with pytest.raises(StorageError) as caught:
        Result.from_json(text)
    assert caught.value.remedy


def test_a_later_version_is_not_read() -> None:
    with pytest.raises(StorageError, match="later version"):
        Result.from_json(changed(version=VERSION + 1, layers=3))
