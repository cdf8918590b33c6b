"""Adapters on disk: whole or not at all, verified at each use, gone when told to."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from commonplace.adapt.records import BadRecordError, Figure, Record, text_hash
from commonplace.adapt.store import (
    ADAPTER_FILE,
    RECORD_FILE,
    AdapterStore,
    discard_everywhere,
)
from commonplace.errors import AdapterError, StorageError
from commonplace.paths import StatePaths
from unit.adapt.adapters import CONTENT, TEXT, entries, kept, record

A, B = "0" * 16, "1" * 16
MODEL = "m" * 32


@pytest.fixture
def store(tmp_path: Path) -> AdapterStore:
    return AdapterStore(tmp_path / "adapters")


def test_a_record_survives_json() -> None:
    made = record()
    assert Record.from_wire(json.loads(json.dumps(made.to_wire()))) == made


def test_what_was_not_measured_is_null_and_comes_back_as_nan() -> None:
    data = json.loads(json.dumps(Figure().to_wire(), allow_nan=False))
    assert data["base"] is None
    assert data["ci"] == [None, None]
    assert math.isnan(Figure.from_wire(data).base)


@pytest.mark.parametrize(
    "change",
    [
        {"id": "../../etc"},
        {"sha256": "x"},
        {"scale": 40.0},
        {"gate": None},
        {"trained_on": "all"},
        {"size": -1},
        {"seconds": "long"},
    ],
)
def test_a_record_of_the_wrong_shape_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadRecordError):
        Record.from_wire({**record().to_wire(), **change})


def test_only_material_changes_of_a_text_count() -> None:
    assert text_hash("a\nb\n") == text_hash("a  \r\nb\n\n")
    assert text_hash("a\nb\n") != text_hash("a\n\nb\n")
    assert text_hash("  a") != text_hash("a")


def test_what_was_kept_is_usable_for_this_text_and_this_model_only(store: AdapterStore) -> None:
    made = kept(store, record())
    assert Path(made.path).read_bytes() == CONTENT
    assert store.usable("a.py", text_hash(TEXT), MODEL) == made
    assert store.usable("a.py", text_hash(TEXT + "x"), MODEL) is None
    assert store.usable("b.py", text_hash(TEXT), MODEL) is None
    assert store.usable("a.py", text_hash(TEXT), "another") is None
    assert entries(store.folder) == [A]


def test_a_new_adapter_takes_the_place_of_the_old_one_of_that_file(store: AdapterStore) -> None:
    kept(store, record(A))
    other = kept(store, record("2" * 16, "b.py"))
    made = kept(store, record(B))
    assert store.records() == [other, made]


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], b"x" + CONTENT[1:], CONTENT + b"x"])
def test_a_tampered_adapter_is_refused_until_it_is_discarded(
    store: AdapterStore, content: bytes
) -> None:
    made = kept(store, record())
    Path(made.path).write_bytes(content)
    with pytest.raises(AdapterError, match="not the file that passed") as caught:
        store.usable("a.py", text_hash(TEXT), MODEL)
    assert "Discard" in caught.value.remedy
    assert store.discard(made.id)
    assert store.usable("a.py", text_hash(TEXT), MODEL) is None


def test_an_adapter_that_is_gone_is_refused(store: AdapterStore) -> None:
    made = kept(store, record())
    Path(made.path).unlink()
    with pytest.raises(AdapterError):
        store.usable("a.py", text_hash(TEXT), MODEL)


def test_a_link_in_place_of_an_adapter_is_refused(store: AdapterStore, tmp_path: Path) -> None:
    made = kept(store, record())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(CONTENT)
    Path(made.path).unlink()
    Path(made.path).symlink_to(elsewhere)
    with pytest.raises(AdapterError):
        store.verify(made)


def test_a_tampered_record_is_no_record_but_can_be_discarded(store: AdapterStore) -> None:
    made = kept(store, record())
    path = Path(made.path).with_name(RECORD_FILE)
    data = json.loads(path.read_text())
    data["record"]["gate"]["heldout"]["adapted"] = 1.0
    path.write_text(json.dumps(data))
    assert store.records() == []
    assert store.discard_all() == 1
    assert entries(store.folder) == []


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"[" * 100_000, b'{"version": 1}'])
def test_a_damaged_record_harms_nobody(store: AdapterStore, data: bytes) -> None:
    made = kept(store, record())
    Path(made.path).with_name(RECORD_FILE).write_bytes(data)
    assert store.records() == []


def test_an_adapter_that_changed_since_the_gate_is_not_kept(store: AdapterStore) -> None:
    with pytest.raises(AdapterError, match="changed between the gate"):
        kept(store, record(), b"something else")
    assert entries(store.folder) == []


def test_whatever_ends_the_writing_leaves_nothing(store: AdapterStore) -> None:
    def write() -> None:
        with store.training(), store.staging() as staged:
            (staged / ADAPTER_FILE).write_bytes(b"half")
            raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left"):
        write()
    assert entries(store.folder) == []


def test_what_a_killed_trainer_left_is_swept_and_never_seen(store: AdapterStore) -> None:
    left = store.folder / ".staging-killed"
    left.mkdir(parents=True)
    (left / ADAPTER_FILE).write_bytes(b"half")
    assert store.records() == []
    with store.training():
        assert entries(store.folder) == []


def test_one_trainer_at_a_time(store: AdapterStore) -> None:
    with (
        store.training(),
        pytest.raises(AdapterError, match="being trained"),
        AdapterStore(store.folder).training(),
    ):
        pass


def test_discarding_is_by_name_and_reaches_nothing_else(store: AdapterStore) -> None:
    made = kept(store, record())
    assert not store.discard("../adapters")
    assert not store.discard(B)
    assert store.discard(made.id)
    assert not store.discard(made.id)


def test_nothing_is_kept_inside_the_project(tmp_path: Path) -> None:
    state = StatePaths(tmp_path / "p/c", tmp_path / "p/d", tmp_path / "p/e")
    with pytest.raises(StorageError, match="inside the project"):
        AdapterStore.of(state, tmp_path / "p")


def test_all_projects_are_emptied_at_once(tmp_path: Path) -> None:
    state = StatePaths(tmp_path / "c", tmp_path / "d", tmp_path / "e")
    for name in ("one", "two"):
        kept(AdapterStore.of(state, tmp_path / name), replace(record(), file=name))
    assert discard_everywhere(state) == 2
    assert discard_everywhere(state) == 0


def test_a_project_without_adapters_has_none(store: AdapterStore) -> None:
    assert store.records() == []
    assert store.discard_all() == 0
    assert store.usable("a.py", "", "") is None
