"""How results look, as text and as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from commonplace.chat.answer import Answer
from commonplace.chat.prompt import one_line
from commonplace.cli.doctor import Check
from commonplace.errors import UserError
from commonplace.recall.passages import Found, Passage

SHOWN_LINES = 3


def json_line(value: Mapping[str, Any]) -> None:
    """Print one JSON object on one line."""
    click.echo(json.dumps(value, ensure_ascii=False))


def read_queries(lines: Iterable[str]) -> Iterator[str]:
    """Yield the ``query`` of each line; raises `UserError` naming a bad line."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            query = json.loads(line)["query"]
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"Line {number} of the queries cannot be used.",
                'Each line is one JSON object with a "query".',
            ) from error
        yield str(query)


def found_json(found: Found) -> dict[str, Any]:
    """Return a search result as the command line promises it."""
    results = [
        {
            "path": p.path,
            "start_line": p.start_line,
            "end_line": p.end_line,
            "score": p.score,
            "kind": p.kind,
            "symbol": p.symbol,
            "reasons": list(p.reasons),
            "tier": p.tier,
            "defined": list(p.defines),
            "imported_by": {"count": p.imported_by, "paths": list(p.importers)},
            **({"id": p.note, "state": p.state} if p.note else {}),
        }
        for p in found.passages
    ]
    return {"query": found.query, "ms": found.ms, "results": results, "note": found.note}


def found_text(found: Found) -> None:
    """Print a search result for people."""
    if not found.passages:
        click.echo("Nothing in this project matches.")
    for passage in found.passages:
        symbol = f"  {passage.kind} {passage.symbol}" if passage.symbol else ""
        place = f"{one_line(passage.path)}:{passage.start_line}-{passage.end_line}"
        click.secho(place, bold=True, nl=False)
        click.echo(f"{symbol}  ({'; '.join(passage.reasons)})")
        if about := structure_text(passage):
            click.secho(f"    {about}", dim=True)
        for line in passage.text.splitlines()[:SHOWN_LINES]:
            click.echo(f"    {one_line(line.expandtabs(4))[:120]}")
    if found.note:
        click.echo(found.note, err=True)


def structure_text(passage: Passage) -> str:
    """Return what a passage defines besides its symbol, and who imports its file."""
    parts = []
    if others := [name for name in passage.defines if name != passage.symbol]:
        parts.append(f"defines {one_line(', '.join(others))}")
    if passage.imported_by:
        more = ", …" if passage.imported_by > len(passage.importers) else ""
        files = "file" if passage.imported_by == 1 else "files"
        names = one_line(", ".join(passage.importers))
        parts.append(f"imported by {passage.imported_by:,} {files} ({names}{more})")
    return " · ".join(parts)


def answer_json(answer: Answer) -> dict[str, Any]:
    """Return an answer as the command line promises it."""
    return {
        "answer": answer.text,
        "citations": [asdict(citation) for citation in answer.citations],
        "model": answer.model,
        "finish": answer.finish,
        "note": answer.note,
        "timings": asdict(answer.timings),
    }


def answer_text(answer: Answer) -> None:
    """Print what follows an answer that was streamed, or the answer without a model."""
    click.echo("\n" if answer.model else f"{answer.text}\n")
    answer_sources(answer)


def answer_sources(answer: Answer, *, err: bool = False) -> None:
    """Print what an answer rests on, to standard error where the answer is piped on."""
    for citation in answer.citations:
        place = f"{one_line(citation.path)}:{citation.start_line}-{citation.end_line}"
        how = "cited by the model" if citation.by == "model" else "matched by its words"
        click.echo(f"  [{citation.n}] {place}  ({how})", err=err)
    if answer.note:
        click.echo(answer.note, err=True)


def index_report(report: Mapping[str, Any]) -> None:
    """Print the outcome of indexing for people."""
    click.echo(
        f"{report['files']:,} files, {report['chunks']:,} chunks and {report['vectors']:,} "
        f"vectors in {report['seconds']} s."
    )
    if report["adapter"]:
        click.echo(report["adapter"]["reason"])
    for item in report["skipped"]:
        click.echo(f"  left out {one_line(item['path'])}: {item['reason']}")
    if report["note"]:
        click.echo(report["note"], err=True)


def checks_text(checks: Sequence[Check]) -> None:
    """Print the findings of the doctor for people."""
    for check in checks:
        click.echo(f"{'ok' if check.good else 'NO'}  {check.name}: {check.found}")
        if check.remedy:
            click.echo(f"    {check.remedy}")


def peak_rss_mb() -> float:
    """Return the largest memory this process has held, in MiB."""
    if sys.platform == "win32":
        import psutil  # type: ignore[import-untyped,unused-ignore]

        return round(psutil.Process().memory_info().peak_wset / (1 << 20), 1)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10), 1)
