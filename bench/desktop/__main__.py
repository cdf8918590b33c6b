"""Put the real window through its paces and print how it bore them.

Every scene runs in a process of its own with a fresh state folder, the real
memory and the fake engine, which streams faster than any model.

    python -m bench.desktop [--files 20000] [--starts 5] [--only SCENE …]
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.desktop.project import make_project
from bench.machine import machine, percentile, table

SCENES = ("indexing", "streaming", "scrolling", "typing", "code", "hour")
HOUR_PROJECT_FILES = 2000


def main() -> None:
    """Measure, or be the window that is measured."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--embedder", default="built-in")
    parser.add_argument("--only", nargs="*", choices=("start", *SCENES), default=())
    parser.add_argument("--scene", nargs=2, metavar=("SCENE", "PATH"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.scene:
        gc.disable()  # as the program does, until its window is there
        from bench.desktop.scenes import play

        report = play(args.scene[0], Path(args.scene[1]), args.files, args.embedder)
        print(json.dumps(report), flush=True)
        os._exit(0)
    print(machine())
    run(args.files, args.starts, args.embedder, args.only or ("start", *SCENES))


def run(files: int, starts: int, embedder: str, only: tuple[str, ...]) -> None:
    """Play the scenes `only` on made projects and print one table for each kind of figure."""
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder) / "large", Path(folder) / "small"
        if {"indexing", "typing"} & set(only):
            make_project(large, files)
        make_project(small, min(files, HOUR_PROJECT_FILES))
        if "start" in only:
            _starts(small, starts)
        rows = [["", "p99", "p99.9", "largest", "over", "beats", "seconds"]]
        for scene in ("indexing", "streaming", "scrolling"):
            if scene in only:
                path, count = (large, files) if scene == "indexing" else (small, 1)
                rows.append(_gaps(scene, _measure(scene, path, count, embedder)))
        if len(rows) > 1:
            table("Gaps of the event loop, in ms (aim: p99.9 at most 50)", rows)
            print(f"  indexing: {files:,} files; scrolling: a chat of 200,000 characters")
        if "typing" in only:
            _typing(_measure("typing", large, files, embedder), files)
        if "code" in only:
            _code(_measure("code", small, 1, "none"))
        if "hour" in only:
            report = _measure("hour", small, 1, embedder)
            what = f"{report['questions']} answers, {report['opened']} files, dialogs, themes"
            rows = [["", "figure", "aim"], [what, f"{report['rss_mb']:.0f} MiB", "200"]]
            table("Memory of the window process after an hour's use, simulated", rows)


def _starts(path: Path, count: int) -> None:
    _measure("start", path, 0, "none")  # compiles the modules, as installing does
    reports = [_measure("start", path, 0, "none") for _ in range(count)]
    visible = [report["visible_ms"] for report in reports]
    computing = [report["computing_ms"] for report in reports]
    heavy = {name for report in reports for name in report["heavy"]}
    rows = [
        ["", "figure", "aim"],
        ["window visible, median", f"{statistics.median(visible):.0f} ms", "800"],
        ["window visible, slowest", f"{max(visible):.0f} ms", ""],
        ["processor time until then, median", f"{statistics.median(computing):.0f} ms", ""],
        ["heavy libraries imported", ", ".join(sorted(heavy)) or "none", "none"],
        ["memory at start", f"{reports[-1]['rss_mb']:.0f} MiB", ""],
    ]
    table(f"Cold start, {count} times; {_load()}", rows)


def _gaps(scene: str, report: dict[str, Any]) -> list[str]:
    gaps = report["gaps_ms"]
    return [
        f"{scene}; {report['load']}",
        f"{percentile(gaps, 0.99):.0f}",
        f"{percentile(gaps, 0.999):.0f}",
        f"{max(gaps):.0f}",
        str(sum(gap > 50 for gap in gaps)),
        f"{len(gaps):,}",
        f"{report['seconds']:.0f}",
    ]


def _code(report: dict[str, Any]) -> None:
    rows = [["", "seconds", "p99", "largest", "largest, processor", "turns"]]
    for name, part in report["parts"].items():
        clock = [values[0] for values in part["turns"]] or [0.0]
        busiest = max((values[1] for values in part["turns"]), default=0.0)
        figures = (f"{value:.0f}" for value in (percentile(clock, 0.99), max(clock), busiest))
        rows.append([name, f"{part['seconds']:.1f}", *figures, str(len(clock))])
    size = report["bytes"] / 2**20
    title = f"A file of {size:.0f} MiB in the code view: turns of the loop in ms (aim: 50)"
    table(f"{title}; {report['load']}", rows)
    print(f"  memory of the window process with it open: {report['rss_mb']:.0f} MiB")


def _typing(report: dict[str, Any], files: int) -> None:
    rows = [["", "median", "p99", "largest", "largest, processor", "keys"]]
    for key, name in (
        ("question_ms", "into the question, chat of 200,000 characters"),
        ("palette_ms", f"into the palette, {files:,} files"),
        ("filter_ms", f"into the filter of the tree, {files:,} files"),
    ):
        clock = [values[0] for values in report[key]]
        busiest = max(values[1] for values in report[key])
        figures = (statistics.median(clock), percentile(clock, 0.99), max(clock), busiest)
        rows.append([name, *(f"{figure:.1f}" for figure in figures), str(len(clock))])
    table(f"From a key to what it changed on screen, in ms (aim: 16); {report['load']}", rows)
    print("  A machine that does other work as well delays the clock, not the processor's time.")


def _measure(scene: str, path: Path, files: int, embedder: str) -> dict[str, Any]:
    """Play one scene in a fresh state folder and return its report."""
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "COMMONPLACE_HOME": home,
            "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"),
            "COMMONPLACE_BENCH_STARTED": repr(time.time()),
            "PYTHONPYCACHEPREFIX": str(path.parent / "compiled"),
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, "-m", "bench.desktop", "--scene", scene, str(path)]
        command += ["--files", str(files), "--embedder", embedder]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=3600
        )
    if done.returncode:
        sys.exit(f"{scene} failed:\n{done.stderr[-3000:]}")
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report | {"load": _load()}


def _load() -> str:
    if not hasattr(os, "getloadavg"):
        return "load unknown"
    return f"load {os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
