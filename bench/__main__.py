"""Print the main figures: ``make bench``, or ``python -m bench [PROJECT …]``.

Without a project the standard library's own folder is measured. Recall
has a program of its own, `python -m bench.recall`.
"""

from __future__ import annotations

import argparse
import sysconfig
from pathlib import Path

from bench import project, window
from bench.machine import machine


def main() -> None:
    """Measure opening, searching, saving and the window."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("projects", nargs="*", type=Path)
    parser.add_argument("--no-vectors", action="store_true", help="do not wait for vectors")
    args = parser.parse_args()
    paths = args.projects or [Path(sysconfig.get_path("stdlib"))]
    print(machine())
    project.run(paths, "built-in", vectors=not args.no_vectors)
    for path in paths:
        window.run(path, starts=5)


if __name__ == "__main__":
    main()
