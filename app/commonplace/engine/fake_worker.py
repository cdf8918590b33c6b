"""The fake engine as a worker process: ``python -m commonplace.engine.fake_worker``.

Speaks the same protocol as the real one (`commonplace.engine.worker`) and
misbehaves on request (`commonplace.engine.fake`), so that the window can be
tested against a process that crashes or stalls, with no model on the machine.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from typing import NoReturn

from commonplace.engine.fake import open_fake
from commonplace.engine.worker import ROLE, EngineHandlers
from commonplace.wire.worker import Handler, Notify, run_worker


def _die() -> NoReturn:
    os.abort()


def main() -> None:
    """Run the fake engine process; does not return."""

    def make(notify: Notify) -> Mapping[str, Handler]:
        return EngineHandlers(notify, functools.partial(open_fake, crash=_die)).handlers()

    run_worker(ROLE, make)


if __name__ == "__main__":
    main()
