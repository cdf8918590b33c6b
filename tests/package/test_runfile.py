"""The self-extracting file: installs whole or not at all, and says why not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("for Linux alone", allow_module_level=True)

from packagelib import runfile
from packagelib.runfile import About

EPOCH = 1_700_000_000


class Machine:
    """A place to install in, with tools that say what a test wants them to say."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home of a reader"
        self.home.mkdir()
        self.tools = folder / "tools"
        self.tools.mkdir()
        self.cpuinfo = folder / "cpuinfo"
        self.cpuinfo.write_text(f"flags\t\t: fpu sse2 {runfile.CPU_FLAGS}\n")
        self.tool("uname", "case ${1:-} in -m) echo x86_64 ;; *) echo Linux ;; esac")
        self.tool("getconf", "echo glibc 2.36")

    @property
    def lib(self) -> Path:
        return self.home / ".local/lib/commonplace"

    def tool(self, name: str, script: str) -> None:
        (self.tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (self.tools / name).chmod(0o755)

    def run(self, file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "HOME": str(self.home),
            "PATH": f"{self.tools}:/usr/local/bin:/usr/bin:/bin",
            "CPUINFO": str(self.cpuinfo),
        }
        return subprocess.run(
            ["sh", str(file), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def files(self) -> list[str]:
        return sorted(
            p.relative_to(self.home).as_posix() for p in self.home.rglob("*") if not p.is_dir()
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def payload(folder: Path, version: str, *, starts: bool = True) -> Path:
    folder.mkdir()
    script = f"echo commonplace {version}" if starts else "echo cannot run here >&2; exit 126"
    (folder / "commonplace").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "commonplace").chmod(0o755)
    entry = folder / "share/applications/commonplace.desktop"
    entry.parent.mkdir(parents=True)
    entry.write_text("[Desktop Entry]\nExec=commonplace window %f\n")
    (folder / "_internal").mkdir()
    (folder / "_internal/data").write_bytes(os.urandom(200_000))
    return folder


def made(folder: Path, version: str = "1.2.0", *, starts: bool = True) -> Path:
    folder.mkdir(exist_ok=True)
    out = folder / f"commonplace-{version}.run"
    root = payload(folder / f"payload-{version}", version, starts=starts)
    about = About("program", "commonplace", "a test", version, "2.34")
    runfile.build(root, about, out, EPOCH)
    return out


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return made(tmp_path / "made")


def test_it_installs_and_starts_from_the_menu_and_by_name(machine: Machine, file: Path) -> None:
    done = machine.run(file)
    assert done.returncode == 0, done.stderr
    program = machine.home / ".local/bin/commonplace"
    assert subprocess.run([program], capture_output=True, text=True, check=True).stdout == (
        "commonplace 1.2.0\n"
    )
    entry = (machine.home / ".local/share/applications/commonplace.desktop").read_text()
    assert f'Exec="{program}" window %f' in entry
    assert done.stderr == ""
    assert not list(machine.lib.glob(".*"))


def test_uninstalling_takes_away_what_was_installed_and_nothing_else(
    machine: Machine, file: Path
) -> None:
    notes = machine.home / ".local/share/commonplace/projects/notes.md"
    notes.parent.mkdir(parents=True)
    notes.write_text("mine")
    machine.run(file)
    done = machine.run(machine.lib / "1.2.0/uninstall")
    assert done.returncode == 0, done.stderr
    assert machine.files() == [".local/share/commonplace/projects/notes.md"]
    assert notes.read_text() == "mine"


def test_two_versions_lie_side_by_side_and_the_older_comes_back(
    machine: Machine, file: Path, tmp_path: Path
) -> None:
    newer = made(tmp_path / "newer", "1.10.0")
    machine.run(file)
    machine.run(newer)
    current = machine.home / ".local/bin/commonplace"
    assert current.resolve().parent.name == "1.10.0"
    assert (machine.home / ".local/bin/commonplace-1.2.0").exists()
    assert machine.run(newer, "--uninstall").returncode == 0
    assert current.resolve().parent.name == "1.2.0"
    assert (machine.home / ".local/share/applications/commonplace.desktop").exists()


def test_installing_again_keeps_the_add_ons(machine: Machine, file: Path, tmp_path: Path) -> None:
    root = tmp_path / "torch"
    root.mkdir()
    (root / "torch.py").write_text("")
    addon = tmp_path / "addon.run"
    runfile.build(root, About("addon", "adapt", "an add-on", "1.2.0", "2.34"), addon, EPOCH)
    assert "is not in" in machine.run(addon).stderr
    machine.run(file)
    assert machine.run(addon).returncode == 0
    assert machine.run(file).returncode == 0
    assert (machine.lib / "1.2.0/addons/adapt/torch.py").exists()
    assert machine.run(addon, "--uninstall").returncode == 0
    assert not (machine.lib / "1.2.0/addons").exists()


@pytest.mark.parametrize("part", [0.1, 0.5, 0.999])
def test_a_file_cut_off_installs_nothing(machine: Machine, file: Path, part: float) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: max(int(len(data) * part), len(data) // 10 + 12_000)])
    done = machine.run(file)
    assert done.returncode == 1
    assert "cut off" in done.stderr
    assert "Nothing was installed" in done.stderr
    assert machine.files() == []


def test_a_script_cut_off_does_nothing(machine: Machine, file: Path) -> None:
    data = file.read_bytes()
    for length in range(200, 12_000, 411):
        file.write_bytes(data[:length])
        machine.run(file)
        assert machine.files() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data[:-100] + bytes(100), "damaged"),
        (lambda data: data + b"more", "too many"),
    ],
)
def test_a_changed_file_installs_nothing(machine: Machine, file: Path, change, said: str) -> None:
    file.write_bytes(change(file.read_bytes()))
    done = machine.run(file)
    assert (done.returncode, machine.files()) == (1, [])
    assert said in done.stderr
    assert machine.run(file, "--check").returncode == 1


@pytest.mark.parametrize(
    ("tool", "script", "said"),
    [
        ("uname", "case ${1:-} in -m) echo aarch64 ;; *) echo Linux ;; esac", "has aarch64"),
        ("uname", "echo Darwin", "is for Linux"),
        ("getconf", "echo glibc 2.31", "needs glibc 2.34 or newer, and this system has 2.31"),
        ("getconf", "exit 1", "another C library"),
        ("df", 'printf "head\\nfs 10 5 5 50%% /\\n"', "not enough space"),
    ],
)
def test_a_machine_that_cannot_is_told_why(
    machine: Machine, file: Path, tool: str, script: str, said: str
) -> None:
    machine.tool(tool, script)
    done = machine.run(file)
    assert (done.returncode, machine.files()) == (1, [])
    assert said in done.stderr
    assert "Nothing was installed" in done.stderr


def test_a_processor_that_is_too_old_is_told_what_it_lacks(machine: Machine, file: Path) -> None:
    machine.cpuinfo.write_text("flags\t\t: fpu sse2 cx16 ssse3\n")
    done = machine.run(file)
    assert "lacks what Commonplace needs: popcnt sse4_1 sse4_2" in done.stderr
    assert (done.returncode, machine.files()) == (1, [])


def test_a_folder_that_cannot_be_written_to(machine: Machine, file: Path) -> None:
    (machine.home / "file").write_text("not a folder")
    done = machine.run(file, "--prefix", str(machine.home / "file"))
    assert done.returncode == 1
    assert "--prefix" in done.stderr
    assert machine.files() == ["file"]


def test_a_program_that_does_not_start_here_is_not_installed(
    machine: Machine, tmp_path: Path
) -> None:
    done = machine.run(made(tmp_path / "broken", starts=False))
    assert (done.returncode, machine.files()) == (1, [])
    assert "does not start" in done.stderr
    assert "cannot run here" in done.stderr


def test_an_older_version_outlives_a_newer_one_that_does_not_start(
    machine: Machine, file: Path, tmp_path: Path
) -> None:
    machine.run(file)
    before = machine.files()
    machine.run(made(tmp_path / "broken", "1.3.0", starts=False))
    assert machine.files() == before


def test_unpacking_only(machine: Machine, file: Path) -> None:
    target = machine.home / "unpacked"
    assert machine.run(file, "--extract", str(target)).returncode == 0
    assert (target / "_internal/data").stat().st_size == 200_000
    assert "is there already" in machine.run(file, "--extract", str(target)).stderr


def test_the_same_files_make_the_same_bytes(tmp_path: Path, file: Path) -> None:
    origin = tmp_path / "made/payload-1.2.0"
    again = shutil.copytree(origin, tmp_path / "again", copy_function=shutil.copyfile)
    (again / "commonplace").chmod(0o700)
    out = tmp_path / "again.run"
    about = About("program", "commonplace", "a test", "1.2.0", "2.34")
    runfile.build(again, about, out, EPOCH)
    assert out.read_bytes() == file.read_bytes()
