"""How the user wants models loaded, from the settings."""

from __future__ import annotations

from pathlib import Path

from commonplace.engine.types import LoadOptions
from commonplace.paths import StatePaths
from commonplace.settings import Settings

KEYS = (
    "model_context",
    "model_gpu_layers",
    "model_threads",
    "model_batch",
    "model_kv_type",
    "model_kept_mb",
    "model_endpoint",
    "model_endpoint_model",
)
"""The settings that a loaded model has to be loaded again for."""


ELSEWHERE = Path("endpoint")
"""Stands for the file of a model that runs elsewhere."""


def states_folder(paths: StatePaths) -> Path:
    """Return where what models have read of conversations is kept."""
    return paths.cache / "engine" / "states"


def load_options(settings: Settings, paths: StatePaths) -> LoadOptions:
    """Return the options that `settings` ask for, with memories below the cache folder."""
    return LoadOptions(
        context=settings.model_context,
        gpu_layers=settings.model_gpu_layers,
        threads=settings.model_threads,
        batch=settings.model_batch,
        kv_type=settings.model_kv_type,  # type: ignore[arg-type]  # one of its choices
        cache=str(paths.cache / "engine"),
        states_mb=settings.model_kept_mb,
        endpoint=settings.model_endpoint,
        endpoint_model=settings.model_endpoint_model,
    )
