"""What can be typed into a question besides words: ``/`` commands and ``@`` mentions.

A command is a template from ``resources/prompts`` around the words that follow
it. What is kept and shown is what was typed; the model reads the template, and
recall looks for the words alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from heapq import nsmallest
from itertools import islice

from commonplace.paths import resource

MENTION = re.compile(r'(?<!\S)@(?:"([^"\n]+)"|([^\s@"]*[^\s@".,;:!?)]))')
SELECTION = "selection"
"""The mention that stands for what is selected in the code view."""


NOTE = "note:"
"""What the mention of a note begins with; its title follows, in quotes."""
LOOKED_AT = 1000
Place = tuple[str, str, str]
"""A path, the path in lower case, and its last part in lower case."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command by its name. `staged` says that it reads the staged changes.

    The answer to one with `edits` is a change of files, to be reviewed.
    One without a `template` is no question but opens something in the window.
    """

    name: str
    about: str
    staged: bool = False
    template: bool = True
    edits: bool = False


COMMANDS = (
    Command("explain", "Explain code in plain words"),
    Command("edit", "Propose a change of files, to review", edits=True),
    Command("fix", "Find what is wrong and correct it"),
    Command("tests", "Write tests in the style of the project"),
    Command("document", "Write a documentation comment"),
    Command("commit", "Write a message for the staged changes", staged=True),
    Command("changes", "Summarise the staged changes", staged=True),
    Command("usages", "Find where a name is used", template=False),
)


def command_of(question: str) -> tuple[Command | None, str]:
    """Return the command that `question` begins with, and the words after it."""
    first, _, rest = question.strip().partition(" ")
    if first.startswith("/"):
        name, newline, more = first[1:].partition("\n")
        for command in COMMANDS:
            if command.name == name:
                return command, f"{more} {rest}".strip() if newline else rest.strip()
    return None, question


def mentions_of(question: str) -> tuple[str, ...]:
    """Return what is mentioned with ``@``, in order, each once."""
    found = (match[1] or match[2] for match in MENTION.finditer(question))
    return tuple(dict.fromkeys(found))


def mention(path: str) -> str:
    """Return `path` as it is typed."""
    return f'@"{path}"' if re.search(r'[\s@".,;:!?)]$|[\s@"]', path) else f"@{path}"


def words_for_model(question: str) -> str:
    """Return what the model is asked: the command's template around the words."""
    command, request = command_of(question)
    if command is None or not command.template:
        return question
    return _template(command.name).replace("{request}", request).strip()


def wants_edits(question: str) -> bool:
    """Return whether `question` asks for a change of files."""
    command, _ = command_of(question)
    return command is not None and command.edits


def words_for_recall(question: str) -> str:
    """Return what recall looks for: the words, and mentioned paths as words."""
    _, request = command_of(question)
    plain = MENTION.sub(lambda match: match[1] or match[2], request).strip()
    return plain or question


def places_of(paths: Sequence[str]) -> list[Place]:
    """Return the files `paths` and the folders above them, the shortest first."""
    folders: set[str] = set()
    for path in paths:
        above = path.rpartition("/")[0]
        while above and above not in folders:
            folders.add(above)
            above = above.rpartition("/")[0]
    found = [*paths, *(f"{folder}/" for folder in folders)]
    found.sort(key=lambda path: (len(path), path))
    return [
        (path, low, low.rstrip("/").rpartition("/")[2]) for path in found for low in [path.lower()]
    ]


def completions(places: Sequence[Place], typed: str, limit: int) -> list[str]:
    """Return the places that hold `typed`, best first.

    Names that begin with it come before names that hold it, and those before
    other paths; short before long. Of very many, the shortest are looked at.
    """
    wanted = typed.lower()
    held = ((path, name) for path, low, name in places if wanted in low)
    ranked = [
        (not name.startswith(wanted), wanted not in name, position, path)
        for position, (path, name) in enumerate(islice(held, LOOKED_AT))
    ]
    return [row[-1] for row in nsmallest(limit, ranked)]


@cache
def _template(name: str) -> str:
    return resource("prompts", f"{name}.md").read_text(encoding="utf-8").strip()
