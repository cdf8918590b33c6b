r"""Grammars in GBNF: forms of answers that a model cannot break.

A model under a grammar can only write what the grammar describes, however
small it is. `choice_grammar` and `edits_grammar` make those the program needs;
`check_grammar` refuses what llama.cpp would not survive.

Form: https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from commonplace.edits.grammar import edits_grammar, literal
from commonplace.errors import EngineError

__all__ = ["check_grammar", "choice_grammar", "edits_grammar", "literal"]

MAX_BYTES = 64 << 10
MAX_REPETITIONS = 2000
"""llama.cpp writes every repetition out; beyond this it takes minutes."""

_RULE = re.compile(r"^\s*([A-Za-z][A-Za-z0-9-]*)\s*::=", re.MULTILINE)
_LITERAL = re.compile(r'"(?:\\.|[^"\\\n])*"|\[(?:\\.|[^\]\\\n])*\]')
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_REPEAT = re.compile(r"\{\s*(\d*)\s*,?\s*(\d*)\s*\}")
_COMMENT = re.compile(r"#[^\n]*")


def choice_grammar(choices: Sequence[str]) -> str:
    """Return the grammar of an answer that is exactly one of `choices`."""
    if not choices or not all(choices):
        raise EngineError("There is nothing to choose from.", "Offer at least one choice.")
    return "root ::= " + " | ".join(literal(choice) for choice in choices) + "\n"


def check_grammar(text: str) -> None:
    """Raise `EngineError` for a grammar that is too large, has holes or no end.

    Left recursion has llama.cpp run until its stack is full, and a rule that is
    not there ends it.
    """
    if len(text.encode()) > MAX_BYTES:
        raise _bad(f"it is longer than {MAX_BYTES:,} bytes")
    bodies = _bodies(text)
    if "root" not in bodies:
        raise _bad("it has no rule named root")
    for name, body in bodies.items():
        for low, high in _REPEAT.findall(body):
            if max(int(low or 0), int(high or 0)) > MAX_REPETITIONS:
                raise _bad(f"{name} repeats more than {MAX_REPETITIONS:,} times")
        for used in _NAME.findall(_REPEAT.sub(" ", body)):
            if used not in bodies:
                raise _bad(f"{name} uses {used}, which is nowhere described")
    _check_recursion(bodies)


def _bodies(text: str) -> dict[str, str]:
    """Return the rules by name, literals replaced by a sign: ``'"'`` or ``'""'`` if empty."""
    plain = _LITERAL.sub(lambda found: '""' if found[0] == '""' else '"', text)
    plain = _COMMENT.sub("", plain)
    if plain.count("(") != plain.count(")"):
        raise _bad("its parentheses do not match")
    parts = _RULE.split(plain)
    if parts[0].strip():
        raise _bad(f"it begins with {parts[0].strip()[:20]!r} and not with a rule")
    names, bodies = parts[1::2], parts[2::2]
    if len(set(names)) != len(names):
        raise _bad("a rule is described twice")
    return dict(zip(names, bodies, strict=True))


def _check_recursion(bodies: dict[str, str]) -> None:
    """Refuse rules that can come back to themselves before anything is written."""
    first = {name: _firsts(body) for name, body in bodies.items()}
    for start in bodies:
        seen: set[str] = set()
        waiting = list(first[start])
        while waiting:
            name = waiting.pop()
            if name == start:
                raise _bad(f"{start} begins with itself")
            if name not in seen:
                seen.add(name)
                waiting += first.get(name, set())


def _firsts(body: str) -> set[str]:
    """Return the rules that an alternative of `body` may begin with.

    Cautious: what follows something that may be empty counts as a beginning.
    """
    signs = re.findall(r'""|"|[A-Za-z][A-Za-z0-9-]*|[()|*+?.]|\{[^}]*\}', body)
    found: set[str] = set()
    beginning = [True]
    for index, sign in enumerate(signs):
        after = signs[index + 1] if index + 1 < len(signs) else ""
        optional = after in {"*", "?"} or after.startswith(("{0", "{,", "{ 0"))
        if sign == "(":
            beginning.append(beginning[-1])
        elif sign == ")":
            inner = beginning.pop() if len(beginning) > 1 else beginning[-1]
            beginning[-1] = beginning[-1] and (inner or optional)
        elif sign == "|":
            beginning[-1] = beginning[-2] if len(beginning) > 1 else True
        elif sign in {'"', "."}:
            beginning[-1] = beginning[-1] and optional
        elif _NAME.fullmatch(sign):
            if beginning[-1]:
                found.add(sign)
            beginning[-1] = beginning[-1] and optional
    return found


def _bad(why: str) -> EngineError:
    return EngineError(f"The grammar cannot be used: {why}.", "Mend the grammar.")
