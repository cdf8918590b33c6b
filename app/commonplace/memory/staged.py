"""The staged changes of a project, as its own git sees them.

Only what was staged is read, from git's own objects: nothing of the working
tree is looked at, so that no filter, monitor or hook that a folder from
elsewhere may name in its configuration is run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from commonplace.errors import QuestionError

MAX_CHARACTERS = 200_000
SECONDS = 10.0
SAFE = ("core.fsmonitor=false", f"core.hooksPath={os.devnull}", "diff.submodule=short")
REMEDY = "Stage what it is about with 'git add', and ask again."


def staged_changes(root: Path) -> str:
    """Return the staged changes of the folder `root` as a diff, its beginning if it is long.

    Raises `QuestionError` where there are none, and where git cannot tell.
    """
    program = shutil.which("git")
    if program is None:
        raise QuestionError("git is not installed.", "Install it to ask about staged changes.")
    safe = [part for setting in SAFE for part in ("-c", setting)]
    diff = ["diff", "--cached", "--no-ext-diff", "--no-textconv", "--no-color", "--relative"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    try:
        done = subprocess.run(
            [program, "--no-pager", "-C", str(root), *safe, *diff],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**environment, "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"},
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise QuestionError(f"git cannot be asked: {error}.", REMEDY) from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().split("\n")[0]
        raise QuestionError(f"git says: {said[:200]}", "Staged changes need a git repository.")
    text = done.stdout.decode("utf-8", "replace")
    if not text.strip():
        raise QuestionError("Nothing is staged.", REMEDY)
    return text[:MAX_CHARACTERS]
