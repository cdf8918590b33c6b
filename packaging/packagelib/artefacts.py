"""The files that people get: two packages of the program, two of the add-on, and their sums."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

from packagelib import bom, deb, elf, freeze, licences, manual, origins, runfile, tree
from packagelib.freeze import Frozen
from packagelib.origins import Component, Packages
from packagelib.source import ROOT, Source

ADDON = "adapt"
SHORT = "Ask about your code on your own machine"
LONG = """\
 Commonplace answers questions about a project with a language model that
 runs on this machine, and keeps what it should remember in files that you
 can read, edit and delete. Nothing leaves the machine.
 .
 A small model is included. Larger ones can be added from a file."""
ADDON_SHORT = "adapting the model to the open file"
ADDON_LONG = """\
 Adds what Commonplace needs to adapt its model to the file that you work on,
 and to search with a transformer: PyTorch and the libraries around it, and
 the embedding model all-MiniLM-L6-v2."""
#: What glibc and the loader are; the others that are not carried are for the window.
LIBC = (
    "ld-linux",
    "libc.so",
    "libcrypt.so",
    "libdl.so",
    "libm.so",
    "libmvec.so",
    "libpthread.so",
    "libresolv.so",
    "librt.so",
    "libutil.so",
)


def program(source: Source, frozen: Frozen, work: Path, out: Path) -> list[Path]:
    """Make the packages of the program from the folder that was frozen."""
    share = work / "share"
    desktop_files(source, share)
    root = work / "deb"
    app = root / deb.APP
    copy(frozen.folder, app)
    (root / "usr" / "bin").mkdir(parents=True)
    (root / "usr" / "bin" / "commonplace").symlink_to("../lib/commonplace/commonplace")
    copy(share, root / "usr" / "share")
    documents(root / "usr" / "share" / "doc" / "commonplace", source, app)
    outside = system_libraries(frozen.folder)
    needs = deb.depends(outside, frozen.glibc)
    fields = {
        "Package": "commonplace",
        "Version": source.version,
        "Architecture": "amd64",
        "Maintainer": deb.MAINTAINER,
        "Section": "devel",
        "Priority": "optional",
        "Depends": ", ".join([*needs, *deb.BESIDE]),
        "Recommends": "git",
        "Suggests": f"commonplace-{ADDON}",
        "Description": f"{SHORT}\n{LONG}",
    }
    package = out / f"commonplace_{source.version}_amd64.deb"
    deb.build(root, fields, package, source.epoch)

    payload = work / "run"
    copy(frozen.folder, payload)
    copy(share, payload / "share")
    tree.normalise(payload, source.epoch)
    about = runfile.About(
        "program",
        "commonplace",
        SHORT,
        source.version,
        frozen.glibc,
        outside,
    )
    run = out / f"commonplace-{source.version}-linux-x86_64.run"
    runfile.build(payload, about, run, source.epoch)
    shutil.copyfile(frozen.bill, out / f"commonplace-{source.version}.{freeze.BILL}")
    return [package, run]


def addon(source: Source, frozen: Frozen, packages: Path, work: Path, out: Path) -> list[Path]:
    """Make the packages of the add-on from the folder `packages`."""
    payload = work / "addon"
    copy(packages, payload)
    models = payload / "models" / freeze.MINILM
    shutil.copytree(ROOT / "models" / freeze.MINILM, models)
    place = f"commonplace-{ADDON}"
    found = Packages(payload)
    files, components = {}, {}
    for one in map(found.component, found.found):
        components[one.purl] = one
    for path in elf.elves_below(payload):
        name = path.relative_to(payload).as_posix()
        one = addon_component(name, path, found)
        files[name], components[one.purl] = one.purl, one
    model = (models / "model.safetensors").relative_to(payload).as_posix()
    listed = origins.in_order(components)
    subject = freeze.subject_of(source, place)
    written = bom.bill(subject, source.epoch, listed, files, payload, {model: "Apache-2.0"})
    freeze.finish(payload, source, written, listed)
    tree.normalise(payload, source.epoch)
    root = work / "addon-deb"
    copy(payload, root / deb.APP / "addons" / ADDON)
    documents(root / "usr" / "share" / "doc" / place, source, root / deb.APP / "addons" / ADDON)
    needs = deb.depends(system_libraries(payload), elf.newest(libraries_ask(payload)))
    fields = {
        "Package": place,
        "Version": source.version,
        "Architecture": "amd64",
        "Maintainer": deb.MAINTAINER,
        "Section": "devel",
        "Priority": "optional",
        "Depends": ", ".join([f"commonplace (= {source.version})", *needs]),
        "Description": f"Commonplace: {ADDON_SHORT}\n{ADDON_LONG}",
    }
    package = out / f"{place}_{source.version}_amd64.deb"
    deb.build(root, fields, package, source.epoch)
    run = out / f"{place}-{source.version}-linux-x86_64.run"
    runfile.build(
        payload,
        runfile.About("addon", ADDON, ADDON_SHORT, source.version, frozen.glibc),
        run,
        source.epoch,
    )
    shutil.copyfile(payload / freeze.BILL, out / f"{place}-{source.version}.{freeze.BILL}")
    return [package, run]


def addon_component(name: str, path: Path, packages: Packages) -> Component:
    """Return the component of a library of the add-on."""
    one = freeze.native_component(name, packages, None)
    if one is None and (owner := packages.owner(path)):
        one = packages.component(owner)
    if one is None:
        raise SystemExit(f"Nobody knows where {name} is from.")
    return one


def desktop_files(source: Source, share: Path) -> None:
    """Write what a desktop reads: menu entry, icon, MIME type; and the man page."""
    linux = source.folder / "packaging" / "linux"
    placed = (
        (linux / "commonplace.desktop", "applications/commonplace.desktop"),
        (linux / "commonplace.xml", "mime/packages/commonplace.xml"),
        (
            source.folder / "resources/icons/commonplace.svg",
            "icons/hicolor/scalable/apps/commonplace.svg",
        ),
    )
    for origin, name in placed:
        (share / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(origin, share / name)
    text = manual.page(
        linux / "commonplace.1", source.version, source.epoch, manual.commands_of(source.folder)
    )
    page = share / "man" / "man1" / "commonplace.1.gz"
    page.parent.mkdir(parents=True)
    page.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def documents(folder: Path, source: Source, app: Path) -> None:
    """Write the copyright file and the changelog that Debian wants."""
    folder.mkdir(parents=True)
    own = (source.folder / "LICENSE").read_text(encoding="utf-8")
    index = (app / "licences" / "INDEX.txt").read_text(encoding="utf-8")
    where = (
        "/" + app.relative_to(app.parents[len(app.parts) - app.parts.index("usr") - 1]).as_posix()
    )
    carried = f"What it carries, with the texts in {where}/licences:\n\n{index}\n"
    text = f"Commonplace itself:\n\n{own}\n{carried}"
    (folder / "copyright").write_text(text + licences.LGPL_NOTICE, encoding="utf-8")
    changes = (source.folder / "CHANGELOG.md").read_bytes()
    (folder / "changelog.gz").write_bytes(gzip.compress(changes, 9, mtime=0))


def libraries_ask(folder: Path) -> list[tuple[int, ...]]:
    """Return the versions of glibc that the libraries below `folder` ask for."""
    return [elf.read(path).glibc for path in elf.elves_below(folder)]


def system_libraries(folder: Path) -> tuple[str, ...]:
    """Return the libraries that are linked to and not carried, but for the C library."""
    files = elf.elves_below(folder)
    carried = {path.name for path in folder.rglob("*.so*")}
    needed = {name for path in files for name in elf.read(path).needed}
    return tuple(sorted(name for name in needed - carried if not name.startswith(LIBC)))


def copy(origin: Path, target: Path) -> None:
    """Copy a folder, links as links, without taking room where the disk can do without."""
    shutil.copytree(origin, target, symlinks=True, copy_function=_link)


def _link(origin: str, target: str) -> None:
    Path(target).hardlink_to(origin)


def write_sums(out: Path) -> None:
    """Write SHA256SUMS, as sha256sum --check reads it."""
    lines = [
        f"{tree.sha256(path)}  {path.name}\n" for path in sorted(out.iterdir()) if path.is_file()
    ]
    (out / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


#: The parts of the table, each with what belongs to it.
PARTS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("starter model", lambda name: name.endswith(".gguf")),
    (
        "Qt and PySide6",
        lambda name: (
            "PySide6" in name or "libQt6" in name or "libicu" in name or "shiboken" in name
        ),
    ),
    ("llama.cpp", lambda name: "llama_cpp" in name),
    ("grammars", lambda name: "tree_sitter" in name),
    ("numpy and OpenBLAS", lambda name: "numpy" in name),
    ("our embedder", lambda name: "resources/embedder" in name),
    (
        "Python and pure modules",
        lambda name: "python3" in name or name == "commonplace" or "base_library" in name,
    ),
    ("licences and bill", lambda name: name.startswith("licences/") or name == freeze.BILL),
    ("other libraries", bool),
)


def table(source: Source, frozen: Frozen, work: Path, made: list[Path]) -> str:
    """Return the table of sizes, in Markdown."""
    sizes = dict.fromkeys((part for part, _ in PARTS), 0)
    for path in frozen.folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            name = path.relative_to(frozen.folder).as_posix()
            part = next(part for part, has in PARTS if has(name))
            sizes[part] += path.stat().st_size
    lines = [
        f"Commonplace {source.version}, commit {source.commit[:12]}",
        "",
        "| part | installed MB |",
        "|---|---|",
    ]
    lines += [
        f"| {part} | {size / 1e6:.1f} |"
        for part, size in sorted(sizes.items(), key=lambda item: -item[1])
    ]
    lines.append(f"| **program** | **{sum(sizes.values()) / 1e6:.1f}** |")
    if (work / "addon").is_dir():
        added = {}
        for top in sorted((work / "addon").iterdir()):
            below = top.rglob("*") if top.is_dir() else [top]
            added[top.name] = tree.size(below)
        for name, size in sorted(added.items(), key=lambda item: -item[1])[:8]:
            lines.append(f"| add-on: {name} | {size / 1e6:.1f} |")
        lines.append(f"| **add-on** | **{sum(added.values()) / 1e6:.1f}** |")
    lines += ["", "| file | MB |", "|---|---|"]
    lines += [f"| {path.name} | {path.stat().st_size / 1e6:.1f} |" for path in made]
    return "\n".join(lines) + "\n"
