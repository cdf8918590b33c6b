"""``python -m bench.adapt FOLDER… --results FILE``: adapt to files of real projects.

Each file's figures are one line of FILE; what is there already is not measured again, so a
run can be stopped and gone on with. ``--table`` only prints what FILE holds. On two idle
cores, two runs with one thread each (``--threads 1 --share 1 2`` and ``--share 2 2``, into the
same FILE) do more in an hour than one with two; the seconds of a file are then not those of
a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path

from bench.adapt.files import chosen
from bench.adapt.table import beside, sentences, table
from bench.adapt.trial import Known, tried
from bench.machine import machine
from commonplace.adapt import weights
from commonplace.adapt.material import Order
from commonplace.engine.library import choose_model, folders_of
from commonplace.engine.options import load_options
from commonplace.engine.session import EngineSession
from commonplace.paths import StatePaths
from commonplace.processor import spin_briefly
from commonplace.settings import load


def main() -> None:
    """Measure what is not measured yet, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--per-project", type=int, default=5)
    parser.add_argument("--lines", type=int, nargs=2, default=(100, 400))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", default="")
    parser.add_argument("--threads", type=int, default=0, help="of the engine; 0: what is fastest")
    parser.add_argument("--share", type=int, nargs=2, default=(1, 1), metavar=("N", "OF"))
    parser.add_argument("--float32", action="store_true", help="even where bfloat16 is faster")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--beside", type=Path, help="results of another run, to compare with")
    options = parser.parse_args()
    if options.float32:
        weights.BFLOAT16 = frozenset()
    spin_briefly()  # as in the trainer's own process
    if not options.table:
        measure(options)
    rows = read(options.results)
    print(machine())
    print(table(rows))
    print(*sentences(rows), sep="\n")
    if options.beside is not None:
        print(*beside(rows, read(options.beside)), sep="\n")


def measure(options: argparse.Namespace) -> None:
    """Adapt to the files one by one, the first of each project first."""
    roots = [Path(os.path.realpath(folder)) for folder in options.folders]
    lines = (options.lines[0], options.lines[1])
    files = {root: chosen(root, options.per_project, lines, options.seed) for root in roots}
    known = {(row["repository"], row["file"]) for row in read(options.results)}
    every = [
        (root, files[root][number])
        for number in range(options.per_project)
        for root in roots
        if number < len(files[root])
    ]
    share, of = options.share
    orders = [o for o in every[share - 1 :: of] if (o[0].name, o[1]) not in known]
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        state = StatePaths(folder / "config", folder / "data", folder / "cache")
        settings = load(state.settings_file)
        model = choose_model(options.model, folders_of(settings, state))
        if model is None:
            raise SystemExit("There is no model; run 'make models'.")
        asked = replace(load_options(settings, state), threads=options.threads)
        base = Known()
        with EngineSession(asked) as engine:
            for root, file in orders:
                others = [other for other in roots if other != root]
                order = Order(root, file, model, seed=options.seed)
                row = tried(order, state, engine, others, base)
                with options.results.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(row) + "\n")
                said = row.get("refused") or row["reason"]
                print(f"{root.name}/{file}: {row.get('seconds', 0)} s. {said}", flush=True)


def read(path: Path) -> list[dict[str, object]]:
    """Return the rows of a file of results; none if it is not there yet."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


if __name__ == "__main__":
    main()
