"""Take out of the frozen program what it does not need, with the smoke test as guard.

Libraries are kept for as long as something that is kept links to them: the closure starts at
the program, Python's extension modules, llama.cpp and the Qt plug-ins named below.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from packagelib import elf

#: Qt's plug-ins that are used: windows under X11, Wayland and without a screen (tests);
#: input methods; SVG icons; the desktop's own file dialogs. No OpenGL: widgets are painted.
PLUGINS = frozenset(
    {
        "iconengines/libqsvgicon.so",
        "imageformats/libqico.so",
        "imageformats/libqjpeg.so",
        "imageformats/libqsvg.so",
        "platforminputcontexts/libcomposeplatforminputcontextplugin.so",
        "platforminputcontexts/libibusplatforminputcontextplugin.so",
        "platforms/libqoffscreen.so",
        "platforms/libqwayland.so",
        "platforms/libqxcb.so",
        "platformthemes/libqxdgdesktopportal.so",
        "wayland-decoration-client/libadwaita.so",
        "wayland-decoration-client/libbradient.so",
        "wayland-shell-integration/libxdg-shell.so",
    }
)
#: Extension modules of Python's own library that nothing here imports.
MODULES = (
    "_crypt _curses _curses_panel _dbm _gdbm _tkinter nis ossaudiodev readline spwd xxlimited "
    "xxlimited_35 audioop _xxsubinterpreters _xxtestfuzz"
).split()  # fmt: skip


def trim(program: Path, languages: Iterable[str]) -> None:
    """Trim the folder of the frozen program; `languages` are those the window speaks."""
    inside = program / "_internal"
    qt = inside / "PySide6" / "Qt"
    plugins = qt / "plugins"
    for plugin in sorted(plugins.rglob("*.so")):
        if plugin.relative_to(plugins).as_posix() not in PLUGINS:
            plugin.unlink()
    wanted = {f"qtbase_{language}.qm" for language in languages}
    for translation in sorted((qt / "translations").glob("*")):
        if translation.name not in wanted:
            translation.unlink()
    for modules in inside.glob("python3.*/lib-dynload"):
        for module in sorted(modules.glob("*.so")):
            name = module.name.partition(".")[0]
            if name in MODULES or "test" in name:
                module.unlink()
    for pattern in ("**/__pycache__", "**/*.pyi", "**/py.typed", "**/*.h", "**/*.pxd"):
        for found in sorted(inside.glob(pattern)):
            shutil.rmtree(found) if found.is_dir() else found.unlink()
    link_twins(inside / "llama_cpp" / "lib")
    drop_unreached(program)
    drop_empty(inside)


def link_twins(folder: Path) -> None:
    """Make ``libx.so`` a link to ``libx.so.0`` where both are the same file."""
    for library in sorted(folder.glob("*.so")):
        for twin in sorted(folder.glob(f"{library.name}.*")):
            if not library.is_symlink() and library.read_bytes() == twin.read_bytes():
                library.unlink()
                library.symlink_to(twin.name)


def drop_unreached(program: Path) -> None:
    """Remove the libraries that nothing links to any more, directly or through others."""
    inside = program / "_internal"
    files = {path: elf.read(path) for path in elf.elves_below(program)}
    by_name: dict[str, Path] = {}
    for path, said in files.items():
        for name in (path.name, said.soname):
            if name:
                by_name.setdefault(name, path)
    for link in inside.rglob("*"):
        if link.is_symlink() and link.exists():
            by_name.setdefault(link.name, link.resolve())
    waiting = [path for path in files if is_root(path.relative_to(program))]
    reached: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path in reached or path not in files:
            continue
        reached.add(path)
        waiting += [by_name[name] for name in files[path].needed if name in by_name]
    for path in files.keys() - reached:
        path.unlink()
    for link in sorted(inside.rglob("*")):
        if link.is_symlink() and not link.exists():
            link.unlink()


def is_root(path: Path) -> bool:
    """Whether `path`, relative to the program, is loaded by name and not by being linked to."""
    parts = path.parts
    if parts[0] != "_internal" or "lib-dynload" in parts or "plugins" in parts:
        return True
    if len(parts) == 2 or parts[-2].endswith(".libs") or parts[1:4] == ("PySide6", "Qt", "lib"):
        return path.name.startswith("libpython")
    return not path.name.startswith(("libpyside6", "libshiboken6"))


def drop_empty(folder: Path) -> None:
    """Remove folders that have nothing left in them."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
            path.rmdir()


def strip(folder: Path) -> None:
    """Take the symbols out of the libraries.

    Those of numpy and scipy have been rewritten by their makers in a way that does not survive it.
    """
    for path in elf.elves_below(folder):
        if path.suffix == ".so" or ".so." in path.name:
            if any(part.endswith(".libs") for part in path.parts):
                continue
            subprocess.run(
                ["strip", "--strip-unneeded", "--enable-deterministic-archives", str(path)],
                check=True,
                stderr=subprocess.DEVNULL,
            )
