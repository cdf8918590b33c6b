from __future__ import annotations

import json
from pathlib import Path

import pytest

from commonplace.engine.ladder import RUNGS, Ladder, WrongResultsError, cause_of
from commonplace.engine.remembered import MAX_FACTS, Remembered
from commonplace.engine.types import LoadOptions
from commonplace.engine.verdicts import FILE, Verdicts, climb
from commonplace.errors import EngineError
from commonplace.wire.process import WorkerDiedError


def names(ladder: Ladder, cause="crash") -> list[str]:
    found = [ladder.current.name]
    while rung := ladder.step_down("died", cause):
        found.append(rung.name)
    return found


def on_a_card(options: LoadOptions) -> Ladder:
    ladder = Ladder(options)
    ladder.on_card = 31
    return ladder


@pytest.mark.parametrize("cause", ["memory", "crash"])
def test_with_a_graphics_card_layers_go_first_and_the_card_before_repacking(cause):
    ladder = on_a_card(LoadOptions(context=4096))
    found = names(ladder, cause)
    assert found == [
        "as asked",
        *["fewer layers"] * 4,  # 15, 7, 3, 1
        "small context",
        "quantised memory",
        "processor only",
        "without repacking",
    ]
    assert ladder.current.options == LoadOptions(2048, 0, 0, repack=False, kv_type="q8_0")
    assert ladder.current.sentence
    assert ladder.reasons[0] == "as asked: died"
    assert len(ladder.reasons) == len(found)


@pytest.mark.parametrize(
    ("options", "cause", "expected"),
    [
        (
            LoadOptions(4096),
            "memory",
            ["as asked", "small context", "quantised memory", "without repacking"],
        ),
        (
            LoadOptions(4096),
            "crash",
            ["as asked", "without repacking", "small context", "quantised memory"],
        ),
        (LoadOptions(2048), "crash", ["as asked", "without repacking", "quantised memory"]),
        (LoadOptions(512, repack=False, kv_type="q4_0"), "memory", ["as asked"]),
    ],
)
def test_on_the_processor_rungs_that_change_nothing_are_passed_over(options, cause, expected):
    assert names(Ladder(options, offloads=False), cause) == expected
    assert set(expected) <= set(RUNGS)


def test_a_crash_without_a_card_costs_no_context():
    ladder = Ladder(LoadOptions(4096), offloads=False)
    assert ladder.step_down("died", "crash").options == LoadOptions(4096, repack=False)


def test_layers_the_user_set_are_halved_too():
    ladder = Ladder(LoadOptions(gpu_layers=9))
    assert ladder.step_down("died", "memory").options.gpu_layers == 4


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (WorkerDiedError("x", status=-9), "memory"),
        (WorkerDiedError("x", status=-11), "crash"),
        (WorkerDiedError("x", status=3), "crash"),
        (WrongResultsError("nonsense"), "crash"),
        (EngineError("no room"), "memory"),
    ],
)
def test_what_ended_a_rung_is_told_from_how(error, cause):
    assert cause_of(error) == cause


def test_a_verdict_brings_the_ladder_back_to_where_it_held(tmp_path):
    path, options = tmp_path / "m.gguf", LoadOptions()
    path.write_bytes(b"1")
    verdicts = Verdicts(str(tmp_path))
    ladder = on_a_card(options)
    verdicts.put(path, options, ladder)
    assert verdicts.get(path, options) is None  # at the top there is nothing to say
    for _ in range(6):
        ladder.step_down("died", "memory")
    verdicts.put(path, options, ladder)
    again = Ladder(options)
    climb(again, verdicts.get(path, options))
    assert again.current.options.context == ladder.current.options.context
    assert again.current.options.kv_type == ladder.current.options.kv_type
    assert again.reasons == ladder.reasons
    path.write_bytes(b"another file")
    assert verdicts.get(path, options) is None
    path.write_bytes(b"1")
    verdicts.forget(path, options)
    assert verdicts.get(path, options) is None
    Verdicts("").put(path, options, ladder)
    assert Verdicts("").get(path, options) is None


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"k": 3}', b"\xff\xfe", b"[" * 100_000, b'{"a": {"b": NaN}}']
)
def test_damaged_memories_are_empty_ones(tmp_path, data):
    file = tmp_path / FILE
    file.write_bytes(data)
    facts = Remembered(file)
    assert facts.get("k") == {}
    facts.put("k", {"x": 1})
    assert facts.get("k") == {"x": 1}


def test_verdicts_of_the_wrong_form_are_ignored(tmp_path):
    path, options = Path("m.gguf"), LoadOptions()
    verdicts = Verdicts(str(tmp_path))
    ladder = on_a_card(options)
    ladder.step_down("died")
    verdicts.put(path, options, ladder)
    (key,) = json.loads((tmp_path / FILE).read_text())
    for fact in ({"conceded": 3}, {"conceded": ["dance"], "reasons": []}, {"reasons": []}):
        (tmp_path / FILE).write_text(json.dumps({key: fact}))
        assert verdicts.get(path, options) is None


def test_memories_are_bounded_and_a_full_disk_only_forgets(tmp_path):
    facts = Remembered(tmp_path / "facts.json")
    for number in range(MAX_FACTS + 5):
        facts.put(str(number), {"n": number})
    assert facts.get("0") == {}
    assert facts.get(str(MAX_FACTS)) == {"n": MAX_FACTS}
    facts.forget("7")
    assert facts.get("7") == {}
    blocked = tmp_path / "file"
    blocked.write_text("x")
    Remembered(blocked / "facts.json").put("k", {"x": 1})
    assert Remembered(blocked / "facts.json").get("k") == {}
