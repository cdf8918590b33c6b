"""What became of the code that a note speaks of.

An anchor keeps a fingerprint of the code as it was. The same fingerprint in
the same place is fresh; under another name or in another file it is followed;
another one is a change, shown with the text before and after; none at all
means that the code is gone.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from commonplace.book.code import Code
from commonplace.book.note import Anchor, AnchorCheck, AnchorState
from commonplace.index.fingerprints import ALGORITHM, Source, Symbol
from commonplace.index.words import SEPARATORS
from commonplace.words import said

TELLING = 12
"""Tokens below which code is alike by chance, so that only its name can tell it."""
NEEDLE = 20
"""Characters of a line by which moved code is looked for."""
MAX_NEEDLES = 200
MAX_CANDIDATES = 40
MAX_SHOWN = 20_000
HELD = 4
"""Parsed files kept at a time."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A piece of code that an anchor may mean: where it is, what it says."""

    path: str
    symbol: str
    start_line: int
    end_line: int
    fingerprint: str
    text: str
    weight: int


class Checker:
    """Checks anchors against `code`. Anchors of one file should come one after another."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._sources: dict[str, Source | None] = {}
        self._needles = 0

    def spot(self, anchor: Anchor) -> Spot | None:
        """Return what an anchor means now, by its name and place alone."""
        source = self._source(anchor.path)
        if source is None:
            return None
        if anchor.symbol:
            found = source.named(anchor.symbol)
            return self._of_symbol(source, found[0]) if found else None
        if anchor.start_line:
            if anchor.end_line > len(source.lines):
                return None
            return self._of_lines(source, anchor.start_line, anchor.end_line)
        return self._of_file(source)

    def ambiguous(self, anchor: Anchor) -> list[str]:
        """Return the names that a symbol's name may mean, if there are several."""
        source = self._source(anchor.path)
        names = {s.name for s in source.named(anchor.symbol)} if source else set()
        return sorted(names) if len(names) > 1 else []

    def names_like(self, anchor: Anchor) -> list[str]:
        """Return a few names that the anchored file defines, for a message."""
        source = self._source(anchor.path)
        return [s.name for s in source.symbols[:5]] if source else []

    def text_of(self, check: AnchorCheck) -> str:
        """Return the text of the code that a check found."""
        source = self._source(check.path)
        return source.text(check.start_line, check.end_line) if source is not None else ""

    def check(self, anchor: Anchor, mark: str, before: str = "") -> AnchorCheck:
        """Say what became of an anchor whose code had the fingerprint `mark`.

        `before` is the text it had then, where it is known.
        """
        mark = self._translated(anchor, mark, before)
        if not mark:
            spot = self.spot(anchor)
            what = said("it was noted by another version; look at it and confirm the note")
            return _found(anchor, "unchecked", what, spot, before)
        here = self._here(anchor)
        for spot in here:
            if spot.fingerprint == mark:
                return _found(anchor, "fresh", "", spot, "")
        if anchor.start_line:
            return self._check_lines(anchor, mark, before, here)
        if here:
            spot = _nearest(here, mark)
            return _found(anchor, "changed", _difference(anchor, mark, spot), spot, before)
        return self._follow(anchor, mark, before)

    def _check_lines(self, anchor: Anchor, mark: str, before: str, here: list[Spot]) -> AnchorCheck:
        for path in dict.fromkeys([anchor.path, *self._elsewhere(anchor, before)]):
            source = self._source(path)
            found = source.find_lines(mark) if source is not None else []
            if source is not None and found:
                start, end = min(found, key=lambda lines: abs(lines[0] - anchor.start_line))
                spot = self._of_lines(source, start, end)
                same = path == anchor.path
                where = f"{path}:{start}-{end}"
                what = "" if same else said(f"its lines are now in {where}")
                return _found(anchor, "fresh" if same else "moved", what, spot, "")
        if here:
            return _found(anchor, "changed", said("its lines changed"), here[0], before)
        what = (
            said("the file is gone")
            if self._source(anchor.path) is None
            else said("its lines are gone")
        )
        return _found(anchor, "gone", what, None, before)

    def _follow(self, anchor: Anchor, mark: str, before: str) -> AnchorCheck:
        """Look for code that is not where it was."""
        alike: list[Spot] = []
        same_name: list[Spot] = []
        for spot in self._candidates(anchor, before):
            owned = _same_owner(spot.symbol, anchor.symbol)
            if spot.fingerprint == mark:
                if owned and SEPARATORS.split(spot.symbol)[:-1]:
                    return self._moved(anchor, spot)
                if owned or spot.weight >= TELLING or not anchor.symbol:
                    alike.append(spot)
            elif owned and anchor.symbol and spot.path != anchor.path:
                same_name.append(spot)
        named = [spot for spot in alike if _last(spot.symbol) == _last(anchor.symbol)]
        nearby = [spot for spot in named or alike if spot.path == anchor.path] or named or alike
        if len(nearby) == 1:
            return self._moved(anchor, nearby[0])
        if len(same_name) == 1:
            spot = same_name[0]
            what = said(f"it moved to {spot.path} and changed")
            return _found(anchor, "changed", what, spot, before)
        missing = self._source(anchor.path) is None
        what = (
            said("the file is gone") if missing else said(f"there is no {anchor.symbol} any more")
        )
        return _found(anchor, "gone", what, None, before)

    def _moved(self, anchor: Anchor, spot: Spot) -> AnchorCheck:
        now = f"{spot.path}::{spot.symbol}" if spot.symbol else spot.path
        renamed = spot.path == anchor.path
        what = said(f"it is renamed to {now}") if renamed else said(f"it is now {now}")
        return _found(anchor, "moved", what, spot, "")

    def _candidates(self, anchor: Anchor, before: str) -> Iterator[Spot]:
        """Yield code that may be what the anchor meant: nearest first."""
        source = self._source(anchor.path)
        if anchor.symbol and source is not None:
            yield from (self._of_symbol(source, symbol) for symbol in source.symbols)
        paths: Iterable[str] = self._code.named(anchor.symbol) if anchor.symbol else ()
        for path in [*paths, *self._elsewhere(anchor, before)][:MAX_CANDIDATES]:
            source = self._source(path)
            if source is None or path == anchor.path:
                continue
            if anchor.symbol:
                yield from (self._of_symbol(source, symbol) for symbol in source.symbols)
            else:
                yield self._of_file(source)

    def _elsewhere(self, anchor: Anchor, before: str) -> list[str]:
        """Return other files that may hold the code: the same name, or its longest line."""
        name = PurePosixPath(anchor.path).name
        suffix = PurePosixPath(anchor.path).suffix
        others = [p for p in self._code.files() if p != anchor.path and p.endswith(suffix)]
        found = [p for p in others if PurePosixPath(p).name == name and not anchor.symbol]
        last = SEPARATORS.split(anchor.symbol)[-1] if anchor.symbol else "\0"
        lines = [line.strip() for line in before.split("\n") if last not in line]
        needle = max(lines, key=len, default="")
        if len(needle) >= NEEDLE and self._needles < MAX_NEEDLES:
            self._needles += 1
            found += [p for p in others if needle in (self._code.read(p) or "")]
        return list(dict.fromkeys(found))[:MAX_CANDIDATES]

    def _here(self, anchor: Anchor) -> list[Spot]:
        source = self._source(anchor.path)
        if source is not None and anchor.symbol:
            return [self._of_symbol(source, symbol) for symbol in source.named(anchor.symbol)]
        spot = self.spot(anchor)
        return [] if spot is None else [spot]

    def _translated(self, anchor: Anchor, mark: str, before: str) -> str:
        """Return `mark` as this version of the algorithm has it; nothing if nobody can tell."""
        if mark.startswith(f"{ALGORITHM}-"):
            return mark
        if not before:
            return ""
        source = Source(anchor.path, textwrap.dedent(before))
        if not anchor.symbol:
            if anchor.start_line:
                return str(source.of_lines(1, len(source.lines)))
            return str(source.of_file())
        named = source.named(SEPARATORS.split(anchor.symbol)[-1])
        return str(source.of_symbol(named[0])) if named else ""

    def _source(self, path: str) -> Source | None:
        if path not in self._sources:
            if len(self._sources) >= HELD:
                del self._sources[next(iter(self._sources))]
            text = self._code.read(path)
            self._sources[path] = None if text is None else Source(path, text)
        return self._sources[path]

    def _of_symbol(self, source: Source, symbol: Symbol) -> Spot:
        print_ = source.of_symbol(symbol)
        text = source.text(symbol.start_line, symbol.end_line)
        return Spot(source.path, symbol.name, symbol.start_line, symbol.end_line, str(print_),
                    text, print_.weight)  # fmt: skip

    def _of_lines(self, source: Source, start: int, end: int) -> Spot:
        print_ = source.of_lines(start, end)
        text = source.text(start, end)
        return Spot(source.path, "", start, end, str(print_), text, print_.weight)

    def _of_file(self, source: Source) -> Spot:
        print_ = source.of_file()
        count = len(source.lines)
        return Spot(source.path, "", 1, count, str(print_), source.text(1, count), print_.weight)


def _same_owner(one: str, other: str) -> bool:
    """Whether two dotted names agree as far as both say."""
    a, b = SEPARATORS.split(one), SEPARATORS.split(other)
    count = min(len(a), len(b))
    return a[-count:] == b[-count:]


def _last(name: str) -> str:
    return SEPARATORS.split(name)[-1]


def _nearest(spots: list[Spot], mark: str) -> Spot:
    """Return the spot that shares a half of `mark`: one of several of the same name."""
    halves = set(mark.split("-")[1:])
    return max(spots, key=lambda spot: len(halves & set(spot.fingerprint.split("-")[1:])))


def _difference(anchor: Anchor, mark: str, spot: Spot) -> str:
    if not anchor.symbol:
        return "the file changed"
    was, now = mark.split("-"), spot.fingerprint.split("-")
    parts = [
        name
        for name, one, other in zip(("signature", "body"), was[1:], now[1:], strict=False)
        if one != other
    ]
    return f"its {' and '.join(parts) or 'text'} changed"


def _found(
    anchor: Anchor, state: AnchorState, what: str, spot: Spot | None, before: str
) -> AnchorCheck:
    stale = state in {"changed", "gone", "unchecked"}
    return AnchorCheck(
        target=anchor.target,
        state=state,
        what=what,
        path=spot.path if spot else "",
        symbol=spot.symbol if spot else "",
        start_line=spot.start_line if spot else 0,
        end_line=spot.end_line if spot else 0,
        before=before[:MAX_SHOWN] if stale else "",
        after=spot.text[:MAX_SHOWN] if spot and stale else "",
    )
