"""What a package of a model says of itself, checked before anything else is believed.

The manifest is JSON, the first file of the package::

    {
      "format": 1,
      "name": "Qwen2.5 Coder 1.5B",
      "licence": {"name": "Apache-2.0", "text": "…"},
      "source": "where the model comes from",
      "files": [{"name": "x.gguf", "size": 1234, "sha256": "…"}],
      "about": {"architecture": "qwen2", "parameters": 1543714304, …}
    }

`about` is for people and is not relied on. Fields that this program does not know are
left alone, so that a later one may say more.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from commonplace.engine.entries import PART_NAME, parts_of
from commonplace.errors import ModelError

FORMAT = 1
SUFFIX = ".cpmodel"
NAME = "manifest.json"
MOST_BYTES = 1 << 20
"""A manifest above this is refused before it is read: the licences known have 20 to 40 KiB."""
MOST_FILES = 999
MOST_SIZE = 1 << 44
"""Bytes of one file that are believed: 16 TiB."""

_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,88}\.gguf")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PackedFile:
    """One file of a model: its name, its size in bytes and its SHA-256 in hexadecimal."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a package holds; `digest` is the SHA-256 of the manifest itself, as it was read.

    Whoever accepts the licence accepts the manifest with this digest, and only that one
    is installed.
    """

    name: str
    licence: str
    licence_text: str
    files: tuple[PackedFile, ...]
    source: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""

    @property
    def size(self) -> int:
        """Bytes of all files of the model together."""
        return sum(file.size for file in self.files)

    def to_bytes(self) -> bytes:
        """Return the manifest as a package holds it."""
        data = {
            "format": FORMAT,
            "name": self.name,
            "licence": {"name": self.licence, "text": self.licence_text},
            "source": self.source,
            "files": [asdict(file) for file in self.files],
            "about": dict(self.about),
        }
        return (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode()

    def to_wire(self) -> dict[str, Any]:
        """Return what a person is shown before they decide."""
        return {
            "name": self.name, "licence": self.licence, "licence_text": self.licence_text,
            "source": self.source, "size": self.size, "digest": self.digest,
            "files": [asdict(file) for file in self.files],
        }  # fmt: skip


def read_manifest(data: bytes, package: str) -> Manifest:
    """Read and check the manifest of the package called `package`; raises `ModelError`."""
    try:
        return _manifest(json.loads(data.decode("utf-8")), package, _digest(data))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise broken(package, f"its manifest is wrong ({_short(error)})") from error


def broken(package: str, why: str) -> ModelError:
    """Return the error that says that a package cannot be used, and why."""
    return ModelError(
        f"{package} cannot be installed: {why}.",
        "Nothing was installed. Copy the package anew from where it came from.",
    )


def check_name(name: str) -> None:
    """Raise `ValueError` for a name that a file of a package cannot have on some system."""
    if not _FILE.fullmatch(name) or _RESERVED.fullmatch(name):
        raise ValueError(f"{name[:100]!r} is no name for a model's file")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _manifest(data: object, package: str, digest: str) -> Manifest:
    if not isinstance(data, Mapping):
        raise TypeError("it is no object")
    if _whole(data, "format") > FORMAT:
        raise ModelError(
            f"{package} was made for a newer version of Commonplace.",
            "Install it with that version, or take the GGUF file out of it with tar.",
        )
    licence, about = data["licence"], data.get("about", {})
    if not isinstance(licence, Mapping) or not isinstance(about, Mapping):
        raise TypeError("licence or about is no object")
    listed = data["files"]
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_FILES:
        raise ValueError("it names no files, or too many")
    files = tuple(_file(one) for one in listed)
    _check_names([file.name for file in files])
    text = _text(licence, "text", lines=True)
    if not text.strip():
        raise ValueError("it has no text of a licence")
    return Manifest(
        _text(data, "name"), _text(licence, "name"), text, files,
        _text(data, "source", empty=True), dict(about), digest,
    )  # fmt: skip


def _file(data: object) -> PackedFile:
    if not isinstance(data, Mapping):
        raise TypeError("a file is no object")
    name, checksum = _text(data, "name", lines=True), _text(data, "sha256", lines=True)
    size = _whole(data, "size")
    check_name(name)
    if not _SHA256.fullmatch(checksum):
        raise ValueError(f"the checksum of {name} is none")
    if not 1 <= size <= MOST_SIZE:
        raise ValueError(f"the size of {name} is none")
    return PackedFile(name, size, checksum)


def _check_names(names: list[str]) -> None:
    """Only the file, or all the parts in their order, of one model belong into a package."""
    if len({name.lower() for name in names}) != len(names):
        raise ValueError("it names one file twice")
    if names != [part.name for part in parts_of(Path(names[0]))]:
        raise ValueError("its files are not the parts of one model")
    if len(names) == 1 and PART_NAME.match(names[0]):
        raise ValueError("it holds one part of a model only")


def _text(data: Mapping[str, Any], key: str, *, lines: bool = False, empty: bool = False) -> str:
    value = data.get(key, "") if empty else data[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is no text")
    value.encode()  # half a surrogate pair is an error here and not when it is shown
    if not lines:
        value = " ".join(value.split())[:500]
    if not value and not empty:
        raise ValueError(f"{key} is empty")
    return value


def _whole(data: Mapping[str, Any], key: str) -> int:
    value = data[key]
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{key} is no whole number")
    return value


def _short(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    return " ".join(str(error).split())[:200] or type(error).__name__
