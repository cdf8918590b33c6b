"""Print every table about notes that the arguments allow.

python -m bench.book [--scale] [--panel] [--history GIT_DIR … --count 100]
    [--repos DIR --table TSV --questions JSONL] [--state DIR] [--markdown]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from bench.book import finding, panel, replay, scale
from bench.recall import development
from bench.recall.asking import state_in
from bench.recall.tables import Table, add_markdown, show


def main() -> None:
    """Print the tables whose material is named; without any, those of scale."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.book", description=__doc__.partition("\n")[0]
    )
    development.add_arguments(parser, required=False)
    parser.add_argument("--state", type=Path, help="keep the questions' indexes here")
    parser.add_argument("--history", type=Path, nargs="+", default=[], help="git folders")
    parser.add_argument("--count", type=int, default=100, help="commits replayed of each")
    parser.add_argument("--scale", action="store_true", help="ten thousand notes")
    parser.add_argument("--panel", action="store_true", help="the same, in the window alone")
    parser.add_argument("--notes", type=int, default=scale.NOTES)
    parser.add_argument("--files", type=int, default=scale.FILES)
    add_markdown(parser)
    args = parser.parse_args()
    show(chain(*parts(args)), markdown=args.markdown)


def parts(args: argparse.Namespace) -> Iterator[Iterator[Table]]:
    """Yield the programs whose material is named."""
    asked = bool(args.repos and args.table and args.questions)
    everything = not (asked or args.history or args.panel)
    if args.scale or everything:
        yield scale.tables(args.notes, args.files)
    if args.panel or args.scale or everything:
        yield panel.tables(args.notes)
    if asked:
        yield found(args)
    if args.history:
        yield replay.tables(args.history, args.count)


def found(args: argparse.Namespace) -> Iterator[Table]:
    """Yield what the questions say."""
    repos = development.repositories(args)
    with state_in(args.state) as state:
        yield from finding.found_table(repos, args.repos, state)
        yield from finding.loss_tables(repos, args.repos, state)


if __name__ == "__main__":
    main()
