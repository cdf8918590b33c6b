"""Making a package of a model: the other end of `packages`."""

from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path

from commonplace.engine.entries import licence_of, parts_of
from commonplace.engine.gguf import read_header
from commonplace.engine.importing import check_room
from commonplace.engine.package_manifest import (
    NAME,
    Manifest,
    PackedFile,
    check_name,
    read_manifest,
)
from commonplace.engine.packages import BLOCK, END, Stop, Tell, machine_error, pieces
from commonplace.engine.progress import Phase
from commonplace.errors import ModelError


def pack_model(
    source: Path,
    target: Path,
    licence_text: str,
    *,
    licence: str = "",
    name: str = "",
    origin: str = "",
    on_progress: Tell | None = None,
    stop: Stop | None = None,
) -> Manifest:
    """Make a package of the model at `source`, with all its parts, at `target`.

    `licence` is the licence's name, by default what the model says of it; `origin` says
    where the model comes from. The same model and licence make the same bytes. Raises
    `ModelError`, `StorageError` and `CancelledError`; then there is no package.
    """
    tell, stopped = on_progress or (lambda _: None), stop or (lambda: False)
    header = read_header(source)
    files = parts_of(source)
    if target.exists():
        raise ModelError(f"There is already a {target}.", "Give the package another name.")
    licence = licence or licence_of(source)
    _check_packable(files, licence, licence_text)
    try:
        total = sum(file.stat().st_size for file in files)
        packed: list[PackedFile] = []
        for path in files:
            done = sum(one.size for one in packed)
            packed.append(_measured(path, done, total, tell, stopped))
        about = {
            "architecture": header.architecture, "parameters": header.parameters,
            "quantisation": header.quantisation, "context": header.context_length,
        }  # fmt: skip
        manifest = Manifest(
            name or header.name, licence, licence_text, tuple(packed), origin, about
        )
        manifest = read_manifest(manifest.to_bytes(), target.name)  # what we refuse we do not make
        check_room(target.name, total, target.absolute().parent)
        _write_package(files, manifest, target, tell, stopped)
    except OSError as error:
        raise machine_error(target, error) from error
    return manifest


def _check_packable(files: tuple[Path, ...], licence: str, licence_text: str) -> None:
    if not licence.strip():
        raise ModelError(f"{files[0].name} does not say its licence.", "Give the licence's name.")
    if not licence_text.strip():
        raise ModelError("The text of the licence is empty.", "Give the file with the text.")
    for file in files:
        try:
            check_name(file.name)
        except ValueError as error:
            raise ModelError(
                f"{file.name} cannot be packed under that name.",
                "Rename it: letters, digits, '.', '_' and '-', at most 95 of them.",
            ) from error


def _measured(path: Path, done: int, total: int, tell: Tell, stop: Stop) -> PackedFile:
    size, digest = path.stat().st_size, hashlib.sha256()
    with path.open("rb") as file:
        for piece in pieces(file, size, ("verifying", done, total), tell, stop):
            digest.update(piece)
    return PackedFile(path.name, size, digest.hexdigest())


def _write_package(
    files: tuple[Path, ...], manifest: Manifest, target: Path, tell: Tell, stop: Stop
) -> None:
    """Write the package beside its name, and give it the name once it is whole."""
    head = manifest.to_bytes()
    copy = target.with_name(f".{target.name}.new")
    try:
        with copy.open("wb") as out:
            out.write(_member_head(NAME, len(head)) + head + bytes(-len(head) % BLOCK))
            done = 0
            for path, packed in zip(files, manifest.files, strict=True):
                out.write(_member_head(packed.name, packed.size))
                digest = hashlib.sha256()
                with path.open("rb") as file:
                    where: tuple[Phase, int, int] = ("copying", done, manifest.size)
                    for piece in pieces(file, packed.size, where, tell, stop):
                        digest.update(piece)
                        out.write(piece)
                if digest.hexdigest() != packed.sha256:
                    raise ModelError(
                        f"{path.name} changed while it was packed.", "Pack it again, untouched."
                    )
                out.write(bytes(-packed.size % BLOCK))
                done += packed.size
            out.write(bytes(END))
            out.flush()
            os.fsync(out.fileno())
        copy.replace(target)
    finally:
        copy.unlink(missing_ok=True)


def _member_head(name: str, size: int) -> bytes:
    """Return the header of a file: without owner and time, so that packing repeats exactly."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict")
