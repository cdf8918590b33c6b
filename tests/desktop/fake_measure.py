"""A measuring worker that measures nothing: it keeps the example as what it found.

What is compared and exported is so for real.

The name of the project's folder may command it: in one named ``slow`` it goes on until
it is cancelled, in ``refused`` it fails, in ``crash`` the process dies.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from commonplace.errors import ModelError
from commonplace.measure.results import Result
from commonplace.measure.store import ResultStore
from commonplace.measure.worker import MeasureService
from commonplace.paths import StatePaths
from commonplace.wire.worker import run_worker

EXAMPLE = Path(__file__).resolve().parents[1] / "unit" / "measure" / "example.json"


class FakeMeasure:
    def __init__(self, data):
        self.state = StatePaths(data.parent / "config", data, data.parent / "cache")

    def handlers(self):
        real = MeasureService(lambda *_: None, self.state).handlers()
        return {**real, "measure": self.measure}

    def measure(self, params, task):
        root = Path(params["root"])
        store = ResultStore.of(root, self.state)
        journal = store.folder / "unfinished.jsonl"
        journal.parent.mkdir(parents=True, exist_ok=True)
        journal.write_text(json.dumps({"quick": params["quick"]}) + "\n")
        task.send({"phase": "notes", "done": 3, "total": 12, "fraction": 0.25, "seconds_left": 400})
        if root.name == "crash":
            os._exit(3)
        if root.name == "refused":
            raise ModelError("This model cannot be measured.", "Choose another one.")
        while root.name == "slow":
            time.sleep(0.005)
            task.check()
        result = Result.from_json(EXAMPLE.read_text())
        result = replace(
            result, project=root.name, quick=params["quick"], model=Path(params["model"]).name,
            seed=params["seed"], date=datetime.now(UTC).isoformat(timespec="seconds"),
        )  # fmt: skip
        path = store.put(result)
        journal.unlink()
        return {"file": path.name}


if __name__ == "__main__":
    data = Path(sys.argv[1])
    sys.path.pop(0)
    run_worker("measure", lambda _notify: FakeMeasure(data).handlers())
