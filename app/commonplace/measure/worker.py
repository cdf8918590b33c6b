"""The measuring process: `measure`, and what the kept results say.

Methods: ``measure {"root", "model", "quick", "seed", "places", "fresh", "adapt"}``, all but
`root` optional, streams ``{"phase", "done", "total", "fraction", "seconds_left"}`` and
returns ``{"file", "result"}``; ``list {"root"}`` returns ``{"results": [{"file", "date",
"model", "quick", "seed", "commit", "memory"}], "unreadable": [{"file", "why"}],
"unfinished": bool}``; ``result {"root", "file"}`` returns ``{"result"}``; ``delete {"root",
"file"}``; ``compare {"root", "old", "new"}``, two files, returns ``{"same_memory", "rows"}``
(`comparing.Compared`); and ``export {"root", "file", "against", "html", "csv"}`` writes a
report to the file `html`, beside the older result in `against` if one is named, and tables
into the folder `csv`; either of the two is null for none.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped,unused-ignore]

from commonplace.measure.comparing import compared
from commonplace.measure.report import write_report
from commonplace.measure.results import Result
from commonplace.measure.run import JOURNAL, OpenEngine, measure, open_engine
from commonplace.measure.store import ResultStore
from commonplace.measure.tables import write_tables
from commonplace.measure.work import Wanted
from commonplace.paths import StatePaths
from commonplace.settings import load
from commonplace.wire.messages import Message
from commonplace.wire.worker import Handler, Notify, Task, run_worker
from commonplace.workspace.project import Workspace

NICENESS = 10
ROLE = "measure"


class MeasureService:
    """Answers the requests of one parent."""

    def __init__(
        self,
        _notify: Notify,
        state: StatePaths | None = None,
        engine: OpenEngine = open_engine,
    ) -> None:
        self._state = state or StatePaths.from_environment()
        self._engine = engine

    def handlers(self) -> Mapping[str, Handler]:
        """Return the methods this process has."""
        return {
            "measure": self.measure,
            "list": self.list,
            "result": self.result,
            "delete": self.delete,
            "compare": self.compare,
            "export": self.export,
        }

    def measure(self, params: Message, task: Task) -> Message:
        """Measure a project; see the module's description."""
        result, path = measure(
            wanted_from(params),
            self._state,
            load(self._state.settings_file),
            stop=lambda: task.stopped,
            tell=lambda stage: task.send(stage.to_wire()),
            engine=self._engine,
        )
        return {"file": path.name, "result": plain(result)}

    def list(self, params: Message, _: Task) -> Message:
        """Return the kept results, newest first, and whether one was cut off."""
        store = self._store(params)
        found, unreadable = store.all()
        keys = ("date", "model", "quick", "seed", "commit", "memory")
        return {
            "results": [{"file": f, **{key: getattr(r, key) for key in keys}} for f, r in found],
            "unreadable": [{"file": item.file, "why": item.why} for item in unreadable],
            "unfinished": (store.folder / JOURNAL).exists(),
        }

    def result(self, params: Message, _: Task) -> Message:
        """Return one kept result."""
        return {"result": plain(self._store(params).get(str(params["file"])))}

    def delete(self, params: Message, _: Task) -> Message:
        """Remove one kept result."""
        self._store(params).delete(str(params["file"]))
        return {}

    def compare(self, params: Message, _: Task) -> Message:
        """Hold one kept result against another."""
        store = self._store(params)
        found = compared(store.get(str(params["old"])), store.get(str(params["new"])))
        return {"same_memory": found.same_memory, "rows": [asdict(row) for row in found.rows]}

    def export(self, params: Message, _: Task) -> Message:
        """Write the report, the tables, or both, of one kept result."""
        store = self._store(params)
        result = store.get(str(params["file"]))
        if params.get("html"):
            against = store.get(str(params["against"])) if params.get("against") else None
            write_report(result, Path(str(params["html"])), against)
        if params.get("csv"):
            write_tables(result, Path(str(params["csv"])))
        return {}

    def _store(self, params: Message) -> ResultStore:
        return ResultStore.of(Workspace(Path(str(params["root"]))).root, self._state)


def wanted_from(params: Message) -> Wanted:
    """Return what a request asks for."""
    return Wanted(
        root=Path(str(params["root"])),
        model=str(params.get("model") or ""),
        quick=bool(params.get("quick", False)),
        seed=int(params.get("seed", 1)),
        places=int(params.get("places", 0)),
        fresh=bool(params.get("fresh", False)),
        adapt=bool(params.get("adapt", False)),
    )


def plain(result: Result) -> dict[str, Any]:
    """Return a result as plain JSON data."""
    data: dict[str, Any] = json.loads(result.to_json())
    return data


def give_way() -> None:
    """Let everything else on the machine go first; children inherit it."""
    with contextlib.suppress(OSError, psutil.Error):
        if sys.platform == "win32":
            psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            os.nice(NICENESS)


def main() -> None:
    """Run the measuring process; does not return."""
    give_way()
    run_worker(ROLE, lambda notify: MeasureService(notify).handlers(), threads=2)
