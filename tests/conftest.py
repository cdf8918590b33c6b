"""Fixtures that every test may use: a state folder of its own and small projects."""

from __future__ import annotations

import atexit
import gc
import signal
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from commonplace.paths import HOME_VARIABLE, StatePaths

# The same examples in each run, on machines fast and slow: a red run must mean a change for
# the worse. New examples are looked for with `pytest --hypothesis-profile=random`.
settings.register_profile(
    "same",
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "random", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same")

MODELS = Path(__file__).resolve().parents[1] / "models"


def pytest_configure() -> None:
    """Let Ctrl-C reach what the tests start, as in a terminal, and say nothing at the end."""
    # A shell that runs the tests in the background has it ignored, and children inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # llama_cpp opens two files as it is imported and never closes them.
    unclosed = r"unclosed file .*name='/dev/null'"
    atexit.register(warnings.filterwarnings, "ignore", unclosed, ResourceWarning)


def pytest_collection_finish() -> None:
    """Let the collector pass over what was imported: it stays to the end, and no test made it.

    Otherwise each look for what a test left behind goes through all of it.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test away from the state, and the git settings, of whoever runs it."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv(HOME_VARIABLE, str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "xdg"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(folder / "gitconfig"))
    return folder


@pytest.fixture
def state() -> StatePaths:
    """The state folders of this test."""
    return StatePaths.from_environment()


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Write files into a new project folder and return it."""

    def make(files: dict[str, str]) -> Path:
        root = tmp_path / "project"
        root.mkdir(exist_ok=True)
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return root

    return make


@pytest.fixture
def starter_gguf() -> Path:
    """The starter chat model."""
    path = MODELS / "SmolLM2-135M-Instruct.Q4_1.gguf"
    if not path.is_file():
        pytest.skip("the starter model is not installed: make models")
    return path


@pytest.fixture
def starter_embedder() -> Path:
    """The starter embedding model."""
    path = MODELS / "all-MiniLM-L6-v2"
    if not (path / "model.safetensors").is_file():
        pytest.skip("the starter embedder is not installed: make models")
    return path
