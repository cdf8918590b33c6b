"""Packages of models: one file that brings a model, its checksum and its licence on a stick.

A package is an uncompressed tar archive, so that any computer can look into it: the
manifest first (`package_manifest`), then the GGUF file, or all the parts of a split one.
Nothing else may be in it: no folders, no links, no long names, nothing behind the end.

A package comes from anywhere, so it is read by rules of our own: each header is checked
against the manifest before a byte of a model is copied, and a model has its name in the
folder only once its checksum and its header were right. Until then it lies in a hidden
folder beside it, which whoever installs next sweeps.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from commonplace.engine.entries import licence_file
from commonplace.engine.gguf import Header, read_header
from commonplace.engine.importing import PIECE, TELL, check_room
from commonplace.engine.package_manifest import (
    MOST_BYTES,
    NAME,
    SUFFIX,
    Manifest,
    PackedFile,
    broken,
    read_manifest,
)
from commonplace.engine.progress import Phase, Progress
from commonplace.errors import CancelledError, ModelError, StorageError

BLOCK = tarfile.BLOCKSIZE
END = 2 * BLOCK
"""A tar archive ends with two empty blocks."""
MOST_PADDING = 1 << 20
STAGING = ".installing-"
LOCK = ".installing.lock"

Tell = Callable[[Progress], None]
Stop = Callable[[], bool]


def inspect_package(path: Path) -> Manifest:
    """Return what the package at `path` says of itself, its whole layout checked.

    The model's bytes are not read. Raises `ModelError` and `StorageError`.
    """
    with _opened(path) as file:
        return _layout(file, path.name)[0]


def install_package(
    path: Path,
    folder: Path,
    agreed: str,
    *,
    on_progress: Tell | None = None,
    stop: Stop | None = None,
) -> Path:
    """Install the model of the package at `path` into `folder`; return where it is.

    `agreed` is the digest of the manifest whose licence a person accepted. Raises
    `ModelError`, `StorageError` and `CancelledError`; then nothing is installed.
    """
    tell, stopped = on_progress or (lambda _: None), stop or (lambda: False)
    with _opened(path) as file:
        manifest, places = _layout(file, path.name)
        if manifest.digest != agreed:
            raise ModelError(
                f"{path.name} is not the package whose licence was accepted.",
                "Nothing was installed. Look at its licence again.",
            )
        targets = [folder / packed.name for packed in manifest.files]
        with _staging(folder, path.name) as staged:
            _check_free(targets, folder)
            check_room(path.name, manifest.size, folder)
            done = 0
            for packed, place in zip(manifest.files, places, strict=True):
                _extract(file, place, packed, staged, (done, manifest.size), tell, stopped)
                done += packed.size
            _check_model(staged / manifest.files[0].name, path.name)
            _write(staged / "licence", _licence_words(manifest))
            _publish(staged, targets)
    return targets[0]


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a package; what the machine refuses becomes a `StorageError` that names it."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ModelError(f"{path} is not a file.", f"Choose a package, *{SUFFIX}.")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError as error:
        raise ModelError(f"There is no {path}.", "Check its name, and that the stick is in.") from (
            error
        )
    except OSError as error:
        raise machine_error(path, error) from error


def _layout(file: BinaryIO, package: str) -> tuple[Manifest, list[int]]:
    """Check every header; return the manifest and where each file of the model begins."""
    size = _member(file, package, NAME)
    if size > MOST_BYTES:
        raise broken(package, f"its manifest has {size:,} bytes")
    manifest = read_manifest(_read(file, size, package), package)
    _skip(file, -size % BLOCK, package)
    places: list[int] = []
    for packed in manifest.files:
        found = _member(file, package, packed.name)
        if found != packed.size:
            raise broken(
                package, f"{packed.name} has {found:,} bytes and should have {packed.size:,}"
            )
        places.append(file.tell())
        _skip(file, packed.size + -packed.size % BLOCK, package)
    _check_end(file, package)
    return manifest, places


def _member(file: BinaryIO, package: str, expected: str) -> int:
    """Read the header of the next file, which is called `expected`; return its size in bytes."""
    head = _read(file, BLOCK, package)
    if not any(head):
        raise broken(package, f"it ends before {expected}")
    try:
        member = tarfile.TarInfo.frombuf(head, "utf-8", "strict")
    except (tarfile.HeaderError, ValueError) as error:
        raise broken(package, "it is no tar archive, or is damaged") from error
    if member.type not in {tarfile.REGTYPE, tarfile.AREGTYPE} or member.name != expected:
        raise broken(package, f"it holds {member.name[:100]!r} where {expected} should be")
    if member.size < 0:
        raise broken(package, f"the size of {expected} is wrong")
    return member.size


def _check_end(file: BinaryIO, package: str) -> None:
    """Only empty blocks may follow: whoever packs with tar pads to ten or twenty of them."""
    rest = file.read(MOST_PADDING + 1)
    if len(rest) < END:
        raise broken(package, "it is cut off")
    if any(rest) or len(rest) > MOST_PADDING:
        raise broken(package, "something follows its end")


def _read(file: BinaryIO, size: int, package: str) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise broken(package, "it is cut off")
    return data


def _skip(file: BinaryIO, size: int, package: str) -> None:
    """Go on by `size` bytes, which have to be there."""
    place = file.tell() + size
    if place > os.fstat(file.fileno()).st_size:
        raise broken(package, "it is cut off")
    file.seek(place)


def _extract(
    file: BinaryIO,
    place: int,
    packed: PackedFile,
    folder: Path,
    whole: tuple[int, int],
    tell: Tell,
    stop: Stop,
) -> None:
    """Copy one file of the model and hold it against its checksum; `whole`: done, and all."""
    done, total = whole
    file.seek(place)
    digest = hashlib.sha256()
    with (folder / packed.name).open("xb") as out:
        left = packed.size
        for piece in pieces(file, left, ("copying", done, total), tell, stop):
            digest.update(piece)
            out.write(piece)
            left -= len(piece)
        out.flush()
        os.fsync(out.fileno())
    if left or digest.hexdigest() != packed.sha256:
        raise ModelError(
            f"{packed.name} is damaged: its checksum is not the one of the manifest.",
            "Nothing was installed. Copy the package anew from where it came from.",
        )


def pieces(
    file: BinaryIO, size: int, where: tuple[Phase, int, int], tell: Tell, stop: Stop
) -> Iterator[bytes]:
    """Yield `size` bytes of `file` in pieces, fewer if it ends, and tell how far that is."""
    phase, done, total = where
    told, end = done - TELL, done + size
    while done < end:
        if stop():
            raise CancelledError("Stopped.")
        piece = file.read(min(PIECE, end - done))
        if not piece:
            return
        done += len(piece)
        if done - told >= TELL or done == end:
            told = done
            tell(Progress(phase, done, total))
        yield piece


def _check_model(path: Path, package: str) -> Header:
    try:
        return read_header(path)
    except ModelError as error:
        raise broken(package, f"what it holds cannot answer ({error.message})") from error


def _check_free(targets: list[Path], folder: Path) -> None:
    for target in (*targets, licence_file(targets[0])):
        if target.is_symlink() or target.exists():
            raise ModelError(
                f"There is already a {target.name} in {folder}.", "Delete that one first."
            )


@contextlib.contextmanager
def _staging(folder: Path, package: str) -> Iterator[Path]:
    """Give a hidden folder inside `folder` that is gone afterwards; one install at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise ModelError(
            f"Another package is being installed, so {package} has to wait.",
            "Try again when that one is there.",
        ) from error
    staged: Path | None = None
    try:
        for left in folder.glob(f"{STAGING}*"):
            shutil.rmtree(left, ignore_errors=True)
        staged = Path(tempfile.mkdtemp(prefix=STAGING, dir=folder))
        yield staged
    finally:
        if staged is not None:
            shutil.rmtree(staged, ignore_errors=True)
        lock.release()


def _publish(staged: Path, targets: list[Path]) -> None:
    """Give the files their names: the first of a model last, since until then none is whole."""
    made: list[Path] = []
    names = [(staged / "licence", licence_file(targets[0]))]
    names += [(staged / target.name, target) for target in reversed(targets)]
    try:
        for source, target in names:
            source.rename(target)
            made.append(target)
    except OSError:
        for target in made:
            target.unlink(missing_ok=True)
        raise


def _licence_words(manifest: Manifest) -> bytes:
    source = f"Source: {manifest.source}\n" if manifest.source else ""
    sums = "".join(f"SHA-256 of {file.name}: {file.sha256}\n" for file in manifest.files)
    return f"{manifest.licence}\n{source}{sums}\n{manifest.licence_text}\n".encode()


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def machine_error(path: Path, error: OSError) -> StorageError:
    """Say what the machine refused of the file at `path`."""
    return StorageError(
        f"{path.name} cannot be read or written: {error.strerror or error}.",
        "Check that the stick is in, that there is space, and the permissions.",
    )
