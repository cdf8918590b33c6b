"""The licences of all that a package carries, in one folder, with what the LGPL asks for."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from packagelib.origins import Component

COMMON = Path("/usr/share/common-licenses")
LGPL_NOTICE = """\
Qt, PySide6 and glib in this program are free software under the GNU Lesser General Public
License (LGPL-3, LGPL-2.1; the texts are in this folder). You may replace them:

* Every library is a file of its own below `_internal`: Qt's in `_internal/PySide6/Qt/lib`, those of
  PySide6 and Shiboken in `_internal`, the others in `_internal` too.
* Put your own build of the same major version there under the same name. Nothing checks their
  checksums at start; `sbom.cdx.json` says which versions were put there.
* Nothing in this program's terms forbids to take it apart in order to debug such a change.

The sources of Qt and PySide6: https://download.qt.io/official_releases/ (qt and QtForPython, in the
versions that sbom.cdx.json names); those of the libraries from Debian: https://snapshot.debian.org/.
Whoever gave you this program owes you a copy of those sources on request, for three years.
"""
_SAFE = re.compile(r"[^A-Za-z0-9.+_-]+")


def collect(
    folder: Path, components: Iterable[Component], own: Path, extra: Iterable[Path]
) -> None:
    """Fill `folder`: one folder per component, our own licence `own`, and `extra` texts."""
    folder.mkdir(parents=True)
    shutil.copyfile(own, folder / "LICENSE")
    lines = []
    for one in components:
        lines.append(f"{one.name} {one.version}: {one.licence}")
        for text in one.licences:
            target = folder / _SAFE.sub("-", one.name) / _flat(text)
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(text, target)
    for text in extra:
        shutil.copyfile(text, folder / text.name)
    python = (
        Path(sys.base_prefix)
        / "lib"
        / f"python{sys.version_info[0]}.{sys.version_info[1]}"
        / "LICENSE.txt"
    )
    if python.is_file():
        shutil.copyfile(python, folder / "CPython-LICENSE.txt")
    for name in ("LGPL-3", "LGPL-2.1", "GPL-3", "GPL-2", "Apache-2.0"):
        if (COMMON / name).is_file():
            shutil.copyfile(COMMON / name, folder / f"{name}.txt")
    (folder / "LGPL-NOTICE.txt").write_text(LGPL_NOTICE, encoding="utf-8")
    (folder / "INDEX.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _flat(text: Path) -> str:
    """Return a file name for a licence text; those in folders of a package stay apart."""
    parts = text.parts
    parts = parts[parts.index("licenses") + 1 :] if "licenses" in parts else parts[-1:]
    return _SAFE.sub("-", "-".join(parts))
