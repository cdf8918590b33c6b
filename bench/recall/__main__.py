"""Print every table about recall that the arguments allow.

python -m bench.recall --all [--markdown] [--embedder built-in]
    [--repos DIR --table TSV --questions JSONL] [--history GIT_DIR …]
    [--sketch PATH …] [--scale PATH …]
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from bench.recall import development, history, questions, scale, sketch
from bench.recall.tables import Table, add_markdown, show


def main() -> None:
    """Print the tables whose material is named."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.recall", description=__doc__.partition("\n")[0]
    )
    parser.add_argument(
        "--all", action="store_true", help="all whose material is named (the default)"
    )
    development.add_arguments(parser, required=False)
    parser.add_argument("--embedder", action="append", default=[], help="may be repeated")
    parser.add_argument("--state", type=Path, help="keep the questions' indexes here")
    parser.add_argument("--history", type=Path, nargs="+", default=[], help="git folders")
    parser.add_argument("--count", type=int, default=60, help="questions asked of each history")
    parser.add_argument("--sketch", type=Path, nargs="+", default=[], help="projects to embed")
    parser.add_argument("--scale", type=Path, nargs="+", default=[], help="large folders")
    add_markdown(parser)
    args = parser.parse_args()
    print(f"{dt.datetime.now(tz=dt.UTC):%d %B %Y}.", end=" ")
    show(chain(*parts(args)), markdown=args.markdown)


def parts(args: argparse.Namespace) -> Iterator[Iterator[Table]]:
    """Yield the programs whose material is named."""
    embedders: list[str] = args.embedder or ["built-in"]
    if args.repos and args.table and args.questions:
        yield questions.tables(development.repositories(args), embedders, args.state)
    if args.history:
        yield history.tables(args.history, args.count, embedders[0])
    if args.sketch:
        yield sketch.tables(args.sketch, embedders[0], args.questions)
    if args.scale:
        yield scale.tables(args.scale, embedders[0])


if __name__ == "__main__":
    main()
