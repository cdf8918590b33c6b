"""The adapter of the file that a question is about, for ``commonplace ask``: as in the window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from commonplace.adapt.routing import file_asked_about, usable_adapter
from commonplace.adapt.store import AdapterStore
from commonplace.cli.typed import Typed
from commonplace.engine.session import EngineSession
from commonplace.errors import AdapterError, ModelError
from commonplace.paths import StatePaths
from commonplace.settings import Settings


class Adapted:
    """Puts the adapter for the file that is asked about into the engine; `file` names it then.

    Nothing is changed, and `file` stays empty, where adapting is off, the question is not
    about one file, or there is no adapter for it as it is now. What was tampered with is
    told on standard error, and the model answers without it.
    """

    def __init__(
        self,
        typed: Typed,
        root: Path,
        files: Callable[[], list[str]],
        settings: Settings,
        state: StatePaths,
    ) -> None:
        """Take what was typed, and a function that lists the project's files."""
        self._typed = typed
        self._root = root
        self._files = files
        self._settings = settings
        self._state = state
        self.file = ""

    def prepare(self, engine: EngineSession, model: Path) -> None:
        """Look for the adapter and put it in place; says so on standard error."""
        if not self._settings.adapt_enabled:
            return
        store = AdapterStore.of(self._state, self._root)
        if not store.records():
            return
        file = file_asked_about(self._typed.question, self._typed.chosen, self._files())
        if not file:
            return
        try:
            record = usable_adapter(store, self._root, file, model)
            if record is None:
                return
            scale, base = self._settings.adapt_scale, record.model_identity
            engine.adapter(Path(record.path), record.sha256, scale, base)
        except (AdapterError, ModelError) as error:
            click.echo(str(error), err=True)
            return
        self.file = file
        click.echo(f"The model is adapted to {file} for this answer.", err=True)
