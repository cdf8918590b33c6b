"""The repair tasks, and the way an answer takes through them; no model is needed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from bench.tasks import report
from bench.tasks.checking import options, problems
from bench.tasks.sandbox import missing_tool, run_test
from bench.tasks.task import FOLDER, Task, chosen, read_task, tasks
from bench.tasks.trying import LAYERS, Attempt, attempts

from commonplace.engine.fake import FakeEngine

RIGHT = chosen(["python-limit"])[0]
BOOK = chosen(["python-upload-tries"])[0]
EDIT = "FILE {}\n<<<<<<< SEARCH\n{}\n=======\n{}\n>>>>>>> REPLACE\n"


def one_of_each() -> list[Task]:
    """The first task in each language."""
    found: dict[str, Task] = {}
    for task in tasks():
        found.setdefault(task.language, task)
    return list(found.values())


def run(task: Task, folder: Path, answers: list[str], *layers: str) -> dict[str, Attempt]:
    """Try `task` with an engine that gives `answers`, one for each question."""
    engine = FakeEngine(answers)
    engine.load(Path("fake"))
    return attempts(task, layers, folder, engine, options(), embedder="none")


def test_there_are_tasks_of_every_kind():
    found = tasks()
    assert len(found) >= 24
    assert len({task.language for task in found}) == 8
    assert {task.needs for task in found} == {"file", "recall", "book"}
    assert {task.ease for task in found} == {0, 1, 2, 3}


@pytest.mark.parametrize("task", one_of_each(), ids=lambda task: task.name)
def test_the_broken_project_fails_and_the_reference_passes(task, tmp_path):
    if tool := missing_tool(task):
        pytest.skip(f"{tool} is not installed")
    assert list(problems(task, tmp_path, embedder="none")) == []


def test_the_check_sees_a_wrong_reference(tmp_path):
    answer = EDIT.format("limits.py", "    return guests < limit", "    pass")
    wrong = dataclasses.replace(RIGHT, answer=answer)
    found = list(problems(wrong, tmp_path, embedder="none"))
    assert len(found) == 2
    assert "the reference for a model failed" in found[0]


def test_the_check_sees_a_test_that_passes_before(tmp_path):
    idle = dataclasses.replace(RIGHT, tests={"check.py": "print('fine')"})
    assert "the test of the broken project passed" in list(problems(idle, tmp_path))


def test_the_check_sees_a_fact_that_is_not_read(tmp_path):
    hidden = dataclasses.replace(BOOK, notes={})
    found = list(problems(hidden, tmp_path, embedder="none"))
    assert any("does not read what the task needs" in text for text in found)


def test_an_answer_cannot_change_its_own_test(tmp_path):
    cheat = "Create `check.py`:\n```python check.py\nprint('fine')\n```\n"
    assert run(RIGHT, tmp_path, [cheat], "base")["base"].outcome == "failed"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("I would use <= there.", "no edit"),
        (EDIT.format("limits.py", "    return guests > limit", "x"), "not placed"),
        (EDIT.format("limits.py", "    return guests < limit", "    return False"), "failed"),
        (EDIT.format("../out.py", "x", "y"), "not placed"),
        ("```\nFILE limits.py\n<<<<<<< SEARCH\n    return", "not placed"),
    ],
)
def test_an_answer_that_repairs_nothing(answer, outcome, tmp_path):
    attempt = run(RIGHT, tmp_path, [answer], "base")["base"]
    assert attempt.outcome == outcome
    assert attempt.output


def test_a_test_that_does_not_end_is_stopped(tmp_path):
    command = ("{python}", "-u", "-c", "print('on')\nwhile True: pass")
    endless = dataclasses.replace(RIGHT, test=command)
    tested = run_test(endless, tmp_path, seconds=2)
    assert tested.outcome == "too slow"
    assert tested.output == "on"


def test_a_note_is_read_on_the_layer_of_the_book_alone(tmp_path):
    found = run(BOOK, tmp_path, [BOOK.answer] * 3, "base", "recall", "book")
    assert [found[layer].fact for layer in ("base", "recall", "book")] == [False, False, True]
    assert found["base"].read == ("upload.py",)
    # Every layer begins with the broken file, so each could repair it.
    assert all(attempt.passed for attempt in found.values())


def test_the_same_prompt_is_answered_once(tmp_path):
    engine = FakeEngine(["I do not know.", RIGHT.answer])
    engine.load(Path("fake"))
    found = attempts(RIGHT, ["recall", "book"], tmp_path, engine, options(), embedder="none")
    assert [attempt.outcome for attempt in found.values()] == ["no edit", "no edit"]
    assert len(engine.asked) == 1


def test_a_second_turn_reads_what_the_test_said(tmp_path):
    wrong = EDIT.format("upload.py", "TRIES = 1", "TRIES = 2")
    right = EDIT.format("upload.py", "TRIES = 2", "TRIES = 4")
    engine = FakeEngine([wrong, right])
    engine.load(Path("fake"))
    found = attempts(BOOK, ["book", "repair"], tmp_path, engine, options(), embedder="none")
    assert (found["book"].outcome, found["repair"].outcome) == ("failed", "passed")
    first, second = engine.asked
    assert [m.role for m in second] == ["system", "user", "assistant", "user"]
    assert second[1] == first[1]
    assert second[2].content == wrong.strip()
    assert "an upload was tried 2 times" in second[3].content


def test_a_task_that_passed_needs_no_second_turn(tmp_path):
    engine = FakeEngine([BOOK.answer])
    engine.load(Path("fake"))
    found = attempts(BOOK, ["book", "repair"], tmp_path, engine, options(), embedder="none")
    assert found["repair"].passed
    assert len(engine.asked) == 1


def test_a_task_that_is_not_well_formed_is_refused(tmp_path):
    good = (FOLDER / "c-ring-size.task").read_text()
    path = tmp_path / "bad.task"
    for old, new, said in [
        ("ease = 1", "ease = 9", "ease is 9"),
        ('fact = "ring.h"', 'fact = "none.h"', "no file none.h"),
        ('title = "', 'colour = "', "title"),
        ("-- file words.h --", "-- file ring.h --", "two sections"),
        ("-- answer --", "-- note A --", "bad.task"),
    ]:
        path.write_text(good.replace(old, new, 1))
        with pytest.raises(ValueError, match=said):
            read_task(path)


def test_wilson_intervals():
    assert report.interval(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert report.interval(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert report.interval(0, 0) == (0.0, 1.0)


def a_run(*passed: str, date: str = "2026-11-20T10:00:00+00:00") -> report.Run:
    """A run of three tasks on one layer, one of them left out."""
    found = {
        name: {"base": Attempt("passed" if name in passed else "failed", "said", read=("a",))}
        for name in ("python-limit", "sql-largest-first")
    }
    found["c-ring-size"] = {"base": Attempt("left out", "cc is not installed")}
    return report.Run(date, "m", "llama", "abc", 1, 2.0, False, found)


def test_a_run_is_kept_and_read_again(tmp_path):
    first = a_run("python-limit")
    path = first.keep(tmp_path)
    assert report.Run.from_json(path.read_text()) == first
    for text in ("[]", "{}", '{"version": 9}', '{"version": 1}', "x"):
        with pytest.raises(ValueError):  # noqa: PT011 - several reasons
            report.Run.from_json(text)


def test_regressions_are_named_task_by_task():
    table = report.against(a_run("sql-largest-first"), a_run("python-limit"))
    assert [row[:1] + row[2:] for row in map(list, table.rows)] == [
        ["python-limit", "pass", "–"],
        ["sql-largest-first", "–", "pass"],
    ]
    assert report.against(a_run(), a_run()).notes == ["Nothing turned."]


def test_what_was_left_out_does_not_count():
    rows = report.rates(a_run("python-limit"), LAYERS).rows
    assert rows[0][:4] == ["base", "2", "1", "50%"]
    assert "cc is not installed" in report.by_task(a_run(), ["base"]).text()
