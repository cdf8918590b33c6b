"""Recipes for systems that this is not: what of them can be checked anywhere."""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import elsewhere
import pytest
import yaml
from packagelib.origins import Component

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
SCRIPTS = sorted(
    path for folder in ("macos", "recipes", "windows") for path in (PACKAGING / folder).glob("*.sh")
)
WORKFLOW = ROOT / ".github" / "workflows" / "packages.yml"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_one(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").startswith("#!/bin/sh\n# ")
    subprocess.run(["sh", "-n", str(script)], check=True)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", str(script)], check=True)


def test_macos_is_asked_for_as_little_as_possible() -> None:
    rights = plistlib.loads((PACKAGING / "macos" / "entitlements.plist").read_bytes())
    assert all(rights.values())
    assert not any("network" in name or "all-files" in name for name in rights)


def test_the_workflow_calls_what_is_there() -> None:
    jobs = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]
    assert set(jobs) == {"linux", "windows", "macos"}
    text = "\n".join(step.get("run", "") for job in jobs.values() for step in job["steps"])
    for name in ("packaging/macos/build.sh", "packaging/macos/smoke.sh", "scripts/system.sh",
                 r"packaging\windows\build.ps1", r"packaging\windows\smoke.ps1"):  # fmt: skip
        assert name in text
        assert (ROOT / name.replace("\\", "/")).is_file()
    targets = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "\npackage:" in targets
    assert "\npackage-smoke:" in targets


def test_the_installer_for_windows_compiles(tmp_path: Path) -> None:
    if not shutil.which("makensis"):
        pytest.skip("makensis is not installed")
    program = tmp_path / "program"
    (program / "licences").mkdir(parents=True)
    for name in ("licences/LICENSE", "commonplace.exe", "commonplace-window.exe"):
        (program / name).write_text("x", encoding="utf-8")
    setup = tmp_path / "commonplace-1.2.3.exe"
    subprocess.run(
        ["makensis", "-V1", "-DVERSION=1.2.3", f"-DPROGRAM={program}", f"-DOUT={setup}",
         str(PACKAGING / "windows" / "commonplace.nsi")],
        check=True,
    )  # fmt: skip
    assert setup.read_bytes()[:2] == b"MZ"


def test_every_library_of_a_folder_is_told(tmp_path: Path) -> None:
    names = (
        "commonplace.exe", "_internal/python312.dll", "_internal/PySide6/Qt6Core.dll",
        "_internal/llama_cpp/lib/ggml-cpu-haswell.dll", "_internal/click/_x.pyd",
        "_internal/strange.dll", "_internal/commonplace/resources/note.md",
    )  # fmt: skip
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())

    def component(name: str) -> Component:
        return Component(name, "1", "MIT", f"pkg:pypi/{name}@1")

    file = SimpleNamespace(parts=("click", "_x.pyd"))
    one = SimpleNamespace(files=[file])
    found = {name: SimpleNamespace(files=[]) for name in ("pip", "pyside6-essentials")} | {
        "click": one
    }
    packages = SimpleNamespace(found=found, component=component)
    files, components = elsewhere.told(tmp_path, packages)  # type: ignore[arg-type]
    assert files["commonplace.exe"] == "pkg:pypi/pyinstaller@1"
    assert files["_internal/PySide6/Qt6Core.dll"] == "pkg:pypi/pyside6-essentials@1"
    assert files["_internal/llama_cpp/lib/ggml-cpu-haswell.dll"] == "pkg:pypi/llama-cpp-python@1"
    assert files["_internal/click/_x.pyd"] == "pkg:pypi/click@1"
    assert "cpython" in files["_internal/python312.dll"]
    assert "strange" in files["_internal/strange.dll"]
    assert "_internal/commonplace/resources/note.md" not in files
    told = {one.purl for one in components}
    assert set(files.values()) <= told
    assert "pkg:pypi/pip@1" not in told
