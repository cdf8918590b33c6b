"""Tables and charts of kept results, for ``docs/evidence.md``.

Measure first (`commonplace measure PATH --quick`), then name the files it kept. Prints
Markdown, one project after the other and all of them together, and writes each chart as
an SVG file.

    python -m bench.evidence RESULT.json [RESULT.json …] [--images docs/images]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import unescape
from pathlib import Path

from bench.recall.tables import Table
from commonplace.measure import asking, layers
from commonplace.measure.charts import standalone
from commonplace.measure.figures import charts, with_interval
from commonplace.measure.results import Estimate, Freshness, Result
from commonplace.measure.verdicts import verdicts

DRAWN = ("gains", "recall-documentation", "recall-history", "recall-notes", "freshness", "adapter")
RECALL = ("", "n", "hit@1", "hit@5", "hit@10", "MRR", "recall leads by")
LAYERS = ("", "places", "perplexity", "bits per character", "next line exact", "similarity",
          "gain, nats per token")  # fmt: skip


def main() -> None:
    """Print the tables of the results that are named, and draw their charts."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", nargs="+", type=Path)
    parser.add_argument("--images", type=Path, help="write the charts here")
    args = parser.parse_args()
    results = [Result.from_json(path.read_text(encoding="utf-8")) for path in args.results]
    if len(results) > 1:
        results.append(together(results))
    for result in results:
        print("\n".join(section(result, args.images)))


def together(results: Sequence[Result]) -> Result:
    """Return all questions and places of `results` as if they were of one project."""
    first = results[0]
    asked = tuple(item for result in results for item in result.asked)
    places = tuple(place for result in results for place in result.places)
    common = [p for p in places if p.scores[0].layer == "base"]
    rows = tuple(layers.summarised(common, first.seed))
    recall = tuple(asking.summarised(asked, first.seed))
    return replace(
        first,
        project="together",
        commit="",
        files=sum(result.files for result in results),
        chunks=sum(result.chunks for result in results),
        notes=sum(result.notes for result in results),
        seconds=sum(result.seconds for result in results),
        layers=rows,
        recall=recall,
        freshness=Freshness(),
        speed=(),
        curve=(),
        verdicts=tuple(v for v in verdicts(rows, recall, Freshness()) if v.outcome != "missing"),
        left_out=(),
        asked=asked,
        places=places,
    )


def section(result: Result, images: Path | None) -> Iterator[str]:
    """Yield the lines about one result; draw its charts."""
    yield f"### {result.project}\n"
    facts = [
        result.date.partition("T")[0],
        f"{result.files:,} files",
        f"{result.chunks:,} passages",
        f"{result.notes} notes",
        f"commit {result.commit[:12]}" if result.commit else "",
        result.model,
        f"seed {result.seed}",
    ]
    yield f"{', '.join(filter(None, facts))}.\n"
    if result.recall:
        rows = [
            [f"{row.source}: {row.system}", str(row.n),
             *(f"{value.value:.2f}" for value in (row.hit1, row.hit5, row.hit10)),
             cell(row.mrr, ".2f"), cell(row.gain, "+.3f")]
            for row in result.recall
        ]  # fmt: skip
        yield Table("Recall", RECALL, rows).markdown() + "\n"
    measured = [layer for layer in result.layers if layer.n]
    if measured:
        rows = [
            [layer.name, f"{layer.n} ({layer.changed})", cell(layer.perplexity, ".2f"),
             cell(layer.bits, ".3f"), cell(layer.exact, ".2f"), cell(layer.similarity, ".2f"),
             cell(layer.gain, "+.3f")]
            for layer in measured
        ]  # fmt: skip
        note = "In brackets: places at which the layer had something to add."
        yield Table("Layers", LAYERS, rows, [note]).markdown() + "\n"
    yield from drawn(result, images)
    yield from (f"* {verdict.sentence}" for verdict in result.verdicts)
    yield from (f"* {sentence}" for sentence in result.left_out)
    yield from (f"* {s.name}: {s.p50:g} {s.unit} (n {s.n}, p95 {s.p95:g})." for s in result.speed)
    yield ""


def drawn(result: Result, images: Path | None) -> Iterator[str]:
    """Write the charts and yield the lines that show them."""
    if images is None:
        return
    images.mkdir(parents=True, exist_ok=True)
    for name, svg in charts(result).items():
        if name in DRAWN:
            path = images / f"evidence-{result.project}-{name}.svg"
            path.write_text(standalone(svg), encoding="utf-8")
            title = unescape(svg.partition('aria-label="')[2].partition('"')[0])
            yield f"![{title}](images/{path.name})\n"


def cell(value: Estimate | None, form: str) -> str:
    """Return a value and its interval on one line."""
    return "–" if value is None else with_interval(value, form).replace("  ", " ")


if __name__ == "__main__":
    main()
