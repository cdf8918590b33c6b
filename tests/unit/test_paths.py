import sys
from pathlib import Path

from commonplace.paths import StatePaths, resource, worker_command


def test_all_state_moves_below_the_home_variable(home):
    state = StatePaths.from_environment()
    assert {state.config.parent, state.data.parent, state.cache.parent} == {home}


def test_projects_of_one_name_do_not_share_a_cache(state):
    first = state.project_cache(Path("/a/app"))
    second = state.project_cache(Path("/b/app"))
    assert first != second
    assert first.name.startswith("app-")
    assert state.project_cache(Path("/x/..  \n'\"")).name[0].isalnum()


def test_without_the_variable_the_platform_decides(monkeypatch):
    monkeypatch.delenv("COMMONPLACE_HOME")
    assert StatePaths.from_environment().cache.name == "commonplace"


def test_resources_ship_with_the_program():
    assert resource().is_dir()


def test_a_frozen_program_starts_itself(monkeypatch):
    assert worker_command("engine")[1:] == ["-P", "-m", "commonplace", "worker", "engine"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert worker_command("engine") == [sys.executable, "worker", "engine"]
