"""A training worker that trains nothing: its adapters are a few bytes, its figures made up.

The first line of the file may command it: ``# refuse`` is refused, ``# fail`` does not pass
the gate, ``# slow`` goes on until it is cancelled, ``# crash`` ends the process.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
import time
from pathlib import Path

from commonplace.adapt.records import Figure, Gate, Record, Source, sources_to_wire, text_hash
from commonplace.adapt.store import ADAPTER_FILE, AdapterStore
from commonplace.engine.identity import model_id
from commonplace.paths import StatePaths
from commonplace.wire.worker import run_worker

GOOD = Gate(
    Figure(4.2, 3.9, (-0.11, -0.03), True, 812, 14),
    Figure(12.0, 12.01, (-0.002, 0.004), True, 2400, 40),
    Figure(0.004, 0.006, (0.0, 0.01), True, 900),
)
BAD = Gate(Figure(4.2, 4.3, (-0.02, 0.06), False, 812, 14), GOOD.regression, GOOD.parity)


class FakeAdapt:
    def __init__(self, data):
        self.state = StatePaths(data.parent / "config", data, data.parent / "cache")

    def handlers(self):
        return {"estimate": self.estimate, "adapt": self.adapt}

    def sources(self, params, text):
        found = [Source(params["file"], "the open file", len(text) // 4, text_hash(text))]
        if params["neighbours"]:
            found.append(Source("src/other.py", "a sibling in its folder", 12))
        return tuple(found)

    def estimate(self, params, _task):
        text = (Path(params["root"]) / params["file"]).read_text()
        refusal = None
        if text.startswith("# refuse"):
            refusal = {"message": f"{params['file']} is too short.", "remedy": "Just ask."}
        return {
            "seconds": 80.0, "memory_bytes": 1_200_000_000, "tokens": 300,
            "files": sources_to_wire(self.sources(params, text)), "refusal": refusal, "note": "",
        }  # fmt: skip

    def adapt(self, params, task):
        root = Path(params["root"])
        text = (root / params["file"]).read_text()
        task.send({"phase": "reading", "fraction": 0.05, "seconds_left": None})
        for step in range(1, 13):
            held = 2.0 - 0.02 * step if step % 4 == 0 else None
            task.send(
                {
                    "phase": "training", "fraction": 0.3 + step / 30, "epoch": 1 + step // 5,
                    "step": step, "loss": 2.2 - 0.05 * step, "heldout": held, "seconds_left": 40,
                }
            )  # fmt: skip
        if text.startswith("# crash"):
            os._exit(3)
        while text.startswith("# slow"):
            time.sleep(0.005)
            task.check()
        good = not text.startswith("# fail")
        sources = self.sources(params, text)
        number = self.keep(root, params, text, sources) if good else None
        reason = "The held-out part became easier to foretell."
        if not good:
            reason = "It does not help with the best prompt."
        return {
            "accepted": good, "reason": reason,
            "seconds": 1.0, "gate": (GOOD if good else BAD).to_wire(),
            "trained_on": sources_to_wire(sources), "id": number,
        }  # fmt: skip

    def keep(self, root, params, text, sources):
        weights = f"weights of {params['file']}".encode()
        model = Path(params["model"])
        store = AdapterStore.of(self.state, root)
        record = Record(
            id=secrets.token_hex(8), file=params["file"], file_hash=text_hash(text),
            model=model.stem, model_identity=model_id(model),
            created="2026-11-21T12:00:00+00:00", trained_on=sources, gate=GOOD,
            sha256=hashlib.sha256(weights).hexdigest(), size=len(weights), rank=8,
            seed=params["seed"], seconds=1.0,
        )  # fmt: skip
        with store.training(), store.staging() as staged:
            (staged / ADAPTER_FILE).write_bytes(weights)
            return store.keep(record, staged).id


if __name__ == "__main__":
    data = Path(sys.argv[1])
    sys.path.pop(0)
    run_worker("adapt", lambda _notify: FakeAdapt(data).handlers())
