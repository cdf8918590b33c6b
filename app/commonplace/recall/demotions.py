"""Code that counts less, unless the question asks for it.

Tests, examples, generated and vendored code; and code for other systems, where
the same has been found for this one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from commonplace.recall.shapes import Question
from commonplace.words import said

TESTS = re.compile(
    r"(?:^|/)(?:tests?|testing|specs?|__tests__|testdata|fixtures?|mocks?)(?:/|$)"
    r"|(?:^|/)test_[^/]*$|[._-](?:test|tests|spec)\.[^/]*$|(?:Test|Tests|Spec)\.\w+$"
)
EXAMPLES = re.compile(
    r"(?:^|/)(?:examples?|samples?|demos?|benchmarks?|bench)(?:/|$)", re.IGNORECASE
)
GENERATED = re.compile(
    r"(?:^|/)(?:vendor|third_party|dist|generated|_generated)/|\.min\.\w+$|\.lock$|_pb2\.py$"
    r"|(?:^|/)(?:package-lock\.json|yarn\.lock|poetry\.lock)$"
)
ASKS_TESTS = frozenset({"test", "tests", "testing", "spec", "fixture", "mock"})
ASKS_EXAMPLES = frozenset({"example", "examples", "sample", "demo", "benchmark"})
POSIX = frozenset({"unix", "posix"})
SYSTEMS = {
    "linux": frozenset({"linux"}) | POSIX,
    "darwin": frozenset({"darwin", "macos", "mac", "osx", "bsd"}) | POSIX,
    "win32": frozenset({"windows", "win32", "win", "winnt"}),
}
OTHERS = frozenset(
    {"freebsd", "openbsd", "netbsd", "aix", "sunos", "solaris", "hurd", "haiku", "os390", "cygwin"}
)
PLATFORMS = frozenset().union(*SYSTEMS.values(), OTHERS)
WORD = re.compile(r"[^\W_]+")
ASIDE = 0.4
"""What tests, examples and generated code keep of their score."""
FOREIGN = 0.8
"""What code for another system keeps: whoever asks most often means the system at hand."""


class Demotion(NamedTuple):
    """Why a file counts less, and which part of its score it keeps."""

    reason: str = ""
    keeps: float = 1.0


NONE = Demotion()


class Demotions:
    """Says what counts less for one question, knowing all `paths` that were found.

    `system` is what `sys.platform` says of the machine.
    """

    def __init__(
        self, question: Question, paths: Iterable[str], system: str = sys.platform
    ) -> None:
        asked = set(WORD.findall(question.text.lower()))  # stop words too, such as "example"
        self._tests = not asked & ASKS_TESTS
        self._examples = not asked & ASKS_EXAMPLES
        own = SYSTEMS.get(system, POSIX)
        self._foreign: frozenset[str] = frozenset()
        if not asked & PLATFORMS and any(own & platforms_in(path) for path in paths):
            self._foreign = PLATFORMS - own

    def of(self, path: str) -> Demotion:
        """Return how much the file at `path` counts less."""
        aside = kinds_of(path)
        if self._tests and "test" in aside:
            return Demotion(said("test code counts less"), ASIDE)
        if self._examples and "example" in aside:
            return Demotion(said("example code counts less"), ASIDE)
        if "generated" in aside:
            return Demotion(said("generated or vendored code counts less"), ASIDE)
        if self._foreign & platforms_in(path):
            return Demotion(said("code for another system counts less"), FOREIGN)
        return NONE


def is_aside(path: str) -> bool:
    """Whether a file is a test, an example, generated or vendored."""
    return bool(kinds_of(path))


@lru_cache(maxsize=20_000)
def kinds_of(path: str) -> frozenset[str]:
    """Return which of ``test``, ``example`` and ``generated`` a file is."""
    patterns = {"test": TESTS, "example": EXAMPLES, "generated": GENERATED}
    return frozenset(kind for kind, pattern in patterns.items() if pattern.search(path))


@lru_cache(maxsize=20_000)
def platforms_in(path: str) -> frozenset[str]:
    """Return the systems that the parts of a path name."""
    return PLATFORMS.intersection(WORD.findall(path.lower()))
