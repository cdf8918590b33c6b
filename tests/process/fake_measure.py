"""The measuring process with an engine that needs no model: ``python fake_measure.py [small]``.

It speaks the same protocol as the real one (`commonplace.measure.worker`). `small` saves
one file instead of six.
"""

import dataclasses
import sys

from commonplace.engine.options import load_options
from commonplace.engine.session import EngineSession
from commonplace.measure import work
from commonplace.measure.worker import ROLE, MeasureService
from commonplace.wire.worker import run_worker


def main():
    if sys.argv[1:] == ["small"]:
        work.QUICK_SIZE = dataclasses.replace(work.QUICK_SIZE, touches=1)

    def engine(settings, state):
        command = [sys.executable, "-m", "commonplace.engine.fake_worker"]
        return EngineSession(load_options(settings, state), command=command)

    run_worker(ROLE, lambda notify: MeasureService(notify, engine=engine).handlers(), threads=2)


if __name__ == "__main__":
    main()
