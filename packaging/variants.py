#!/usr/bin/env python3
"""Compare llama.cpp's processor variants with each other and with the build for a checkout.

    .venv/bin/python packaging/variants.py [ROUNDS]

Each is loaded from beside llama.cpp as the packages do, and reads and writes the same text.
Rounds alternate, and the best of each counts, so that other work on the machine matters little.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from packagelib.environment import engine_wheel
from packagelib.source import ROOT

MODEL = ROOT / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
CHILD = """
import json, sys, time
sys.path[:0] = filter(None, [sys.argv[1]])
from pathlib import Path
from commonplace.engine.ggml import features
from commonplace.engine.llama import Llama
from commonplace.engine.fit import Plan
from commonplace.engine.types import LoadOptions
plan = Plan(1024, 0, "f16", 256, 0, 0, "")
llama = Llama(Path(sys.argv[2]), LoadOptions(threads=2), plan,
              on_progress=lambda f: None, stopped=lambda: False)
text = "def area(width, height): return width * height\\n" * 40
tokens = (llama.beginning() + llama.tokens(text))[:384]
began = time.perf_counter()
assert llama.evaluate(tokens, lambda: False)
read = time.perf_counter() - began
assert llama.makes_sense()
began = time.perf_counter()
for token in tokens[:48]:
    assert llama.evaluate([token], lambda: False)
written = time.perf_counter() - began
print(json.dumps([len(tokens) / read, 48 / written, features()]))
"""


def measure(folder: str) -> tuple[float, float, str] | None:
    """Return tokens read and written a second, and the features in use; None if it cannot run."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, folder, str(MODEL)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "app")},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if done.returncode:
        sys.stderr.write(done.stderr[-400:])
        return None
    read, written, features = json.loads(done.stdout.splitlines()[-1])
    return read, written, features


def main() -> None:
    """Print a table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as work:
        folders = {"checkout's build": ""}
        [wheel] = engine_wheel().glob("*.whl")
        whole = Path(work) / "whole"
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(whole)
        names = sorted(path.name for path in (whole / "llama_cpp/lib").glob("libggml-cpu-*.so"))
        for name in names:
            folder = Path(work) / name
            shutil.copytree(whole, folder)
            for other in names:
                if other != name:
                    (folder / "llama_cpp/lib" / other).unlink()
            folders[name.removeprefix("libggml-cpu-").removesuffix(".so")] = str(folder)
        folders["chosen of all"] = str(whole)
        best: dict[str, tuple[float, float, str]] = {}
        for _round in range(rounds):
            for name, place in folders.items():
                if found := measure(place):
                    before = best.get(name, (0.0, 0.0, ""))
                    best[name] = (max(found[0], before[0]), max(found[1], before[1]), found[2])
    base = best["checkout's build"]
    sys.stdout.write("| build | reads | writes | features |\n|---|---|---|---|\n")
    for name in folders:
        if name in best:
            read, written, features = best[name]
            ratios = f"{read / base[0]:.2f} × | {written / base[1]:.2f} ×"
            sys.stdout.write(f"| {name} | {ratios} | {features} |\n")
        else:
            sys.stdout.write(f"| {name} | does not run here | | |\n")


if __name__ == "__main__":
    main()
