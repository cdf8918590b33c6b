"""Try a model on small repairs, layer by layer.

    python -m bench.tasks --check                     prove the tasks, without a model
    python -m bench.tasks [--model FILE] [--layers base,recall,book,adapter,repair]
                          [--seed N] [--only NAME …] [--against RUN.json] [--markdown]

The tests run what the model wrote. They have limits and no network where that can
be had, but they run with your rights: use a machine where that is acceptable.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench.machine import machine
from bench.tasks import report
from bench.tasks.adapting import Adapter
from bench.tasks.checking import check
from bench.tasks.sandbox import without_network
from bench.tasks.task import Task, chosen
from bench.tasks.trying import LAYERS, Layer, attempts
from commonplace.chat.answer import AnswerOptions
from commonplace.engine.library import choose_model, folders_of
from commonplace.engine.options import load_options
from commonplace.engine.session import EngineSession
from commonplace.errors import CommonplaceError
from commonplace.paths import StatePaths
from commonplace.settings import Settings

KEPT = Path(__file__).resolve().parents[2] / "build" / "tasks"


def main() -> None:
    """Check the tasks, or run them and print what became of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="prove the tasks, without a model")
    parser.add_argument("--model", default="", help="a GGUF file, or the name of an installed one")
    parser.add_argument("--layers", type=_layers, default=list(LAYERS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="some tasks")
    parser.add_argument("--against", type=Path, metavar="RUN.json", help="an earlier run")
    parser.add_argument("--keep", type=Path, default=KEPT, help=f"where runs are kept ({KEPT})")
    parser.add_argument("--markdown", action="store_true", help="print tables as Markdown")
    args = parser.parse_args()
    try:
        selected = chosen(args.only)
        earlier = _earlier(args.against)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if args.check:
        print(f"{len(selected)} tasks")
        sys.exit(not check(selected))
    try:
        run = run_tasks(selected, args.layers, args.seed, args.model, args.keep)
    except CommonplaceError as error:
        sys.exit(str(error))
    print(f"\nMeasured on {machine()} in {run.seconds:.0f} s.")
    if run.network:
        print("The tests had a network: this user cannot take it away here.")
    for table in report.show(run, args.layers):
        print(f"\n{table.markdown() if args.markdown else table.text()}")
    if earlier is not None:
        table = report.against(run, earlier)
        print(f"\n{table.markdown() if args.markdown else table.text()}")
    print(f"\nKept in {run.keep(args.keep)}")


def run_tasks(
    tasks: Sequence[Task], layers: Sequence[Layer], seed: int, model: str, keep: Path
) -> report.Run:
    """Try `tasks` with a real model, and keep what is done after each in the folder `keep`.

    Raises `ModelError` and `EngineError`.
    """
    settings, state = Settings(), StatePaths.from_environment()
    path = choose_model(model, folders_of(settings, state))
    if path is None:
        sys.exit("There is no model here. “make models” fetches the starter model.")
    began = time.monotonic()
    with EngineSession(load_options(settings, state), state.logs / "engine.log") as session:
        info = session.load(path)
        options = AnswerOptions.chosen(settings)
        options = options.for_model(info.name, info.context, info.parameters)
        run = report.Run(
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            model=path.stem,
            identity=f"{info.architecture} {info.quantisation} {info.parameters}",
            commit=_commit(),
            seed=seed,
            seconds=0.0,
            network=not without_network(),
            attempts={},
        )
        adapting = Adapter(session, path, seed, _tell) if "adapter" in layers else None
        for task in tasks:
            with tempfile.TemporaryDirectory(prefix="commonplace-tasks-") as folder:
                found = attempts(
                    task, layers, Path(folder), session, options, seed=seed, adapting=adapting
                )
            seconds = round(time.monotonic() - began, 1)
            run = replace(run, seconds=seconds, attempts={**run.attempts, task.name: found})
            run.keep(keep)
            outcomes = ", ".join(f"{layer} {a.outcome}" for layer, a in found.items())
            _tell(f"  {task.name}: {outcomes}")
    return run


def _layers(text: str) -> list[Layer]:
    wanted = text.split(",")
    unknown = [name for name in wanted if name not in LAYERS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; known: {list(LAYERS)}")
    return [layer for layer in LAYERS if layer in wanted]


def _earlier(path: Path | None) -> report.Run | None:
    return None if path is None else report.Run.from_json(path.read_text(encoding="utf-8"))


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _commit() -> str:
    here = Path(__file__).resolve().parent
    command = ["git", "-C", str(here), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
