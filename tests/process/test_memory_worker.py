"""The memory process: what a window asks of it, and what it says unasked."""

import os
import signal
import time

import pytest

from commonplace.errors import ProjectBusyError, ProjectError, QuestionError
from commonplace.paths import worker_command
from commonplace.wire.process import WorkerDiedError, WorkerProcess

FILES = {"a.py": "def alpha(): return 1\n", "b/c.py": "def beta(): return 2\n"}
PATIENCE = 120.0


class Window:
    """A stand-in for the window: asks, and collects events."""

    def __init__(self, home):
        self.events = []
        self.worker = WorkerProcess(
            worker_command("memory"),
            log_file=home / "memory.log",
            on_event=lambda name, data: self.events.append((name, data)),
        )
        self.worker.start()

    def ask(self, method, **params):
        return self.worker.request(method, params, deadline=PATIENCE)

    def until(self, condition):
        """Keep asking until `condition` holds; every request also takes in events."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, self.events[-5:]
            self.ask("status")

    def phase(self):
        return self.ask("status")["phase"]

    def phases(self):
        return [data["phase"] for name, data in self.events if name == "status"]

    def symbols(self, question):
        found = self.ask("search", question=question, limit=5)
        return [p["symbol"] for p in found["passages"]]


@pytest.fixture
def windows(home):
    opened = []

    def make():
        opened.append(Window(home))
        return opened[-1]

    yield make
    for window in opened:
        window.worker.stop()


@pytest.fixture
def project(make_project):
    return make_project(FILES)


@pytest.fixture
def window(windows, project):
    window = windows()
    window.ask("open", path=str(project), embedder="hash")
    window.until(lambda: window.phase() == "ready")
    return window


def test_a_project_is_indexed_and_answers(window, project):
    assert window.symbols("alpha")[0] == "alpha"
    assert window.ask("files")["files"] == ["a.py", "b/c.py"]
    window.until(lambda: window.phases()[-1] == "ready")  # it is told after it can be asked for
    assert window.phases()[0] in {"opening", "scanning"}
    assert window.ask("status")["vectors"] == 2


def test_a_saved_file_is_found_within_moments(window, project):
    (project / "a.py").write_text("def gamma(): return 3\n")
    window.until(lambda: "gamma" in window.symbols("gamma"))
    window.until(
        lambda: any(name == "changed" and "a.py" in data["paths"] for name, data in window.events)
    )


def test_a_new_folder_is_watched(window, project):
    (project / "new/deep").mkdir(parents=True)
    (project / "new/deep/x.py").write_text("def delta(): return 4\n")
    window.until(lambda: "delta" in window.symbols("delta"))
    (project / "new/deep/x.py").write_text("def epsilon(): return 5\n")
    window.until(lambda: "epsilon" in window.symbols("epsilon"))
    window.until(lambda: any(name == "files" for name, _ in window.events))


def test_pause_and_resume(window, project):
    window.ask("pause")
    window.until(lambda: window.phase() == "paused")
    (project / "a.py").write_text("def gamma(): return 3\n")
    assert window.symbols("gamma") != ["gamma"]
    window.ask("resume")
    window.until(lambda: "gamma" in window.symbols("gamma"))


def test_a_project_that_is_removed_says_so_and_comes_back(window, project):
    moved = project.with_name("moved")
    project.rename(moved)
    window.ask("reconcile")
    window.until(lambda: window.phase() == "failed")
    assert "gone" in window.ask("status")["note"]
    moved.rename(project)
    window.until(lambda: window.phase() == "ready")
    assert window.ask("status")["note"] == ""


def test_errors_keep_their_class(windows, tmp_path):
    window = windows()
    with pytest.raises(ProjectError, match="No project"):
        window.ask("search", question="x")
    with pytest.raises(ProjectError, match="does not exist"):
        window.ask("open", path=str(tmp_path / "nowhere"), embedder="none")


def test_an_empty_question_is_refused(window):
    with pytest.raises(QuestionError):
        window.ask("search", question=" ")


def test_a_second_window_is_told_and_the_first_goes_on(windows, window, project):
    second = windows()
    with pytest.raises(ProjectBusyError, match="already open"):
        second.ask("open", path=str(project), embedder="hash")
    assert window.symbols("alpha")[0] == "alpha"


def test_after_a_kill_the_next_one_opens_the_same_index(windows, window, project):
    os.kill(window.worker.pid, signal.SIGKILL)
    with pytest.raises(WorkerDiedError):
        window.ask("status")
    second = windows()
    second.ask("open", path=str(project), embedder="hash")
    second.until(lambda: second.phase() == "ready")
    assert second.symbols("beta")[0] == "beta"


def test_the_worker_ends_with_its_window(window):
    pid = window.worker.pid
    window.worker.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_places_of_a_name(windows, project):
    window = windows()
    window.ask("open", path=str(project), embedder="none")
    window.until(lambda: window.phase() == "ready")
    found = window.ask("places", name="beta")
    assert [(place["path"], place["line"]) for place in found["definitions"]] == [("b/c.py", 1)]
    assert found["usages"] == []
    with pytest.raises(QuestionError):
        window.ask("places", name="()")


def test_figures_names_and_a_new_beginning_over_the_wire(window, project):
    window.ask("open", path=str(project), embedder="none")
    window.until(lambda: window.phase() == "ready")
    assert window.ask("details")["disk"] > 0
    [place] = window.ask("symbols", typed="alp")["symbols"]
    assert (place["path"], place["line"], place["symbol"]) == ("a.py", 1, "alpha")
    window.events.clear()
    window.ask("rebuild")
    window.until(lambda: any(n == "status" and d["phase"] == "reading" for n, d in window.events))
    window.until(lambda: window.phase() == "ready")
    assert window.ask("files")["files"] == ["a.py", "b/c.py"]
