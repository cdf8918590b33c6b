"""The self-extracting file: a script in plain sh, and behind it the compressed files."""

from __future__ import annotations

import gzip
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from packagelib import tree

HEADER = Path(__file__).resolve().parents[1] / "linux" / "run-header.sh"
#: What numpy's wheels are built for (x86-64-v2), as /proc/cpuinfo calls it.
CPU_FLAGS = "cx16 popcnt ssse3 sse4_1 sse4_2"
_PLACE = re.compile(r"@([A-Z_0-9]+)@")
_DIGITS = 12


@dataclass(frozen=True)
class About:
    """What the script says and checks; `libraries` are the system's own that the window needs."""

    kind: str  # program or addon
    name: str
    title: str
    version: str
    glibc: str = "2.17"
    libraries: tuple[str, ...] = ()
    cpu_flags: str = CPU_FLAGS


def build(root: Path, about: About, out: Path, epoch: int) -> None:
    """Write the self-extracting file `out` of what lies in `root`."""
    with tempfile.TemporaryFile(dir=out.parent) as payload:
        with gzip.GzipFile(
            filename="", fileobj=payload, mode="wb", compresslevel=6, mtime=0
        ) as packed:
            tree.write_tar(root, packed, epoch)  # type: ignore[arg-type]
        size = payload.tell()
        payload.seek(0)
        checksum = tree.sha256_of(payload)
        header = script(about, size, checksum, tree.size(root.rglob("*")))
        payload.seek(0)
        with out.open("wb") as file:
            file.write(header)
            shutil.copyfileobj(payload, file, 1 << 20)
    out.chmod(0o755)


def script(about: About, size: int, checksum: str, installed: int) -> bytes:
    """Return the script for a payload of `size` bytes that takes `installed` bytes unpacked."""
    values = {
        "KIND": about.kind,
        "NAME": about.name,
        "TITLE": about.title,
        "VERSION": about.version,
        "GLIBC": about.glibc,
        "LIBRARIES": " ".join(about.libraries),
        "CPU_FLAGS": about.cpu_flags,
        "SIZE": str(size),
        "SHA256": checksum,
        "INSTALLED_KIB": str(-(-installed // 1024)),
        "OFFSET": "0" * _DIGITS,
    }
    template = HEADER.read_text(encoding="utf-8")
    length = len(_filled(template, values))
    # In sh a number that begins with 0 is octal, so it is filled up with blanks.
    return _filled(template, {**values, "OFFSET": f"{length:<{_DIGITS}}"})


def _filled(template: str, values: dict[str, str]) -> bytes:
    return _PLACE.sub(lambda place: values[place.group(1)], template).encode()
