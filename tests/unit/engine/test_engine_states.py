from __future__ import annotations

import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonplace.engine.states import State, StateFolder, forget

KEY = "model build f16"
STATE = State(list(range(100)), bytes(range(256)) * 20)


@pytest.fixture
def folder(tmp_path):
    return StateFolder(tmp_path / "states", KEY, 1 << 20)


def only(folder: StateFolder):
    (path,) = folder._folder.glob("*.state")
    return path


@settings(max_examples=25)
@given(st.lists(st.integers(0, 2**31 - 1), max_size=50), st.binary(max_size=200), st.text())
def test_what_is_kept_comes_back(tmp_path_factory, tokens, data, name):
    folder = StateFolder(tmp_path_factory.mktemp("s"), KEY, 1 << 20)
    assert folder.save(name, State(tokens, data))
    assert folder.load(name) == State(tokens, data)
    assert folder.tokens(name) == tokens
    assert folder.load(name + "x") is None


def test_only_the_owner_may_read_it(folder):
    folder.save("a", STATE)
    assert stat.S_IMODE(only(folder).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder._folder.stat().st_mode) == 0o700
    assert "a" not in only(folder).name.split("-")


def test_every_flipped_byte_and_every_cut_is_noticed(folder):
    folder.save("a", State([1, 2, 3], b"state"))
    path = only(folder)
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        assert folder.load("a") is None, at
        assert not path.exists()
        path.write_bytes(whole[:at])
        assert folder.load("a") is None, at
        folder.tokens("a")
    path.write_bytes(whole + b"more")
    assert folder.load("a") is None


def test_a_state_of_another_model_is_never_given(folder):
    folder.save("a", STATE)
    other = StateFolder(folder._folder, "another model", 1 << 20)
    assert other.load("a") is None
    assert other.tokens("a") == []
    only(folder).rename(other._path("a"))  # even under the right name
    assert other.load("a") is None
    assert not other._path("a").exists()


def test_the_ones_used_longest_ago_make_room(tmp_path):
    size = 5000
    folder = StateFolder(tmp_path, KEY, 3 * size + 1000)
    for number, name in enumerate("abc"):
        folder.save(name, State([number], bytes(size)))
        os.utime(folder._path(name), (number, number))
    assert folder.load("a") is not None  # and so it is used now
    folder.save("d", State([4], bytes(size)))
    assert [bool(folder.load(name)) for name in "abcd"] == [True, False, True, True]
    assert not folder.save("huge", State([1], bytes(4 * size)))
    assert folder.load("huge") is None


def test_a_conversation_is_forgotten_with_all_its_models(folder):
    other = StateFolder(folder._folder, "another model", 1 << 20)
    for each in (folder, other):
        each.save("a", STATE)
        each.save("b", STATE)
    forget(folder._folder, "a")
    assert folder.load("a") is None
    assert other.load("a") is None
    assert folder.load("b") == STATE
    forget(folder._folder / "missing", "a")


def test_a_folder_that_cannot_be_written_only_costs_time(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("x")
    folder = StateFolder(blocked / "states", KEY, 1 << 20)
    assert not folder.save("a", STATE)
    assert folder.load("a") is None
    assert folder.tokens("a") == []


def test_what_a_killed_process_left_is_swept(tmp_path):
    (tmp_path / ".abc.part").write_bytes(b"half")
    StateFolder(tmp_path, KEY, 1 << 20)
    assert list(tmp_path.iterdir()) == []
