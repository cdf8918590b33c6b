"""The memory of a project, worked by hand."""

import pytest

from commonplace.errors import CancelledError, ProjectBusyError, ProjectError
from commonplace.memory.project import Memory
from commonplace.memory.shared import SharedMemory

FILES = {"a.py": "def alpha(): return 1\n", "b/c.py": "def beta(): return 2\n", "d.bin": "x\0y"}


@pytest.fixture
def project(make_project):
    return make_project(FILES)


@pytest.fixture
def memory(project, state):
    memory = Memory(project, state, embedder="hash")
    yield memory
    memory.close()


def symbols(memory, question):
    return [p.symbol for p in memory.search(question, 5).passages]


def test_a_project_is_read_embedded_and_counted(memory):
    memory.refresh()
    assert not memory.embed()
    status = memory.status
    assert (status.files, status.chunks, status.vectors) == (2, 2, 2)
    assert [(s.path, s.reason) for s in memory.skipped()] == [("d.bin", "binary")]
    assert memory.files() == ["a.py", "b/c.py"]


def test_what_changed_is_found_and_what_went_is_not(memory, project):
    memory.refresh()
    (project / "a.py").write_text("def gamma(): return 3\n")
    (project / "b/c.py").unlink()
    outcome = memory.refresh()
    memory.embed()
    assert set(outcome.changed) == {"a.py", "b/c.py"}
    assert symbols(memory, "gamma") == ["gamma"]
    assert symbols(memory, "beta") == ["gamma"] or symbols(memory, "beta") == []
    assert memory.status.vectors == memory.status.chunks == 1


def test_a_partial_refresh_looks_only_at_its_folders(memory, project):
    memory.refresh()
    (project / "a.py").write_text("def gamma(): return 3\n")
    (project / "b/new.py").write_text("def delta(): return 4\n")
    assert memory.refresh({"b"}).changed == ("b/new.py",)
    assert memory.refresh().changed == ("a.py",)


def test_nothing_is_read_twice(project, state):
    for expected in (("a.py", "d.bin", "b/c.py"), ()):
        memory = Memory(project, state, embedder="hash")
        assert memory.refresh().changed == expected
        memory.close()


def test_work_that_was_stopped_goes_on_where_it_was(make_project, state):
    root = make_project({f"f{n}.py": f"x{n} = {n}\n" for n in range(300)})
    memory = Memory(root, state, embedder="none")
    calls = iter(range(100_000))
    with pytest.raises(CancelledError):
        memory.refresh(stop=lambda: next(calls) > 150)
    done = memory.store.counts().files
    assert 0 < done < 300
    assert len(memory.refresh().changed) == 300 - done
    memory.close()


def test_one_writer_at_a_time_and_others_may_read(memory, project, state):
    memory.refresh()
    memory.embed()
    with pytest.raises(ProjectBusyError) as busy:
        Memory(project, state)
    assert busy.value.remedy
    shared = SharedMemory(project, state, embedder="hash")
    assert shared.search("alpha", 3).passages[0].symbol == "alpha"
    shared.close()


def test_a_missing_embedder_is_told_and_words_go_on(project, state):
    memory = Memory(project, state, embedder="/nowhere")
    memory.refresh()
    assert not memory.embed()
    assert "make models" in memory.status.note
    assert symbols(memory, "alpha") == ["alpha"]
    memory.close()


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_a_folder_that_cannot_be_opened_is_a_clear_error(tmp_path, state, kind):
    path = tmp_path / "x"
    if kind == "file":
        path.write_text("")
    with pytest.raises(ProjectError) as error:
        Memory(path, state)
    assert error.value.remedy
    assert not (state.cache / "projects").exists()


def test_an_empty_folder_is_a_project(tmp_path, state):
    memory = Memory(tmp_path, state, embedder="none")
    memory.refresh()
    assert memory.search("anything", 5).passages == ()
    assert "Nothing here" in memory.status.note
    (tmp_path / "a.py").write_text("x = 1\n")
    memory.refresh()
    assert memory.status.note == ""
    memory.close()
