"""The bill of materials: no library without a component, no component without its file."""

import json
import shutil
import sys
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("for Linux alone", allow_module_level=True)

from packagelib import bom, elf, origins, trim
from packagelib.origins import Component

LIBRARY = Component("libtoy", "1.0", "MIT", "pkg:generic/libtoy@1.0")
SUBJECT = Component("toy", "2", "MIT", "pkg:generic/toy@2")
PROGRAM = Path("/bin/true")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    shutil.copyfile(PROGRAM, tmp_path / "lib/libtoy.so.1")
    (tmp_path / "lib/libtoy.so").symlink_to("libtoy.so.1")
    (tmp_path / "readme").write_text("no library")
    (tmp_path / "toy.gguf").write_bytes(b"GGUF")
    return tmp_path


def bill(folder: Path, files: dict[str, str]) -> dict[str, object]:
    return bom.bill(SUBJECT, 0, [LIBRARY], files, folder, {"toy.gguf": "Apache-2.0"})


def test_a_library_is_found_with_its_checksum(folder: Path) -> None:
    written = bill(folder, {"lib/libtoy.so.1": LIBRARY.purl})
    assert bom.uncovered(written, folder) == []
    text = json.dumps(written)
    assert written["specVersion"] == "1.6"
    assert text.count('"machine-learning-model"') == 1
    assert text.count('"SHA-256"') == 2


def test_a_library_without_a_component_is_named(folder: Path) -> None:
    assert bom.uncovered(bill(folder, {}), folder) == ["lib/libtoy.so.1: no component has it"]


def test_a_library_that_changed_or_went_is_named(folder: Path) -> None:
    written = bill(folder, {"lib/libtoy.so.1": LIBRARY.purl})
    with (folder / "lib/libtoy.so.1").open("ab") as file:
        file.write(b"!")
    (folder / "toy.gguf").unlink()
    assert bom.uncovered(written, folder) == [
        "lib/libtoy.so.1: the bill has another checksum",
        "toy.gguf: is not there",
    ]


def test_a_bill_is_always_the_same_bytes(folder: Path) -> None:
    files = {"lib/libtoy.so.1": LIBRARY.purl}
    bom.write(bill(folder, files), folder / "one")
    bom.write(bill(folder, files), folder / "two")
    assert (folder / "one").read_bytes() == (folder / "two").read_bytes()


def test_elf_files_say_what_they_need(folder: Path) -> None:
    [library] = elf.elves_below(folder)
    said = elf.read(library)
    assert "libc.so.6" in said.needed
    assert said.glibc >= (2, 2)
    assert elf.newest([(2, 4), (2, 34), (2, 9)]) == "2.34"


def test_a_python_package_says_its_licence() -> None:
    place = Path(next(p for p in sys.path if (Path(p) / "click").is_dir()))
    packages = origins.Packages(place)
    click = packages.component("click")
    assert click.purl.startswith("pkg:pypi/click@")
    assert click.licences
    assert packages.owner(place / "click/core.py") == "click"
    assert packages.owner(place / "nobody.py") is None


def test_only_what_is_linked_to_stays(folder: Path) -> None:
    inside = folder / "_internal"
    inside.mkdir()
    shutil.copyfile(PROGRAM, folder / "commonplace")
    shutil.copyfile(PROGRAM, inside / "libnobody.so.1")
    (inside / "libnobody.so").symlink_to("libnobody.so.1")
    (inside / "PySide6").mkdir()
    shutil.copyfile(PROGRAM, inside / "PySide6/QtCore.abi3.so")
    trim.drop_unreached(folder)
    assert (folder / "commonplace").exists()
    assert (inside / "PySide6/QtCore.abi3.so").exists()
    assert not list(inside.glob("libnobody*"))
