"""The process that looks after models, so that the window never waits for a disk or a server.

===============  ================================================  ======================
method           parameters                                        result
===============  ================================================  ======================
``list``                                                           ``{"models": [entry, …],
                                                                   "unfinished": {file: n},
                                                                   "card_bytes": n}``
``download``     ``model``: an id of the catalogue                 ``{"path": …}``
``import``       ``path``, ``how``: ``copy`` or ``link``, ``title``  ``{"path": …}``
``inspect``      ``path`` of a package                             what its manifest says
``install``      ``path`` of a package, ``agreed``: the digest of  ``{"path": …}``
                 the manifest whose licence was accepted
``remove``       ``path``                                          ``{"removed": [path, …]}``
``discard``      ``file``: of an unfinished download               ``{}``
===============  ================================================  ======================

``download``, ``import`` and ``install`` stream ``{"phase", "done", "total", "speed"}``; a
download that is cancelled keeps what arrived. The settings are read anew for each request, so that
a permission given, or taken back, counts at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from commonplace.engine.catalogue import CatalogueModel, read_catalogue
from commonplace.engine.devices import Device
from commonplace.engine.download import Download, Wanted
from commonplace.engine.entries import card_bytes
from commonplace.engine.importing import discard_part, import_model, remove_model, unfinished
from commonplace.engine.library import list_models, own_folder
from commonplace.engine.packages import inspect_package, install_package
from commonplace.engine.progress import Progress
from commonplace.engine.session import EngineSession
from commonplace.errors import CommonplaceError, ProtocolError
from commonplace.network.door import Door
from commonplace.paths import StatePaths
from commonplace.settings import Settings, load
from commonplace.wire.messages import Message
from commonplace.wire.worker import Handler, Notify, Task, run_worker

log = logging.getLogger(__name__)

ROLE = "library"
THREADS = 8
"""Downloads and imports occupy one each; a list or a removal should still get through."""


def download_model(
    model: CatalogueModel,
    settings: Settings,
    paths: StatePaths,
    *,
    door: Door | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Path:
    """Download `model` into our folder, through the door that the settings describe."""
    wanted = Wanted(
        read_catalogue().url(model, settings.models_address),
        model.file,
        model.size if model.exact else 0,
        model.sha256,
    )
    return Download(
        door or Door.of(settings),
        wanted,
        own_folder(paths),
        on_progress=on_progress,
        stop=stop,
    ).run()


def devices_here(paths: StatePaths) -> tuple[Device, ...]:
    """Ask an engine process, which ends at once, what it can compute on; () if it cannot say."""
    try:
        with EngineSession(log_file=paths.logs / "engine.log") as engine:
            return engine.build()[0]
    except CommonplaceError:
        log.exception("The engine does not say what it can compute on.")
        return ()


class LibraryHandlers:
    """The methods of the library process. Called from several threads."""

    def __init__(self, paths: StatePaths) -> None:
        self._paths = paths
        self._devices: tuple[Device, ...] | None = None
        self._asking = threading.Lock()

    def handlers(self) -> Mapping[str, Handler]:
        """Return the methods by name."""
        return {
            "list": self.list_all,
            "download": self.download,
            "import": self.bring,
            "inspect": self.inspect,
            "install": self.install,
            "remove": self.remove,
            "discard": self.discard,
        }

    def list_all(self, _params: Message, _task: Task) -> Message:
        """Describe all models and what has not arrived whole."""
        devices = self._known_devices()
        entries = list_models(self._settings(), self._paths, devices)
        return {
            "card_bytes": card_bytes(devices),
            "models": [entry.to_wire() for entry in entries],
            "unfinished": unfinished(own_folder(self._paths)),
        }

    def download(self, params: Message, task: Task) -> Message:
        """Download a model of the catalogue."""
        model = read_catalogue().find(_text(params, "model"))
        path = download_model(
            model,
            self._settings(),
            self._paths,
            on_progress=lambda progress: task.send(asdict(progress)),
            stop=lambda: task.stopped,
        )
        return {"path": str(path)}

    def bring(self, params: Message, task: Task) -> Message:
        """Copy or link a model from elsewhere."""
        path = import_model(
            Path(_text(params, "path")),
            own_folder(self._paths),
            "link" if params.get("how") == "link" else "copy",
            title=str(params.get("title", "")),
            on_progress=lambda progress: task.send(asdict(progress)),
            stop=lambda: task.stopped,
        )
        return {"path": str(path)}

    def inspect(self, params: Message, _task: Task) -> Message:
        """Say what a package holds, so that a person can decide."""
        return inspect_package(Path(_text(params, "path"))).to_wire()

    def install(self, params: Message, task: Task) -> Message:
        """Install the model of a package whose licence was accepted."""
        path = install_package(
            Path(_text(params, "path")),
            own_folder(self._paths),
            _text(params, "agreed"),
            on_progress=lambda progress: task.send(asdict(progress)),
            stop=lambda: task.stopped,
        )
        return {"path": str(path)}

    def remove(self, params: Message, _task: Task) -> Message:
        """Delete a model of ours for good."""
        removed = remove_model(Path(_text(params, "path")), own_folder(self._paths))
        return {"removed": [str(path) for path in removed]}

    def discard(self, params: Message, _task: Task) -> Message:
        """Throw away what has arrived of a download."""
        discard_part(_text(params, "file"), own_folder(self._paths))
        return {}

    def _known_devices(self) -> tuple[Device, ...]:
        with self._asking:
            if self._devices is None:
                self._devices = devices_here(self._paths)
            return self._devices

    def _settings(self) -> Settings:
        return load(self._paths.settings_file)


def _text(params: Message, name: str) -> str:
    value = params.get(name)
    if not isinstance(value, str) or not value:
        raise ProtocolError(f"{name} is not a text.")
    return value


def main() -> None:
    """Run the library process; does not return."""

    def make(_notify: Notify) -> Mapping[str, Handler]:
        return LibraryHandlers(StatePaths.from_environment()).handlers()

    run_worker(ROLE, make, threads=THREADS)
