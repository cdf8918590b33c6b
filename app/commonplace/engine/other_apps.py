"""Where other programs keep models; looked at only if the user says so, and only read."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MOST_MANIFESTS = 2000
MANIFEST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class AppFile:
    """A model of another program; `title` is what it calls it, or empty."""

    path: Path
    title: str = ""


@dataclass(frozen=True, slots=True)
class OtherApp:
    """One program, and the models it keeps here."""

    name: str
    files: tuple[AppFile, ...]


def models_of_other_apps() -> list[OtherApp]:
    """Return the programs that keep models on this machine."""
    finders: tuple[tuple[str, Callable[[], Iterator[AppFile]]], ...] = (
        ("LM Studio", _lm_studio),
        ("Ollama", _ollama),
        ("GPT4All", _gpt4all),
        ("llama.cpp", _llama_cpp),
        ("hub cache", _hub_cache),
    )
    apps = [OtherApp(name, tuple(find())) for name, find in finders]
    return [app for app in apps if app.files]


def _lm_studio() -> Iterator[AppFile]:
    for base in (Path.home() / ".lmstudio", _cache() / "lm-studio"):
        yield from _files(base / "models", "*/*/*.gguf")


def _gpt4all() -> Iterator[AppFile]:
    yield from _files(_data() / "nomic.ai" / "GPT4All", "*.gguf")


def _llama_cpp() -> Iterator[AppFile]:
    named = os.environ.get("LLAMA_CACHE")
    base = Path.home() / "Library" / "Caches" if sys.platform == "darwin" else _cache()
    yield from _files(Path(named) if named else base / "llama.cpp", "*.gguf")


def _hub_cache() -> Iterator[AppFile]:
    home = os.environ.get("HF_HOME")
    base = Path(home) if home else Path.home() / ".cache" / "huggingface"
    for file in _files(base / "hub", "models--*/snapshots/*/**/*.gguf"):
        yield AppFile(file.path, file.path.stem)


def _ollama() -> Iterator[AppFile]:
    """Read the manifests: the files themselves are called by their checksums."""
    named = os.environ.get("OLLAMA_MODELS")
    bases = [Path(named)] if named else [Path.home() / ".ollama" / "models"]
    if not named and sys.platform == "linux":
        bases.append(Path("/usr/share/ollama/.ollama/models"))
    for base in bases:
        manifests = _files(base / "manifests", "*/*/*/*")
        for number, manifest in enumerate(manifests):
            if number >= MOST_MANIFESTS:
                return
            digest = _model_layer(manifest.path)
            blob = base / "blobs" / digest.replace(":", "-")
            if digest and blob.is_file():
                *_, name, tag = manifest.path.parts
                yield AppFile(blob, f"{name}:{tag}")


def _model_layer(manifest: Path) -> str:
    """Return the digest of the model in a manifest, or the empty string."""
    try:
        if manifest.stat().st_size > MANIFEST_BYTES:
            return ""
        layers = json.loads(manifest.read_text(encoding="utf-8"))["layers"]
        found = [
            str(layer["digest"])
            for layer in layers
            if str(layer["mediaType"]).endswith("image.model")
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    digest = found[0] if len(found) == 1 else ""
    return digest if digest.startswith("sha256:") and digest[7:].isalnum() else ""


def _files(base: Path, pattern: str) -> Iterator[AppFile]:
    try:
        yield from (AppFile(path) for path in sorted(base.glob(pattern)) if path.is_file())
    except OSError:
        return


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _data() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home())
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
