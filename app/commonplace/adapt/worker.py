"""The trainer process: short-lived, of low priority, and the only one that loads torch.

===============  ===========================================  ================================
method           parameters                                   result
===============  ===========================================  ================================
``estimate``     ``root, file, model, neighbours``            `plan.Estimate`
``adapt``        ``root, file, model, neighbours, seed``      `adaptation.Outcome`
``list``         ``root``                                     ``{"adapters": [Record, …]}``
``discard``      ``root, id``                                 ``{"discarded": 0 or 1}``
``discard_all``  ``root``, or null for those of all projects  ``{"discarded": n}``
===============  ===========================================  ================================

``adapt`` streams ``{"phase", "fraction", "epoch", "step", "loss", "heldout",
"seconds_left"}``: phases are reading, asking, loading, training, exporting, judging and
comparing; ``heldout`` is the loss of the validation part after an epoch (what is held out
for the gate is not looked at before it). What cannot be begun, or is stopped, is an error;
an adapter that did not pass the gate is a result.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped,unused-ignore]

from commonplace.adapt.store import AdapterStore, discard_everywhere
from commonplace.errors import CancelledError, ProtocolError
from commonplace.paths import StatePaths
from commonplace.processor import spin_briefly
from commonplace.wire.messages import Message as Params
from commonplace.wire.worker import Handler, Notify, Task, run_worker

ROLE = "adapt"
THREADS = 2
"""One adapts, the other lists and discards meanwhile."""
NICENESS = 10
POLL_SECONDS = 0.05
GRACE_SECONDS = 1.0
"""How long a cancelled run may take to end by itself before its answer is given anyway."""


class AdaptHandlers:
    """The methods of the trainer process."""

    def __init__(self, state: StatePaths | None = None) -> None:
        self._state = state or StatePaths.from_environment()
        self._running: threading.Thread | None = None

    def handlers(self) -> Mapping[str, Handler]:
        """Return the methods by name."""
        return {
            "estimate": self.estimate,
            "adapt": self.adapt,
            "list": self.list,
            "discard": self.discard,
            "discard_all": self.discard_all,
        }

    def estimate(self, params: Params, task: Task) -> Params:
        """Say what adapting would take, or why it will not be done."""
        from commonplace.adapt.material import estimate

        return estimate(_order(params), self._state, lambda: task.stopped).to_wire()

    def adapt(self, params: Params, task: Task) -> Params:
        """Adapt to a file, streaming how far it is.

        The work is done in a thread of its own: importing torch cannot be interrupted, and
        whoever cancels must not wait for it.
        """
        order = _order(params)
        earlier = self._running
        while earlier is not None and earlier.is_alive():
            task.check()
            earlier.join(POLL_SECONDS)
        done: list[Params | BaseException] = []
        gone = threading.Event()

        def report(data: dict[str, Any]) -> None:
            if not gone.is_set():
                task.send(data)

        def work() -> None:
            try:
                done.append(_adapted(order, self._state, report, lambda: task.stopped))
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
                done.append(error)

        thread = self._running = threading.Thread(target=work, name="adapting", daemon=True)
        thread.start()
        while thread.is_alive() and not task.stopped:
            thread.join(POLL_SECONDS)
        thread.join(GRACE_SECONDS if task.stopped else None)
        gone.set()
        if not done:
            raise CancelledError("Stopped. Nothing was kept, and the model is as it was.")
        if isinstance(done[0], BaseException):
            raise done[0]
        return done[0]

    def list(self, params: Params, _task: Task) -> Params:
        """Return the adapters of a project."""
        return {"adapters": [r.to_wire() for r in self._store(params).records()]}

    def discard(self, params: Params, _task: Task) -> Params:
        """Delete one adapter."""
        number = params.get("id")
        if not isinstance(number, str):
            raise ProtocolError("discard needs an id.")
        return {"discarded": int(self._store(params).discard(number))}

    def discard_all(self, params: Params, _task: Task) -> Params:
        """Delete the adapters of a project, or of all."""
        if params.get("root") is None:
            return {"discarded": discard_everywhere(self._state)}
        return {"discarded": self._store(params).discard_all()}

    def _store(self, params: Params) -> AdapterStore:
        return AdapterStore.of(self._state, Path(os.path.realpath(_text(params, "root"))))


def _adapted(
    order: Any,
    state: StatePaths,
    report: Callable[[dict[str, Any]], None],
    stop: Callable[[], bool],
) -> Params:
    from commonplace.adapt import plan
    from commonplace.adapt.adaptation import Adaptation
    from commonplace.adapt.measuring import Asking
    from commonplace.engine.options import load_options
    from commonplace.engine.session import EngineSession
    from commonplace.settings import load

    plan.check_installed()
    plan.checked_model(order.model)
    options = load_options(load(state.settings_file), state)
    with EngineSession(options, state.logs / "adapt-engine.log") as engine:
        info = engine.load(order.model, stop=stop)
        asking = Asking(engine, info)
        return Adaptation(order, state, asking, report, stop).run().to_wire()


def _order(params: Params) -> Any:
    from commonplace.adapt.material import Order

    seed = params.get("seed", 0)
    if type(seed) is not int or seed < 0:
        raise ProtocolError("A seed is a natural number.")
    return Order(
        Path(os.path.realpath(_text(params, "root"))),
        _text(params, "file"),
        Path(_text(params, "model")),
        params.get("neighbours") is True,
        seed,
    )


def _text(params: Params, name: str) -> str:
    value = params.get(name)
    if not isinstance(value, str) or not value:
        raise ProtocolError(f"This needs a {name}.")
    return value


def be_humble() -> None:
    """Let everything else on the machine go first, and threads sleep while they wait."""
    spin_briefly()
    with contextlib.suppress(OSError, psutil.Error):
        process = psutil.Process()
        if psutil.WINDOWS:
            process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            process.nice(NICENESS)
        if psutil.LINUX:
            process.ionice(psutil.IOPRIO_CLASS_IDLE)


def main() -> None:
    """Run the trainer process; does not return."""

    def make(_notify: Notify) -> Mapping[str, Handler]:
        be_humble()
        return AdaptHandlers().handlers()

    run_worker(ROLE, make, threads=THREADS)
