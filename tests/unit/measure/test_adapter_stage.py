"""An adapter is tried on lines that it has not read, and is out of the way afterwards."""

import hashlib

import pytest

from commonplace.engine.fake import FakeEngine
from commonplace.engine.types import LoadOptions
from commonplace.errors import AdapterError
from commonplace.measure.adapter_stage import LEARNED, Trained, chosen_task, measured
from commonplace.measure.contexts import QUICK, Contexts
from commonplace.measure.journal import Journal
from commonplace.measure.model_stage import _summarise
from commonplace.measure.results import Layer, Point
from commonplace.measure.snapshot import snapshot
from commonplace.measure.stages import Stages
from commonplace.measure.work import Found, Wanted, Work
from commonplace.settings import Settings
from commonplace.workspace.files import never

LINES = 300
LONG = "".join(f"value_{n} = read_from(source, offset_{n})\n" for n in range(LINES))


@pytest.fixture
def work(make_project, state, tmp_path):
    root = make_project({"long.py": LONG, "short.py": "x = 1\n" * 20})
    wanted = Wanted(root, quick=True, adapt=True)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    stages = Stages(lambda _stage: None, adapter=True)
    with (
        snapshot(root, state, Settings(), never, lambda _status: None) as taken,
        Journal(tmp_path / "journal", {}) as journal,
    ):
        yield Work(
            wanted, state, Settings(), taken, journal, scratch, stages, never, Found()
        )  # fmt: skip


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "fake.gguf"
    path.write_bytes(b"no model")
    return path


@pytest.fixture
def engine(model):
    fake = FakeEngine(options=LoadOptions(context=4096))
    fake.load(model)
    return fake


def tried(work, engine, model, train):
    contexts = Contexts(work.taken, engine.count, QUICK)
    return measured(work, engine, model, contexts, book=False, train=train)


def accepted(work, task, _model):
    folder = work.scratch / "kept"
    folder.mkdir()
    path = folder / "adapter.gguf"
    path.write_bytes(b"an adapter")
    digest = hashlib.sha256(b"an adapter").hexdigest()
    return Trained("", (Point(0, 2.0, None), Point(1, 1.5, 1.6)), path, digest, 1.0)


def test_what_is_tried_was_not_learned(work):
    task = chosen_task(work)
    assert task is not None
    assert task.path == "long.py"
    assert task.learned == "".join(LONG.splitlines(keepends=True)[: int((LINES + 1) * LEARNED)])
    for place in task.places:
        assert place.target not in task.learned
        assert place.line > task.learned.count("\n")


def test_an_accepted_adapter_is_measured_and_taken_away(work, engine, model):
    found = tried(work, engine, model, accepted)
    assert len(found["places"]) == work.wanted.size.adapted_places
    for place in found["places"]:
        without, adapted = place["scores"]
        assert adapted["nll"] == pytest.approx(0.9 * without["nll"])  # as the fake has it
    assert [point["loss"] for point in found["curve"]] == [2.0, 1.5]
    again = engine.score("", found["places"][0]["path"])
    engine.adapter(None)
    assert engine.score("", found["places"][0]["path"]) == again  # none was left in place
    assert not (work.scratch / "kept").exists()


def test_one_that_the_gate_refuses_is_not_used(work, engine, model):
    def refused(_work, _task, _model):
        return Trained("It is no better.", (Point(0, 2.0), Point(1, 1.9)))

    found = tried(work, engine, model, refused)
    assert found["places"] == []
    assert "It is no better." in found["reason"]
    assert len(found["curve"]) == 2


def test_training_that_cannot_be_done_leaves_the_rest(work, engine, model):
    def fail(_work, _task, _model):
        raise AdapterError("Nothing to train with.", "Install it.")

    assert "Nothing to train with. Install it." in tried(work, engine, model, fail)["reason"]


def test_a_project_of_short_files_has_nothing_to_try(make_project, state, work, engine, model):
    (work.taken.root / "long.py").write_text("y = 1\n")  # no longer what was indexed
    found = tried(work, engine, model, pytest.fail)
    assert "long enough" in found["reason"]


def test_without_being_asked_for_it_the_adapter_is_said_to_be_left_out(work):
    from commonplace.measure.layers import place_from

    scores = [{"layer": "base", "nll": 1.0, "tokens": 2, "exact": False, "similarity": 0.5}]
    place = {"path": "a", "line": 9, "characters": 9, "scores": scores}
    work.found.places.append(place_from(place))
    work.found.layers.append(Layer("adapter", reason="None was accepted."))
    _summarise(work, notes=False)
    assert [layer.name for layer in work.found.layers] == ["base", "book", "adapter"]
