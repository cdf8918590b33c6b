"""A memory worker without an index: walks the folder and matches words.

Folders and questions may command it: a folder named ``busy`` is in use, one
named ``missing`` is not there; ``!memcrash`` in a question ends the process,
``!slow`` lets it think. ``touch-event {"paths": […]}`` has it report changes.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

from commonplace.book.note import Listed
from commonplace.errors import ProjectBusyError, ProjectError
from commonplace.index.codeplaces import CodePlace, NamePlaces
from commonplace.memory.figures import Details
from commonplace.memory.status import Status
from commonplace.recall.passages import Found, Passage
from commonplace.wire.worker import run_worker

LINES = 12


NOTE = Listed(
    "n1", "Read settings lazily", "shared", "n1.md", "kept", "person", False, "", "",
    (), (), (), False,
)  # fmt: skip


class FakeMemory:
    def __init__(self, notify):
        self.notify = notify
        self.root = Path()
        self.files = []
        self.status_now = Status()

    def handlers(self):
        names = ("open", "search", "places", "status", "files", "reconcile", "pause", "resume")
        names += ("emit", "symbols", "details", "rebuild", "notes", "note")
        return {name: getattr(self, f"do_{name}") for name in names}

    def do_open(self, params, _task):
        self.root = Path(params["path"])
        if self.root.name == "busy":
            raise ProjectBusyError("Another window has this folder open.", "Use that window.")
        if self.root.name == "crash-always":
            os.abort()
        if not self.root.is_dir():
            raise ProjectError(f"{self.root} is not a folder.", "Choose a folder that exists.")
        self._scan()
        total = len(self.files)
        for done in range(0, total + 1, max(total // 5, 1)):
            self._tell(Status("reading", done, total, done, done * 3, 0, 1, "events"))
        self._tell(Status("ready", total, total, total, total * 3, total * 3, 1, "events"))
        return {"root": str(self.root), "status": self.status_now.to_wire()}

    def do_notes(self, _params, _task):
        return {"notes": [asdict(NOTE)], "total": 1, "counts": {"kept": 1}, "unread": []}

    def do_note(self, params, _task):
        text = "Settings are read on first use.\n"
        more = {"path": ".commonplace/notes/n1.md", "body_line": 5, "text": text, "raw": text}
        rest = {"hash": "0", "evidence": "", "checks": [], "changes": []}
        return asdict(NOTE) | more | rest | {"id": params["note"]}

    def do_search(self, params, task):
        question = params["question"]
        if "!memcrash" in question:
            os.abort()
        while "!slow" in question and not task.stopped:
            time.sleep(0.005)
        task.check()
        words = [w for w in question.lower().split() if len(w) > 3]
        found = []
        for path in self.files:
            text = (self.root / path).read_text("utf-8", "replace")
            lines = text.split("\n")
            for at, line in enumerate(lines):
                hits = sum(word.strip("?.,") in line.lower() for word in words)
                if hits:
                    end = min(at + LINES, len(lines))
                    reasons = (f"{hits} words of the question", "definition")
                    found.append(
                        Passage(
                            path,
                            at + 1,
                            end,
                            "\n".join(lines[at:end]),
                            hits,
                            "function",
                            line.split("(")[0].split(" ")[-1][:40],
                            reasons,
                        )
                    )
                    break
        found.sort(key=lambda p: -p.score)
        return Found(question, "sentence", 3.0, tuple(found[: params["limit"]])).to_wire()

    def do_places(self, params, _task):
        name, defined, used = params["name"], [], []
        for path in self.files:
            for at, line in enumerate((self.root / path).read_text("utf-8", "replace").split("\n")):
                if name in line:
                    found = defined if f"def {name}" in line else used
                    found.append(CodePlace(path, at + 1, line, "function", name))
        return NamePlaces(name, tuple(defined), tuple(used)).to_wire()

    def do_status(self, _params, _task):
        return self.status_now.to_wire()

    def do_files(self, _params, _task):
        skipped = [{"path": "logo.png", "reason": "not text"}]
        return {"files": self.files, "skipped": skipped}

    def do_reconcile(self, _params, _task):
        self._scan()
        self.notify("files", {})
        self.notify("changed", {"paths": self.files})
        return {}

    def do_symbols(self, params, _task):
        found = []
        for path in self.files:
            for at, line in enumerate((self.root / path).read_text("utf-8", "replace").split("\n")):
                name = line.removeprefix("def ").split("(")[0]
                if line.startswith("def ") and params["typed"].lower() in name.lower():
                    found.append(asdict(CodePlace(path, at + 1, line, "function", name)))
        return {"symbols": found}

    def do_details(self, _params, _task):
        reasons, languages = (("not text", 1),), (("python", len(self.files)),)
        return Details(3, 9, "/cache", 4096, time.time(), "fake", reasons, languages).to_wire()

    def do_rebuild(self, _params, _task):
        self._tell(Status("reading", 0, len(self.files), skipped=1))
        self._tell(Status("ready", files=len(self.files), chunks=3, skipped=1))
        return {}

    def do_pause(self, _params, _task):
        self._tell(Status("paused", files=len(self.files)))
        return {}

    def do_resume(self, _params, _task):
        self._tell(Status("ready", files=len(self.files)))
        return {}

    def do_emit(self, params, _task):
        self.notify(params["event"], params["data"])
        return {}

    def _tell(self, status):
        self.status_now = status
        self.notify("status", status.to_wire())

    def _scan(self):
        found = []
        for folder, names, files in os.walk(self.root):
            names[:] = [n for n in names if not n.startswith(".") and n != "__pycache__"]
            found += [(Path(folder) / f).relative_to(self.root).as_posix() for f in files]
        self.files = sorted(found)


if __name__ == "__main__":
    sys.path.pop(0)
    run_worker("memory", lambda notify: FakeMemory(notify).handlers(), threads=4)
