"""Ignore files: lines into rules, and rules into quick answers about names.

A rule is split at its last slash. What stands before it is compared once per
folder; what stands after it is compared with each name. So the cost of an
entry is a set lookup, a suffix check and at most one regular expression, for
all rules in force together, and only a hit looks at single rules.

Git decides folder by folder: inside an excluded folder nothing is looked at.
That is why a rule here speaks of one entry and never of what lies below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from commonplace.workspace.globs import (
    BadPatternError,
    NameGlob,
    folder_regex,
    is_double_star,
    name_glob,
    split_pattern,
)


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One line of an ignore file.

    `folder` matches the folder an entry lies in, relative to the ignore file
    and ending in a slash; None means any folder.
    """

    name: NameGlob
    name_regex: re.Pattern[str] | None
    folder: re.Pattern[str] | None
    folders_only: bool
    negated: bool

    def matches(self, name: str, is_dir: bool) -> bool:
        """Return whether the rule speaks of an entry, its folder being right."""
        if self.folders_only and not is_dir:
            return False
        if self.name.literal is not None:
            return name == self.name.literal
        if self.name.suffix is not None:
            return name.endswith(self.name.suffix)
        return self.name_regex is not None and self.name_regex.fullmatch(name) is not None


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """The rules of one ignore file, and the folder they are relative to."""

    base: str
    rules: tuple[Rule, ...]

    def relative(self, folder: str) -> str:
        """Return `folder`, which lies in the base, in the form rules compare."""
        below = folder[len(self.base) + 1 :] if self.base else folder
        return f"{below}/" if below else ""


class NameRules:
    """The rules in force for the entries of one folder, the weakest first."""

    def __init__(self, rules: Iterable[Rule], *, ignore_case: bool) -> None:
        self._rules = tuple(rules)
        self._literals = {r.name.literal for r in self._rules if r.name.literal is not None}
        self._suffixes = tuple({r.name.suffix for r in self._rules if r.name.suffix is not None})
        regexes = "|".join({r.name.regex for r in self._rules if r.name.regex is not None})
        flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
        self._regex = re.compile(regexes, flags) if regexes else None

    def decide(self, name: str, is_dir: bool) -> bool | None:
        """Return True for ignored, False for included by name, None for silence."""
        if not (
            name in self._literals
            or name.endswith(self._suffixes)
            or (self._regex is not None and self._regex.fullmatch(name))
        ):
            return None
        for rule in reversed(self._rules):
            if rule.matches(name, is_dir):
                return not rule.negated
        return None


class Chain:
    """Ignore files in force together; a later layer overrides an earlier one."""

    def __init__(self, layers: tuple[Layer, ...] = (), *, ignore_case: bool = False) -> None:
        self._layers = layers
        self._ignore_case = ignore_case
        self._located = [
            (layer, rule) for layer in layers for rule in layer.rules if rule.folder is not None
        ]
        self._made: dict[tuple[Rule, ...], NameRules] = {}
        self._longer: dict[Layer, Chain] = {}

    def with_layer(self, layer: Layer) -> Chain:
        """Return this chain and one stronger layer; the same layer, the same chain."""
        if not layer.rules:
            return self
        longer = self._longer.get(layer)
        if longer is None:
            longer = Chain((*self._layers, layer), ignore_case=self._ignore_case)
            self._longer[layer] = longer
        return longer

    def in_folder(self, folder: str) -> NameRules:
        """Return the rules for the entries of `folder`."""
        active = tuple(
            rule
            for layer, rule in self._located
            if rule.folder is not None and rule.folder.fullmatch(layer.relative(folder))
        )
        made = self._made.get(active)
        if made is None:
            chosen = set(active)
            rules = (
                rule
                for layer in self._layers
                for rule in layer.rules
                if rule.folder is None or rule in chosen
            )
            made = self._made[active] = NameRules(rules, ignore_case=self._ignore_case)
        return made


def parse_layer(data: bytes, base: str, *, ignore_case: bool = False) -> Layer:
    """Return the rules in the bytes of an ignore file that lies in `base`."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    return Layer(base, tuple(_rules(text, ignore_case=ignore_case)))


def _rules(text: str, *, ignore_case: bool) -> Iterator[Rule]:
    for line in text.split("\n"):
        rule = parse_rule(line.removesuffix("\r"), ignore_case=ignore_case)
        if rule is not None:
            yield rule


def parse_rule(line: str, *, ignore_case: bool = False) -> Rule | None:
    """Return the rule a line states; None for comments, blanks and nonsense."""
    if line.startswith("#"):
        return None
    pattern = _without_trailing_spaces(line)
    negated = pattern.startswith("!")
    pattern = pattern[negated:]
    folders_only = pattern.endswith("/")
    pattern = pattern[:-1] if folders_only else pattern
    if not pattern:
        return None
    anchored = "/" in pattern
    try:
        parts = split_pattern(pattern.removeprefix("/"))
    except BadPatternError:
        return None
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    folder = None
    if anchored:
        # "a/**" speaks of everything below a: the name is free, the folder is not.
        above = parts if is_double_star(parts[-1]) else parts[:-1]
        folder = re.compile(folder_regex(above), flags)
    if not all(parts):
        return None  # "a//b": no name is empty
    name = name_glob(parts[-1], ignore_case=ignore_case)
    name_regex = re.compile(name.regex, flags) if name.regex is not None else None
    return Rule(name, name_regex, folder, folders_only, negated)


def _without_trailing_spaces(line: str) -> str:
    end = at = 0
    while at < len(line):
        if line[at] == "\\" and at + 1 < len(line):
            at += 2
            end = at
        else:
            at += 1
            if line[at - 1] != " ":
                end = at
    return line[:end]
