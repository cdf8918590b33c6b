"""Where state lives.

Three folders, after the platform's conventions: *config* (settings), *data*
(truth: conversations, private notes, models the user added) and *cache*
(everything that can be rebuilt from the project). ``COMMONPLACE_HOME`` moves
all of them below one folder, for portable installs and for tests.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs

APP_NAME = "commonplace"
HOME_VARIABLE = "COMMONPLACE_HOME"
PROJECT_SUFFIX = ".commonplace-project"
"""An empty file with this ending in a project's folder opens that folder from a file manager."""


@dataclass(frozen=True, slots=True)
class StatePaths:
    """The folders that hold this user's state."""

    config: Path
    data: Path
    cache: Path

    @classmethod
    def from_environment(cls) -> StatePaths:
        """Return the folders in force: below ``COMMONPLACE_HOME`` if it is set."""
        home = os.environ.get(HOME_VARIABLE)
        if home:
            base = Path(home).expanduser().absolute()
            return cls(base / "config", base / "data", base / "cache")
        return cls(
            Path(platformdirs.user_config_dir(APP_NAME, appauthor=False)),
            Path(platformdirs.user_data_dir(APP_NAME, appauthor=False)),
            Path(platformdirs.user_cache_dir(APP_NAME, appauthor=False)),
        )

    @property
    def settings_file(self) -> Path:
        """The settings, in TOML."""
        return self.config / "settings.toml"

    @property
    def logs(self) -> Path:
        """Logs of the worker processes; no project content goes there."""
        return self.cache / "logs"

    def project_cache(self, root: Path) -> Path:
        """Return the cache folder of the project at `root` (absolute, resolved)."""
        return self.cache / "projects" / project_name(root)

    def project_data(self, root: Path) -> Path:
        """Return the folder of what the user keeps about that project and does not share."""
        return self.data / "projects" / project_name(root)

    def model_folders(self) -> tuple[Path, ...]:
        """Return the folders searched for models, the user's own first."""
        checkout = Path(__file__).resolve().parents[2] / "models"
        installed = Path(sys.prefix) / "share" / APP_NAME / "models"
        added = (folder / "models" for folder in addons())
        return (self.data / "models", checkout, installed, *added)


def project_name(root: Path) -> str:
    """Return what the state folders of the project at `root` (absolute, resolved) are called."""
    digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", root.name).strip("-.")[:40] or "root"
    return f"{name}-{digest}"


def addons() -> tuple[Path, ...]:
    """Return the add-ons of an installed program: folders beside it, of packages and models.

    Their packages are on Python's search path from the start; a checkout has none.
    """
    folder = Path(sys.executable).resolve().parent / "addons"
    if not getattr(sys, "frozen", False) or not folder.is_dir():
        return ()
    return tuple(sorted(path for path in folder.iterdir() if path.is_dir()))


def how_to_add() -> str:
    """Return how to get the libraries that only training and transformers need."""
    if getattr(sys, "frozen", False):
        return (
            "Install the add-on commonplace-adapt of the same version: it brings PyTorch, which "
            "adapting the model to a file and searching with a transformer need."
        )
    return "Install them with: pip install 'commonplace[adapt]'."


def opened_folder(path: Path) -> Path:
    """Return the folder that `path` stands for: a project file names the folder it lies in."""
    return path.parent if path.suffix == PROJECT_SUFFIX and path.is_file() else path


def resource(*parts: str) -> Path:
    """Return the path of a file shipped with the program.

    In a checkout the files lie in ``resources/`` beside ``app/``; a wheel
    carries them inside the package.
    """
    return _resources().joinpath(*parts)


@functools.cache
def _resources() -> Path:
    inside = Path(__file__).resolve().parent / "resources"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[2] / "resources"


def embedder_folder() -> Path:
    """Return the folder of the embedding model shipped with the program."""
    inside = Path(__file__).resolve().parent / "resources" / "embedder"
    checkout = Path(__file__).resolve().parents[2] / "models" / "embedder" / "model"
    return inside if inside.is_dir() else checkout


def catalogue_file() -> Path:
    """Return the catalogue of models that can be downloaded."""
    inside = Path(__file__).resolve().parent / "resources" / "catalogue.toml"
    checkout = Path(__file__).resolve().parents[2] / "models" / "catalogue.toml"
    return inside if inside.is_file() else checkout


def worker_command(role: str) -> list[str]:
    """Return the command line that starts the worker process `role`.

    A frozen program starts itself again; it has no interpreter beside it.
    ``-P`` keeps a project's own ``json.py`` from being imported in our place
    when the program was started inside that project.
    """
    if getattr(sys, "frozen", False):
        return [sys.executable, "worker", role]
    return [sys.executable, "-P", "-m", "commonplace", "worker", role]


def window_command() -> list[str]:
    """Return the command line that opens another window; the folder to open follows."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "window"]
    return [sys.executable, "-P", "-m", "commonplace", "window"]
