"""Train the embedder: mine pairs, learn a vocabulary and a table, write the model.

    python models/embedder/train.py --sources DIR

`DIR` holds one bare git repository per row of ``sources.tsv`` at
``DIR/owner+name/repo``; installed packages are read where they are. Mined pairs
are kept in ``--work`` and used again; nothing mined is part of the model. With
``--hold-out`` the validation projects stay out, and the figure by which choices
are made is printed; the model that ships has learned from them too.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import torch
from commits import commit_pairs
from learning import Examples, Recipe, common_weights, encode, learn
from mining import Source, files_of, read_sources, repository
from pairs import CAPS, Pair, pairs_of
from saving import note_pairs, save
from starting import Table, chance_rows, reduced, teacher_vectors
from tokenizers import Tokenizer
from validation import HELD_OUT, mean, reciprocal_ranks
from vocabulary import UNKNOWN, build, count_words

HERE = Path(__file__).resolve().parent
SEED = 20
VOCABULARY = 28_000
PIECES = 8_000
ASKED = 0.25
"""Share of the queries that are put as questions, so that such words weigh nothing."""
QUESTIONS = (
    "how does {} work", "where is {}", "{} implementation", "code that does {}",
    "how to {}", "how {} works", "{} handling", "what is {}",
)  # fmt: skip
log = logging.getLogger("embedder")


def mine(source: Source, folder: Path, work: Path, never: tuple[str, ...]) -> int:
    """Write the pairs of one source to the work folder, unless they are there."""
    target = work / f"{source.name.replace('/', '+')}.jsonl"
    if not target.exists():
        found = [pair for file in files_of(source, folder, never) for pair in pairs_of(file)]
        if not source.installed:
            found += commit_pairs(repository(folder, source), source.revision)
        rows = [pair.row(source.name, source.language) for pair in _sample(found, source.name)]
        part = target.with_suffix(".part")
        part.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        part.rename(target)
    with target.open(encoding="utf-8") as file:
        return sum(1 for _ in file)


def _sample(pairs: list[Pair], seed: str) -> list[Pair]:
    """Return at most so many pairs of each kind, no query twice."""
    pairs = list({(pair.kind, pair.query.lower()): pair for pair in pairs}.values())
    random.Random(seed).shuffle(pairs)  # noqa: S311 - a sample, not a secret
    seen: Counter[str] = Counter()
    kept = []
    for pair in pairs:
        seen[pair.kind] += 1
        if seen[pair.kind] <= CAPS[pair.kind]:
            kept.append(pair)
    return kept


def mine_all(args: argparse.Namespace) -> dict[str, int]:
    """Mine every source; returns the number of pairs of each."""
    never = tuple(args.never.read_text(encoding="utf-8").split()) if args.never else ()
    sources = read_sources(HERE / "sources.tsv", never)
    args.work.mkdir(parents=True, exist_ok=True)
    task = partial(mine, folder=args.sources, work=args.work, never=never)
    counts = {}
    with ProcessPoolExecutor(args.processes) as pool:
        for source, count in zip(sources, pool.map(task, sources), strict=True):
            log.info("%-45s %6d", source.name, count)
            counts[source.name] = count
    return counts


def read_pairs(work: Path, sources: Iterable[str]) -> list[dict[str, str]]:
    """Return the mined pairs of the sources, in their order."""
    rows = []
    for name in sources:
        with (work / f"{name.replace('/', '+')}.jsonl").open(encoding="utf-8") as file:
            rows += [json.loads(line) for line in file]
    return rows


def examples_of(
    tokenizer: Tokenizer, rows: Sequence[Mapping[str, str]], recipe: Recipe
) -> Examples:
    """Return the pairs as token numbers; some queries are put as questions."""
    chance = random.Random(SEED)  # noqa: S311 - a sample, not a secret
    queries = [
        chance.choice(QUESTIONS).format(row["query"]) if chance.random() < ASKED else row["query"]
        for row in rows
    ]
    asked = encode(tokenizer, queries, recipe.query_tokens)
    codes = encode(tokenizer, [row["code"] for row in rows], recipe.code_tokens)
    good = [n for n in range(len(rows)) if len(asked[n]) > 1 and len(codes[n]) > 3]
    return Examples(
        [asked[n] for n in good], [codes[n] for n in good], [rows[n]["source"] for n in good]
    )


def vocabulary_of(rows: Sequence[Mapping[str, str]]) -> Tokenizer:
    """Return a tokenizer learned from all texts."""
    texts: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        texts[row["source"]].append(f"{row['query']}\n{row['code']}")
    return build(count_words(texts), VOCABULARY, PIECES)


def begin(tokenizer: Tokenizer, examples: Examples, recipe: Recipe, teacher: Path | None) -> Table:
    """Return the table to begin with: common tokens short, `UNKNOWN` nothing."""
    size = tokenizer.get_vocab_size()
    if teacher is None:
        rows = chance_rows(size, recipe.dimensions, recipe.seed)
    else:
        rows = reduced(teacher_vectors(tokenizer, teacher), recipe.dimensions)
    table: Table = rows * common_weights(examples, size, recipe.smoothing)[:, None]
    table[tokenizer.token_to_id(UNKNOWN)] = 0.0
    return table


def main() -> None:
    """Run every step."""
    args = arguments()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    torch.set_num_threads(args.processes)
    counts = mine_all(args)
    rows = read_pairs(args.work, counts)
    held = [row for row in rows if row["source"] in HELD_OUT]
    if args.hold_out:
        rows = [row for row in rows if row["source"] not in HELD_OUT]
    tokenizer = Tokenizer.from_file(str(args.tokenizer)) if args.tokenizer else vocabulary_of(rows)
    recipe = Recipe(dimensions=args.dimensions, epochs=args.epochs)
    examples = examples_of(tokenizer, rows, recipe)
    log.info("%d pairs, %d tokens", len(examples.sources), tokenizer.get_vocab_size())
    table = learn(examples, begin(tokenizer, examples, recipe, args.teacher), recipe)
    if args.hold_out:
        log.info("held-out MRR %.4f", mean(reciprocal_ranks(tokenizer, table, held)))
    else:
        note_pairs(HERE / "sources.tsv", counts)
    log.info("%d bytes in %s", save(args.model, tokenizer, table), args.model)


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sources", type=Path, required=True)
    parser.add_argument("--never", type=Path, help="list of projects that may not be learned from")
    parser.add_argument("--tokenizer", type=Path, help="keep this vocabulary, not learn another")
    parser.add_argument("--teacher", type=Path, help="model whose words the table begins with")
    parser.add_argument(
        "--work", type=Path, default=HERE / "work", help="mined pairs are kept here"
    )
    parser.add_argument("--model", type=Path, default=HERE / "model")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--dimensions", type=int, default=Recipe().dimensions)
    parser.add_argument("--epochs", type=int, default=Recipe().epochs)
    parser.add_argument("--hold-out", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
