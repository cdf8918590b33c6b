"""Proves the tasks and the way through them, without a model.

Each test has to fail on the project as it is. Then the reference answer takes the
way that a model's answer takes: the same search, prompt, reading, placing and
writing. Its test has to pass, and what the task needs has to be in the prompt.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.tasks.sandbox import missing_tool, run_test
from bench.tasks.task import Task
from bench.tasks.trying import Attempt, Layer, attempts, opened
from commonplace.chat.answer import CHARACTERS_PER_TOKEN, SMALL_PASSAGES, AnswerOptions
from commonplace.edits.proposed import Replace
from commonplace.edits.reading import read_answer
from commonplace.engine.fake import FakeEngine

REACHED: dict[str, Layer] = {"file": "base", "recall": "recall", "book": "book"}
"""The first layer whose prompt has to hold what a task needs."""


SEEN = int(SMALL_PASSAGES * CHARACTERS_PER_TOKEN / 2)
"""Characters of one passage in the prompt of a small model, as `chat.answer` cuts them."""


def options(*, small: bool = False) -> AnswerOptions:
    """Return how answers are asked for, by default from a model that is not small."""
    return AnswerOptions().for_model("reference", 4096, 1 if small else 7_000_000_000)


def problems(task: Task, folder: Path, *, embedder: str = "built-in") -> Iterator[str]:
    """Yield what is wrong with `task`, tried in folders below `folder`."""
    if missing_tool(task):
        return
    with opened(task, folder / "before", embedder=embedder) as memory:
        before = run_test(task, memory.root)
    if before.outcome != "failed":
        yield f"the test of the broken project {before.outcome}"
    elif not before.output:
        yield "the test fails without a word"
    if any(line not in task.files[task.open][:SEEN] for line in old_lines(task.answer)):
        yield f"what changes is not in the {SEEN} characters of {task.open} a small model reads"
    for small in (False, True):
        layer = REACHED[task.needs]
        attempt = reference(task, layer, folder / f"after-{small}", small=small, embedder=embedder)
        who = "a small model" if small else "a model"
        if not attempt.passed:
            yield f"the reference for {who} {attempt.outcome}: {attempt.output}"
        if not attempt.fact:
            yield f"on the layer {layer} {who} does not read what the task needs"


def old_lines(answer: str) -> list[str]:
    """Return the lines that the first edit of `answer` takes away."""
    [edit, *_] = read_answer(answer)
    return edit.old.splitlines() if isinstance(edit, Replace) else []


def reference(
    task: Task, layer: Layer, folder: Path, *, small: bool, embedder: str = "built-in"
) -> Attempt:
    """Return what becomes of the reference answer on `layer`."""
    engine = FakeEngine([task.answer])
    engine.load(Path("reference"))
    chosen = options(small=small)
    return attempts(task, [layer], folder, engine, chosen, embedder=embedder)[layer]


def check(tasks: Sequence[Task]) -> bool:
    """Print what is wrong with each of `tasks`; return whether nothing is."""
    good = True
    for task in tasks:
        with tempfile.TemporaryDirectory(prefix="commonplace-tasks-") as folder:
            found = list(problems(task, Path(folder)))
        tool = missing_tool(task)
        state = f"left out: {tool} is not installed" if tool else "; ".join(found) or "right"
        print(f"  {task.name:<32}{state}", flush=True)
        good = good and not found
    return good
