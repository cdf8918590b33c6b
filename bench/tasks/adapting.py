"""The layer of the adapter: trained for the open file, and used only if its gate takes it.

The program's own trainer does it, with its own rules; most tasks have files that are too
short to learn from, and the table says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from commonplace.adapt.routing import usable_adapter
from commonplace.adapt.store import AdapterStore
from commonplace.adapt.worker import AdaptHandlers
from commonplace.engine.identity import model_id
from commonplace.engine.session import EngineSession
from commonplace.paths import StatePaths
from commonplace.wire.worker import Task


class Adapter:
    """Adapts one loaded model to the open file of a task, at most once for each file."""

    def __init__(
        self, session: EngineSession, model: Path, seed: int, say: Callable[[str], None]
    ) -> None:
        self._session = session
        self._model = model
        self._seed = seed
        self._say = say
        self._reasons: dict[tuple[Path, str], str] = {}

    @contextmanager
    def placed(self, root: Path, file: str, state: StatePaths) -> Iterator[str]:
        """Put the adapter for `file` in place, made if need be; give the reason if there is none.

        Raises `AdapterError` and `ModelError`.
        """
        if (root, file) not in self._reasons:
            self._reasons[root, file] = self._trained(root, file, state)
        store = AdapterStore.of(state, root)
        record = usable_adapter(store, root, file, self._model)
        if record is None:
            yield self._reasons[root, file] or "the file changed since the adapter was trained"
            return
        path = store.folder / record.id / "adapter.gguf"
        self._session.adapter(path, record.sha256, record.scale, model_id(self._model))
        try:
            yield ""
        finally:
            self._session.adapter(None)

    def _trained(self, root: Path, file: str, state: StatePaths) -> str:
        """Train for `file`; return why there is no adapter, or nothing."""
        handlers = AdaptHandlers(state)
        order = {"root": str(root), "file": file, "model": str(self._model), "seed": self._seed}
        estimate = handlers.estimate(order, _task())
        if estimate["refusal"] is not None:
            return f"refused, {estimate['refusal']['message']}"
        outcome = handlers.adapt(order, _task())
        self._say(f"    {file}: {outcome['reason']} ({outcome['seconds']} s)")
        return "" if outcome["accepted"] else f"discarded, {outcome['reason']}"


def _task() -> Task:
    return Task(lambda _: None, 0, None)
