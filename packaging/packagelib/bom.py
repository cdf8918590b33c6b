"""The bill of materials of a package: CycloneDX 1.6, in JSON.

Every program and shared library in the package is listed under the component that it comes
from, with its checksum; `uncovered` finds those that are not, and then nothing is packaged.
"""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from packagelib import elf
from packagelib.origins import Component
from packagelib.tree import sha256

NAMESPACE = uuid.UUID("a2c6a7c2-4c0b-5e62-9a51-3d6f0a2a3d11")


def bill(
    subject: Component,
    epoch: int,
    components: Iterable[Component],
    files: Mapping[str, str],
    folder: Path,
    models: Mapping[str, str],
) -> dict[str, Any]:
    """Return the bill of what lies in `folder`.

    `files` says for each file, by its name relative to `folder`, the ``purl`` of its component;
    `models` gives the licences of models, by file name.
    """
    by_purl: dict[str, list[str]] = {}
    for name, purl in sorted(files.items()):
        by_purl.setdefault(purl, []).append(name)
    when = datetime.datetime.fromtimestamp(epoch, datetime.UTC).isoformat().replace("+00:00", "Z")
    listed = [_library(one, folder, by_purl.get(one.purl, [])) for one in components]
    listed += [_model(folder, name, licence) for name, licence in sorted(models.items())]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, f'{subject.purl} {epoch}')}",
        "version": 1,
        "metadata": {
            "timestamp": when,
            "component": {
                "type": "application",
                "bom-ref": subject.purl,
                "name": subject.name,
                "version": subject.version,
                "licenses": [{"license": {"name": subject.licence}}],
                "purl": subject.purl,
            },
        },
        "components": listed,
    }


def _library(one: Component, folder: Path, files: list[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "type": "library",
        "bom-ref": one.purl,
        "name": one.name,
        "version": one.version,
        "licenses": [{"license": {"name": one.licence}}],
        "purl": one.purl,
    }
    if files:
        entry["components"] = [_file(folder, name) for name in files]
    return entry


def _file(folder: Path, name: str) -> dict[str, Any]:
    checksum = sha256(folder / name)
    return {
        "type": "file",
        "bom-ref": f"file:{name}",
        "name": name,
        "hashes": [{"alg": "SHA-256", "content": checksum}],
    }


def _model(folder: Path, name: str, licence: str) -> dict[str, Any]:
    entry = _file(folder, name)
    return {**entry, "type": "machine-learning-model", "licenses": [{"license": {"name": licence}}]}


def write(bill_of_materials: Mapping[str, Any], path: Path) -> None:
    """Write a bill, always in the same bytes."""
    text = json.dumps(bill_of_materials, indent=1, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def uncovered(bill_of_materials: Mapping[str, Any], folder: Path) -> list[str]:
    """Return what is wrong: libraries that the bill lacks, or has with another content."""
    listed: dict[str, str] = {}
    for component in bill_of_materials["components"]:
        for file in [component, *component.get("components", ())]:
            for checksum in file.get("hashes", ()):
                listed[file["name"]] = checksum["content"]
    wrong = []
    for path in elf.elves_below(folder):
        name = path.relative_to(folder).as_posix()
        if name not in listed:
            wrong.append(f"{name}: no component has it")
        elif listed[name] != sha256(path):
            wrong.append(f"{name}: the bill has another checksum")
    wrong += [f"{name}: is not there" for name in listed if not (folder / name).is_file()]
    return sorted(wrong)
