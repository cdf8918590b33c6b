"""Reads the tasks: one text file each, a header in TOML and sections.

The sections of a task are begun by a line of their own::

    -- file NAME --      a file of the project
    -- test NAME --      a file that is there only while the test runs
    -- note TITLE --     a note that is kept in the project's book
    -- answer --         the reference: an answer in the form of an edit

The header names the task's ``title``, ``language``, ``ease`` (0 the words spell the
new line out, 1 one token, 2 one line, 3 several lines), ``open`` (the file that is
open), ``prompt``, ``test`` (the command) and, unless the open file is enough, what
the decisive fact ``needs``: ``recall`` (it stands in another file, named by
``fact``) or ``book`` (it stands in a note alone).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

FOLDER = Path(__file__).resolve().parent / "set"
SECTION = re.compile(r"^-- (file|test|note|answer)(?: (.+?))? --\n", re.MULTILINE)

Needs = Literal["file", "recall", "book"]
Language = Literal["python", "sh", "bash", "awk", "c", "sql", "perl", "javascript"]
TOOLS: Mapping[Language, str] = {
    "python": "{python}", "sh": "sh", "bash": "bash", "awk": "awk", "c": "cc", "sql": "sqlite3",
    "perl": "perl", "javascript": "node",
}  # fmt: skip
"""The program that a test in each language needs."""


@dataclass(frozen=True, slots=True)
class Task:
    """One repair; see the module for what its parts mean.

    `files` and `tests` are texts by path, `notes` texts by title.
    """

    name: str
    title: str
    language: Language
    ease: int
    needs: Needs
    open: str
    fact: str
    prompt: str
    test: tuple[str, ...]
    files: Mapping[str, str]
    tests: Mapping[str, str]
    notes: Mapping[str, str]
    answer: str

    @property
    def question(self) -> str:
        """What a person types who has the file open."""
        return f"/edit @{self.open} {self.prompt}"


@cache
def tasks() -> tuple[Task, ...]:
    """Return all tasks, by name; raises `ValueError` for one that is not well formed."""
    return tuple(read_task(path) for path in sorted(FOLDER.glob("*.task")))


def chosen(names: Sequence[str]) -> list[Task]:
    """Return the tasks whose name holds one of `names`, or all; raises `ValueError`."""
    found = [task for task in tasks() if not names or any(name in task.name for name in names)]
    if not found:
        raise ValueError(f"there is no task named {', '.join(names)}")
    return found


def read_task(path: Path) -> Task:
    """Return the task in the file at `path`; raises `ValueError` naming what is wrong."""
    try:
        return _task(path.stem, path.read_text(encoding="utf-8"))
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path.name}: {error}") from error


def _task(name: str, text: str) -> Task:
    head, *rest = SECTION.split(text)
    header = tomllib.loads(head)
    parts: dict[str, dict[str, str]] = {"file": {}, "test": {}, "note": {}, "answer": {}}
    for kind, title, body in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        if (title or "") in parts[kind]:
            raise ValueError(f"two sections {kind} {title}")
        parts[kind][title or ""] = body
    task = Task(
        name=name,
        title=header.pop("title"),
        language=header.pop("language"),
        ease=header.pop("ease"),
        needs=header.pop("needs", "file"),
        open=header["open"],
        fact=header.pop("fact", header.pop("open")),
        prompt=header.pop("prompt"),
        test=tuple(header.pop("test")),
        files=parts["file"],
        tests=parts["test"],
        notes=parts["note"],
        answer=parts["answer"][""],
    )
    _check(task, header)
    return task


def _check(task: Task, unknown: Mapping[str, object]) -> None:
    wrong = [
        unknown and f"unknown keys {', '.join(unknown)}",
        task.language not in get_args(Language) and f"unknown language {task.language}",
        task.needs not in get_args(Needs) and f"it needs {task.needs}",
        task.ease not in {0, 1, 2, 3} and f"ease is {task.ease}",
        task.open not in task.files and f"there is no file {task.open}",
        task.fact not in task.files and f"there is no file {task.fact}",
        (task.needs == "recall") != (task.fact != task.open) and "it needs recall, or does not",
        len(task.files) + len(task.tests) > 6 and "too many files",
        not task.tests and "there is no test",
        (task.needs == "book") != bool(task.notes) and "a note where none is needed, or none",
    ]
    for reason in wrong:
        if reason:
            raise ValueError(reason)
