"""How soon the window is there, and how long it ever keeps a user waiting.

Starts the real window in a process of its own: time from starting Python to
the first frame, then the gaps of a 10 ms timer in the window's event loop
while the project is indexed from nothing, the fake engine streams a long
answer, and files are opened.

    python -m bench.window PATH [--starts 5]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.machine import machine, percentile, table

if TYPE_CHECKING:
    from commonplace.desktop.window import MainWindow

HEAVY = ("torch", "llama_cpp", "hnswlib", "sentence_transformers", "numpy")
TICK_MS = 10
ANSWERS = 6
QUESTION = "!long how is the configuration read"


def main() -> None:
    """Measure, or be the window that is measured."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--child", choices=("start", "busy"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(args.path, busy=args.child == "busy")
        return
    print(machine())
    run(args.path, args.starts)


def run(path: Path, starts: int) -> None:
    """Start the window a few times, keep it busy once, and print both tables."""
    visible = [measure(path, "start")["visible_ms"] for _ in range(starts)]
    busy = measure(path, "busy")
    gaps = busy["gaps_ms"]
    rows = [
        ["", "figure"],
        ["window visible, median of starts", f"{statistics.median(visible):.0f} ms"],
        ["window visible, slowest", f"{max(visible):.0f} ms"],
        ["heavy libraries imported", ", ".join(busy["heavy"]) or "none"],
        ["event loop gap p99", f"{percentile(gaps, 0.99):.0f} ms"],
        ["event loop gap p99.9", f"{percentile(gaps, 0.999):.0f} ms"],
        ["event loop gap, largest", f"{max(gaps):.0f} ms"],
        ["observed for", f"{busy['seconds']:.0f} s"],
        ["memory of the window process", f"{busy['rss_mb']:.0f} MiB"],
    ]
    table(f"The window on {path.name}, indexing from nothing and streaming", rows)


def measure(path: Path, kind: str) -> dict[str, object]:
    """Run one window in a fresh state folder and return what it reports."""
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "COMMONPLACE_HOME": home,
            "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"),
            "COMMONPLACE_BENCH_STARTED": repr(time.time()),
        }
        command = [sys.executable, "-m", "bench.window", str(path), "--child", kind]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, timeout=900
        )
    report: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return report


def child(path: Path, *, busy: bool) -> None:
    """Be the window: report when it was visible and, if `busy`, the gaps."""
    from PySide6.QtWidgets import QApplication

    from commonplace.desktop.app import make_window
    from commonplace.desktop.controller import Commands
    from commonplace.paths import StatePaths, worker_command
    from commonplace.settings import Settings

    app = QApplication(sys.argv[:1])
    paths = StatePaths.from_environment()
    fake = [sys.executable, "-m", "commonplace.engine.fake_worker"]
    settings = Settings(recall_embedder="none", answer_max_tokens=8192, model_context=131072)
    window = make_window(
        app, paths, settings=settings, commands=Commands(worker_command("memory"), fake)
    )
    window.show()
    while not window.windowHandle().isExposed():
        app.processEvents()
    app.processEvents()
    visible = (time.time() - float(os.environ["COMMONPLACE_BENCH_STARTED"])) * 1000
    report: dict[str, object] = {"visible_ms": visible}
    if busy:
        model = paths.data / "models" / "fake-instruct.gguf"
        model.parent.mkdir(parents=True, exist_ok=True)
        model.write_bytes(b"the fake does not read it")
        report |= keep_busy(window, path)
    report["heavy"] = [name for name in HEAVY if name in sys.modules]
    print(json.dumps(report), flush=True)
    window.close()
    window.controller.finish()
    os._exit(0)


def keep_busy(window: MainWindow, path: Path) -> dict[str, object]:
    """Index and stream until both are done; return the gaps of the event loop."""
    import psutil
    from PySide6.QtCore import QElapsedTimer, QEventLoop, Qt, QTimer

    gaps: list[float] = []
    watch = QElapsedTimer()
    loop = QEventLoop()
    left = ANSWERS

    def tick() -> None:
        gaps.append(max(0.0, watch.nsecsElapsed() / 1e6 - TICK_MS))
        watch.restart()

    def proceed() -> None:
        nonlocal left
        if window.conversation.busy:
            return
        if left:
            left -= 1
            window.ask(QUESTION)
        elif window.status.status.phase == "ready":
            loop.quit()

    heart, poll = QTimer(), QTimer()
    heart.setTimerType(Qt.TimerType.PreciseTimer)
    heart.timeout.connect(tick)
    poll.timeout.connect(proceed)
    began = time.monotonic()
    watch.start()
    heart.start(TICK_MS)
    poll.start(200)
    window.open_project(path)
    window.controller.load_model()
    loop.exec()
    return {
        "gaps_ms": gaps,
        "seconds": time.monotonic() - began,
        "rss_mb": psutil.Process().memory_info().rss / 2**20,
    }


if __name__ == "__main__":
    main()
