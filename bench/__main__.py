"""Print the main figures: ``make bench``, or ``python -m bench [PROJECT …]``.

Without a project the standard library's own folder is measured. Recall
and the window have programs of their own, `python -m bench.recall` and
`python -m bench.desktop`; of the latter a short form is run here.
"""

from __future__ import annotations

import argparse
import sysconfig
from pathlib import Path

from bench import project
from bench.desktop.__main__ import run as run_desktop
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
    run_desktop(2000, 5, "built-in", ("start", "indexing", "streaming"))


if __name__ == "__main__":
    main()
