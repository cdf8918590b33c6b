"""The stages that ask: documentation, notes and commits, of recall and its alternatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from commonplace.measure import asking, speed
from commonplace.measure.history import Change, changes
from commonplace.measure.questions import Question, documentation, from_notes
from commonplace.measure.results import Asked, Speed, decoded
from commonplace.measure.trees import Git, Tree
from commonplace.measure.work import Work, state_below
from commonplace.memory.commits import read_commits
from commonplace.recall.documented import Documented


def ask_all(work: Work) -> None:
    """Ask what documentation, notes and commits ask, and take recall's speed."""
    if work.taken.embedder is None or not work.taken.vectors:
        work.leave_out("Plain vectors were not asked: there are none (recall.embedder).")
    if len(work.taken.files()) > asking.GREP_FILES:
        work.leave_out(f"grep was not asked: there are more than {asking.GREP_FILES:,} files.")
    items = documentation(work.taken, work.wanted.size.questions, work.wanted.seed)
    _documentation(work, items)
    _notes(work)
    _history(work)
    texts = [item.text for item in items]
    if texts:
        timed = work.journal.once(
            "speed recall", lambda: asdict(speed.asking(work.taken, texts, work.stop))
        )
        work.found.speed.append(decoded(Speed, timed, "speed"))


def _documentation(work: Work, items: Sequence[Documented]) -> None:
    work.check("documentation")
    if not items:
        work.leave_out(
            "Documentation asks no questions: no function or class here has a sentence about it "
            "and enough code below."
        )
        return

    def ask() -> list[dict[str, Any]]:
        answers = []
        with asking.documentation_corpus(work.taken, items, work.stop) as corpus:
            for number, item in enumerate(items):
                work.check("documentation", number, len(items))
                question = Question("documentation", item.text, (item.path,))
                answers.append(asdict(corpus.ask(question)))
        return answers

    work.found.asked += _asked(work.journal.once("documentation", ask))


def _notes(work: Work) -> None:
    work.check("notes")
    kept = work.taken.kept_notes()
    count, seed = work.wanted.size.questions, work.wanted.seed
    questions = from_notes(work.taken, count, seed) if kept else []
    if not questions:
        why = f"none of {kept} kept notes has an anchor to a file" if kept else "none is kept"
        work.leave_out(f"Notes ask no questions: {why}.")
        return

    def ask() -> list[dict[str, Any]]:
        corpus = asking.corpus_of(work.taken)
        return [asdict(corpus.ask(question)) for question in questions]

    work.found.asked += _asked(work.journal.once("notes", ask))


def _history(work: Work) -> None:
    work.check("history")
    git, files = Git(work.taken.root), len(work.taken.files())
    if not git.head():
        work.leave_out(
            "Commits ask no questions: there is no git history of this folder, or no git."
        )
        return
    if files > work.wanted.size.history_files:
        quick = " in a quick measurement" if work.wanted.quick else ""
        work.leave_out(
            f"Commits were not asked: {files:,} files are too many to lay out again and "
            f"again{quick}."
        )
        return
    commits = read_commits(work.taken.root, stop=work.stop)
    wanted = changes(commits, work.wanted.size.commits, work.wanted.seed)
    folder = work.scratch / "tree"
    folder.mkdir()
    past = asking.Past(
        Tree(git, folder),
        folder,
        state_below(work.scratch / "history"),
        work.settings.recall_embedder,
    )
    asked: list[Asked] = []
    for number, change in enumerate(wanted):
        work.check("history", number, len(wanted))
        found = work.journal.once(f"history {change.id}", _asker(work, git, past, change))
        if found is not None:
            asked += _asked([found])
    work.found.asked += asked
    if not asked:
        work.leave_out(
            "Commits ask no questions: none says in words what it changed in files that were there."
        )


def _asker(
    work: Work, git: Git, past: asking.Past, change: Change
) -> Callable[[], dict[str, Any] | None]:
    def ask() -> dict[str, Any] | None:
        parent = git.parent(change.id)
        if not parent:  # the first commit, or a shallow clone ends here
            return None
        asked = past.ask(change, parent, work.taken.embedder, work.stop)
        return None if asked is None else asdict(asked)

    return ask


def _asked(data: Sequence[object]) -> list[Asked]:
    return [decoded(Asked, item, "asked") for item in data]
