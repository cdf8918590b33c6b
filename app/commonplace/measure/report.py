"""A result as one page of HTML: no script, no other file, nothing fetched.

Everything that comes from the project is escaped; the page forbids scripts, forms and
loading besides (Content-Security-Policy), so that a file name cannot do anything.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

from commonplace.measure.charts import COLOURS, DARK_COLOURS, safe
from commonplace.measure.comparing import Comparison, compared
from commonplace.measure.figures import SHOWN, SOURCES, charts, with_interval
from commonplace.measure.results import Asked, Estimate, Layer, Recall, Result, Verdict
from commonplace.storage.files import write_atomically

MISSED = 12
"""Questions that recall did not answer, shown at most."""
MARKS = {"helps": "helps", "hurts": "hurts", "unsure": "unclear", "missing": "not measured"}
FRESH_MARKS = {"helps": "fresh", "hurts": "not found", "unsure": "slow", "missing": "not measured"}
BETTER = {"helps": "better", "hurts": "worse", "unsure": "cannot be told", "missing": ""}
COMPARED = {
    "bits": "bits per character",
    "exact": "next line exact",
    "similarity": "edit similarity",
    "mrr": "MRR",
}
STYLE = f"""
:root{{{COLOURS};color-scheme:light dark}}
@media(prefers-color-scheme:dark){{:root{{{DARK_COLOURS}}}}}
body{{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}}
main{{max-width:54rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}}
h1{{font-size:1.7rem;line-height:1.25;margin:0 0 .4rem}}
h2{{font-size:1.2rem;margin:2.6rem 0 .5rem;padding-top:1rem;border-top:1px solid var(--line)}}
h3{{font-size:1rem;margin:1.6rem 0 .3rem}}
p{{margin:.5rem 0}} .faint{{color:var(--faint)}} small{{font-size:.85rem}}
table{{border-collapse:collapse;width:100%;font-size:.87rem;font-variant-numeric:tabular-nums}}
th,td{{padding:.35rem .55rem;text-align:right;border-bottom:1px solid var(--line);
vertical-align:top}}
th:first-child,td:first-child{{text-align:left;padding-left:0;min-width:5.5rem}}
th{{font-weight:600;color:var(--faint)}} .scroll{{overflow-x:auto;margin:.6rem 0}}
td small{{display:block;color:var(--faint);white-space:nowrap}}
svg{{display:block;width:100%;height:auto;margin:.6rem 0 1rem}}
ul.verdicts{{list-style:none;padding:0;margin:.8rem 0}}
ul.verdicts li{{display:flex;gap:.8rem;padding:.45rem 0;border-bottom:1px solid var(--line)}}
.mark{{flex:0 0 6.4rem;font-size:.8rem;font-weight:600;padding-top:.15rem;color:var(--faint)}}
.helps .mark{{color:var(--good)}} .hurts .mark{{color:var(--bad)}}
details{{margin:.8rem 0}} summary{{cursor:pointer}} td.text{{text-align:left}}
code{{font:.85em ui-monospace,Consolas,monospace;overflow-wrap:anywhere}}
@media print{{main{{max-width:none;padding:0}} details{{display:block}}}}
"""
HOW = (
    (
        "Intervals hold 95 of 100 times; they come from drawing the questions or places anew "
        "4,000 times with the seed above. Differences are paired: both ways were tried on the very "
        "same question or place. A layer is said to help only where the whole interval says so."
    ),
    (
        "Recall. The answer to a question is a file; the rank of a file is that of its best "
        "passage. Documentation is taken out of what is searched before its first sentence is "
        "asked. A commit's message is asked of the files of its parent, without any history. grep "
        "ranks files by how many different words of the question they hold, then by how often. "
        "Plain vectors and plain BM25 rank passages by that one score alone. The project's own "
        "map of questions, if one is kept, is left out: it was made from the same documentation."
    ),
    (
        "Layers. A few lines of a file are held out and the model reads what is above: only the "
        "four nearest lines (base), the open file, passages of other files that recall finds by "
        "those lines, and kept notes about the file. What is below is never shown; nor a passage "
        "or a note that holds one of the held-out lines or two of them in a row. The text is read "
        "raw, without a chat template. Perplexity is e to the mean negative log-likelihood of the "
        "held-out tokens; the next line is written greedily."
    ),
    (
        "Freshness and speed were taken on this machine beside whatever else was running, at low "
        "priority, in a copy of the project."
    ),
)


def write_report(result: Result, path: Path, against: Result | None = None) -> None:
    """Write the page to `path`, whole or not at all; raises `StorageError`.

    With an older result `against` the page also compares the two.
    """
    write_atomically(path, page(result, against).encode())


def page(result: Result, against: Result | None = None) -> str:
    """Return the page."""
    title = f"What memory is worth in {result.project}"
    body = "".join(
        (
            *_head(result, title),
            _verdicts(result.verdicts),
            _layers(result),
            _recall(result),
            _rest(result),
            _comparison(compared(against, result)) if against is not None else "",
            _left_out(result),
            "<h2>How it was measured</h2>",
            *(f"<p><small>{safe(text)}</small></p>" for text in HOW),
        )
    )
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{safe(title)}</title><style>{STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def _head(result: Result, title: str) -> Iterator[str]:
    yield f"<h1>{safe(title)}</h1>"
    size = "a quick measurement" if result.quick else "a full measurement"
    model = f"with {result.model}" if result.model else "without a model"
    yield f"<p>{safe(f'{_day(result.date)}, {size} {model}')}.</p>"
    facts = [
        f"{result.files:,} files, {result.chunks:,} passages, {result.notes:,} notes",
        f"seed {result.seed}",
        f"commit {result.commit[:12]}" if result.commit else "no commit",
        f"embedder {result.embedder}" if result.embedder else "no embedder",
        f"{result.seconds / 60:.0f} min",
        result.machine,
        f"Commonplace {result.program}",
    ]
    yield f'<p class="faint"><small>{safe(" · ".join(filter(None, facts)))}</small></p>'


def _day(date: str) -> str:
    try:
        return f"{dt.datetime.fromisoformat(date):%d %B %Y, %H:%M} UTC"
    except ValueError:
        return date


def _verdicts(verdicts: Sequence[Verdict]) -> str:
    if not verdicts:
        return ""
    lines = (
        f'<li class="{safe(v.outcome)}"><span class="mark">{_mark(v)}</span>'
        f"<span>{safe(v.sentence)}</span></li>"
        for v in verdicts
    )
    return f'<h2>In short</h2><ul class="verdicts">{"".join(lines)}</ul>'


def _mark(verdict: Verdict) -> str:
    marks = FRESH_MARKS if verdict.subject == "freshness" else MARKS
    return marks[verdict.outcome]


def _layers(result: Result) -> str:
    measured = [layer for layer in result.layers if layer.n]
    if not measured:
        return ""
    drawn = charts(result)
    about = (
        f"{measured[0].n} held-out places of {measured[0].tokens:,} tokens, foreseen with one "
        "layer more each time."
    )
    header = ("", "places", "perplexity", "bits per character", "next line exact", "similarity",
              "gain, nats per token")  # fmt: skip
    return (
        f"<h2>What each layer adds to the model</h2><p>{about}</p>"
        f"<h3>Gain over the layer before</h3>{drawn.get('gains', '')}"
        f"<h3>Perplexity</h3>{drawn['perplexity']}"
        f"{_table(header, [_layer_cells(layer) for layer in measured])}"
        f"<h3>Next line</h3>{drawn['similarity']}"
    )


def _layer_cells(layer: Layer) -> list[str]:
    name = layer.name if layer.name == "base" else f"+ {layer.name}"
    places = str(layer.n)
    if layer.changed < layer.n:
        places += f"<small>{layer.changed} changed</small>"
    return [
        safe(name),
        places,
        _cell(layer.perplexity, ".2f"),
        _cell(layer.bits, ".3f"),
        _cell(layer.exact, ".2f"),
        _cell(layer.similarity, ".2f"),
        _cell(layer.gain, "+.3f"),
    ]


def _recall(result: Result) -> str:
    if not result.recall:
        return ""
    drawn = charts(result)
    parts = ["<h2>How good recall is</h2>"]
    for source in dict.fromkeys(row.source for row in result.recall):
        rows = [row for row in result.recall if row.source == source]
        header = ("", "n", "hit@1", "hit@5", "hit@10", "MRR", "recall leads by")
        parts.append(f"<h3>{safe(SOURCES.get(source, source))}</h3>")
        parts.append(drawn[f"recall-{source}"])
        parts.append(_table(header, [_recall_cells(row) for row in rows]))
    parts.append(_missed([item for item in result.asked if _is_missed(item)]))
    return "".join(parts)


def _recall_cells(row: Recall) -> list[str]:
    hits = (row.hit1, row.hit5, row.hit10, row.mrr)
    name = SHOWN.get(row.system, row.system)
    return [
        safe(name), str(row.n), *(_cell(value, ".2f") for value in hits), _cell(row.gain, "+.3f"),
    ]  # fmt: skip


def _is_missed(item: Asked) -> bool:
    ranks = dict(zip(item.systems, item.ranks, strict=False))
    return ranks.get("recall", 1) == 0


def _missed(items: Sequence[Asked]) -> str:
    if not items:
        return ""
    rows = [
        [f"{safe(item.text[:200])}", f"<code>{safe(', '.join(item.answers))}</code>"]
        for item in items[:MISSED]
    ]
    head = f"{len(items)} questions that recall did not answer among the first ten"
    return f"<details><summary>{head}</summary>{_table(('question', 'answer'), rows)}</details>"


def _rest(result: Result) -> str:
    drawn = charts(result)
    parts = []
    if "adapter" in drawn:
        parts.append(f"<h2>The adapter's training</h2>{drawn['adapter']}")
    if "freshness" in drawn:
        fresh = result.freshness
        said = (
            f"Found after {fresh.median:.2f} s (median of {len(fresh.touches)}); the slowest after "
            f"{fresh.worst:.2f} s."
        )
        parts.append(f"<h2>How fresh the index is</h2><p>{said}</p>{drawn['freshness']}")
    if result.speed:
        rows = [
            [safe(s.name), str(s.n), f"{s.p50:g} {safe(s.unit)}",
             f"{s.p95:g} {safe(s.unit)}" if s.n > 1 else "–"]
            for s in result.speed
        ]  # fmt: skip
        parts.append(f"<h2>How fast it is</h2>{_table(('', 'n', 'median', 'p95'), rows)}")
    return "".join(parts)


def _comparison(comparison: Comparison) -> str:
    old, new = comparison.old, comparison.new
    same = (
        "Both were measured on the same files and notes."
        if comparison.same_memory
        else "The files or notes differ, so not all of a difference is the model's."
    )
    rows = []
    for row in comparison.rows:
        difference = _cell(row.difference, "+.3f")
        over = f"{BETTER[row.outcome]} (n {row.n})" if row.n else "not paired"
        values = (_cell(row.old, ".3f"), _cell(row.new, ".3f"), difference, over)
        rows.append([safe(f"{row.name}: {COMPARED[row.figure]}"), *values])
    header = ("", safe(old.model or "old"), safe(new.model or "new"), "difference", "")
    about = f"{old.model or 'No model'}, {_day(old.date)}, beside {new.model or 'no model'}."
    return (
        f"<h2>Another model on the same memory</h2><p>{safe(about)} {same}</p>"
        f"{_table(header, rows)}"
    )


def _left_out(result: Result) -> str:
    if not result.left_out:
        return ""
    lines = "".join(f"<li>{safe(sentence)}</li>" for sentence in result.left_out)
    return f"<h2>What was left out</h2><ul>{lines}</ul>"


def _cell(value: Estimate | None, form: str) -> str:
    if value is None:
        return "–"
    number, _, interval = with_interval(value, form).partition("  ")
    return f"{number}<small>{interval}</small>"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are HTML already."""
    head = "".join(f"<th>{cell}</th>" for cell in header)
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )
