"""What a scan says about files, and which files it leaves out unread."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass

from commonplace.words import said

MAX_FILE_BYTES = 2 * 1024 * 1024

# Only formats that no text file shares: a doubtful suffix is left to the
# index, which looks at the content.
_BINARY_KINDS = (
    # images, sound, film
    "png jpg jpeg jpe gif bmp ico icns tif tiff webp avif heic psd xcf cr2 nef",
    "mp3 mp4 m4a m4v wav flac ogg oga ogv opus aac aif aiff avi mov mkv webm wmv flv mpg mpeg",
    # archives and packages
    "zip gz tgz bz2 tbz2 xz txz zst lz lz4 lzma 7z rar tar jar war whl egg apk aab ipa",
    "deb rpm dmg iso msi cab crx xpi nupkg gem",
    # fonts
    "ttf otf ttc woff woff2 eot",
    # machine code
    "o a so dylib dll exe pyc pyo pyd class wasm elf rlib rmeta pdb gch pch beam",
    # models, arrays, data sets
    "gguf ggml safetensors pt pth ckpt onnx tflite h5 hdf5 npy npz pkl pickle joblib parquet",
    "feather arrow avro",
    # databases, documents, disks, scenes
    "sqlite sqlite3 db3 mdb accdb pdf docx xls xlsx ppt pptx odt ods odp epub mobi djvu",
    "vhd vmdk qcow2 blend fbx glb swf",
)
_BINARY_SUFFIXES = frozenset(suffix for line in _BINARY_KINDS for suffix in line.split())


@dataclass(frozen=True, slots=True)
class FileStat:
    """What the disk says about one file, cheap to compare.

    `path` is relative to the root, with ``/`` between its parts. `inode` is 0
    on Windows, where a folder listing does not carry it.
    """

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, path: str, info: os.stat_result) -> FileStat:
        """Return the part of `info` that tells two versions of a file apart."""
        inode = 0 if sys.platform == "win32" else info.st_ino
        return cls(path, info.st_size, info.st_mtime_ns, info.st_ctime_ns, inode)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or folder deliberately left out, with a reason a person can read."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a scan found.

    `files` maps relative paths to their state, `skipped` is ordered by path,
    and `folders` holds the folders walked, which are those worth watching
    (``""`` is the root).
    """

    files: dict[str, FileStat]
    skipped: tuple[Skipped, ...]
    folders: frozenset[str]


def never() -> bool:
    """Return False: the question "shall I stop?" when nobody asks to stop."""
    return False


def reason_to_skip(name: str, info: os.stat_result) -> str | None:
    """Return why the file `name` is left out, judged without reading it."""
    if not stat.S_ISREG(info.st_mode):
        return _special_kind(info.st_mode)
    stem, _, suffix = name.rpartition(".")
    if stem and suffix.lower() in _BINARY_SUFFIXES:
        return said(f"binary (.{suffix.lower()})")
    if info.st_size > MAX_FILE_BYTES:
        return said(f"larger than {MAX_FILE_BYTES // (1024 * 1024)} MiB")
    return None


def is_utf8(text: str) -> bool:
    """Return whether a name from the disk can be written as UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def printable(path: str) -> str:
    """Return `path` with bytes that are not UTF-8 shown as escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def explain(error: OSError) -> str:
    """Return why a file or folder could not be read, as a reason to skip it."""
    return said(f"cannot be read: {error.strerror or type(error).__name__}")


def join(folder: str, name: str) -> str:
    """Return the relative path of `name` in `folder` (``""`` is the root)."""
    return f"{folder}/{name}" if folder else name


def _special_kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return said("named pipe")
    if stat.S_ISSOCK(mode):
        return "socket"
    if stat.S_ISDIR(mode):
        return "folder"
    return said("device")
