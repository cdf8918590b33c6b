"""Which build this is: its version, commit and day, and what is known to be inside.

A package carries ``resources/build.json``, written when it was made. A checkout has
none: it is a development version, and whoever runs it has the sources beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from commonplace import __version__
from commonplace.paths import resource

FILE = "build.json"
DEVELOPMENT = "development"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Build:
    """One build of the program.

    `commit` is the revision of the sources, `date` the day they were committed
    (ISO 8601), `sbom_sha256` the checksum of the bill of materials that is installed
    with the program, in hexadecimal. All three are empty for a checkout.
    """

    version: str
    commit: str = ""
    date: str = ""
    sbom_sha256: str = ""

    @property
    def name(self) -> str:
        """What this build is called: the day of its sources, or ``development``."""
        return self.date or DEVELOPMENT

    def lines(self) -> tuple[str, ...]:
        """Return what ``--version`` prints, line by line."""
        facts = (("build", self.name), ("commit", self.commit), ("SBOM", self._sbom()))
        return (
            f"commonplace {self.version}",
            *(f"{name:7}{value}" for name, value in facts if value),
        )

    def _sbom(self) -> str:
        return f"sha256:{self.sbom_sha256}" if self.sbom_sha256 else ""


@cache
def this_build() -> Build:
    """Return the build that runs."""
    return read_build(resource(FILE))


def read_build(path: Path) -> Build:
    """Read the description of a build; without a sound one it is a development version."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Build(__version__)
    if not isinstance(data, Mapping):
        return Build(__version__)
    checksum = _text(data, "sbom_sha256").lower()
    return Build(
        _text(data, "version") or __version__,
        _text(data, "commit"),
        _text(data, "date"),
        checksum if _SHA256.fullmatch(checksum) else "",
    )


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return " ".join(value.split()) if isinstance(value, str) and value.isprintable() else ""
