#!/usr/bin/env python3
"""Write ``constraints.txt``: the newest versions that ``pyproject.toml`` allows.

Asks pip what it would install into an empty environment, our own build tools
included, and installs nothing. Run it with the Python of ``.venv``, whose pip
knows ``--report``.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

#: What builds our package and the ones that come as source.
BUILD_TOOLS = (
    "pip",
    "hatchling",
    "editables",
    "scikit-build-core",
    "cmake",
    "ninja",
    "setuptools",
    "wheel",
    "pybind11",
)

#: Moved by hand: not every version of torch can be had as a small CPU build.
HELD = ("torch==2.13.0",)

HEADER = """\
# The exact versions that Commonplace is built and tested with.
# Regenerate with `make constraints`, then run `make test`; pyproject.toml has the ranges.
# Resolved on Linux with Python {python}: what only another system needs is not pinned here.
"""


def main() -> int:
    """Resolve and write the file; return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
        wanted = ["--editable", f"{ROOT}[dev]", *BUILD_TOOLS, *HELD]
        done = subprocess.run([*command, "--report", str(report), *wanted], check=False)
        if done.returncode:
            return done.returncode
        resolved = json.loads(report.read_text(encoding="utf-8"))
    pins = sorted(
        f"{canonical(item['metadata']['name'])}=={public(item['metadata']['version'])}"
        for item in resolved["install"]
        if canonical(item["metadata"]["name"]) != "commonplace"
    )
    python = ".".join(map(str, sys.version_info[:2]))
    text = HEADER.format(python=python) + "\n".join(pins) + "\n"
    (ROOT / "constraints.txt").write_text(text, encoding="utf-8")
    return 0


def canonical(name: str) -> str:
    """Return `name` as package indexes write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def public(version: str) -> str:
    """Return `version` without a local part: torch's +cpu is one index's word, not ours."""
    return version.partition("+")[0]


if __name__ == "__main__":
    sys.exit(main())
