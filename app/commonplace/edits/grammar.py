"""The form of edits that no model can break, as a grammar in GBNF.

A model under this grammar can only name files it was shown and write blocks
that `blocks.read_block` reads.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from commonplace.errors import EngineError

MARKED = re.compile("<<|>>|==|``")
"""How no line of an edit may begin."""
LONGEST = 200
"""New lines of one edit; each is a part of the grammar."""


def literal(text: str) -> str:
    """Return `text` as a GBNF literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    for character, mark in (("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"), ("\0", "\\x00")):
        escaped = escaped.replace(character, mark)
    return f'"{escaped}"'


def edits_grammar(paths: Sequence[str], *, most: int = 4) -> str:
    """Return the grammar of one to `most` edits in files among `paths`, in a code fence.

    Each is a block of the form::

        FILE path
        <<<<<<< SEARCH
        lines as they are
        =======
        lines as they shall be
        >>>>>>> REPLACE

    No line of an edit can begin with two of the signs of the marks, nor with
    two backticks, so nothing a model writes ends a block before its end.
    """
    if not paths:
        raise EngineError("There is no file to edit.", "Name at least one file.")
    return _grammar(
        'edit ::= "FILE " path "\\n<<<<<<< SEARCH\\n" line+ "=======\\n" line* '
        '">>>>>>> REPLACE\\n"\n'
        f"path ::= {' | '.join(literal(path) for path in paths)}\n",
        most,
    )


def passage_edits_grammar(
    passages: Sequence[tuple[str, str]], *, most: int = 4, longest: int = LONGEST
) -> str:
    """Return the grammar of edits that begin at lines of `passages` (path and text).

    The old lines can only be lines that follow one another in a passage, from
    one that stands there once, so a small model cannot invent them. Empty if no
    passage has such a line.
    """
    rules: list[str] = []
    edits: list[str] = []
    for number, (path, text) in enumerate(passages):
        lines = [line.rstrip("\r") for line in text.removesuffix("\n").split("\n")]
        starts = [
            f"p{number}-{at}"
            for at, line in enumerate(lines)
            if line.strip() and lines.count(line) == 1 and not MARKED.match(line)
        ]
        if not starts:
            continue
        edits.append(f"e{number}")
        rules.append(
            f'e{number} ::= {literal(path)} "\\n<<<<<<< SEARCH\\n" ({" | ".join(starts)}) '
            f'"=======\\n" line{{0,{longest}}} ">>>>>>> REPLACE\\n"'
        )
        for at, line in enumerate(lines):
            if not MARKED.match(line):
                last = at + 1 == len(lines) or MARKED.match(lines[at + 1])
                more = "" if last else f" p{number}-{at + 1}?"
                text_of_line = literal(f"{line}\n")
                rules.append(f"p{number}-{at} ::= {text_of_line}{more}")
    if not edits:
        return ""
    return _grammar(f'edit ::= "FILE " ({" | ".join(edits)})\n' + "\n".join(rules) + "\n", most)


def _grammar(edit: str, most: int) -> str:
    more = f" edit{{0,{most - 1}}}" if most > 1 else ""
    doubled = " | ".join(f'"{sign}" ([^{sign}\\n] [^\\n]*)? "\\n"' for sign in "<>=`")
    return (
        f'root ::= "```\\n" edit{more} "```\\n"\n{edit}'
        f'line ::= "\\n" | [^<>=`\\n] [^\\n]* "\\n" | {doubled}\n'
    )
