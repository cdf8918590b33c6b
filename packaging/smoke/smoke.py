#!/usr/bin/env python3
"""Try the packages as people get them: in a clean Debian, without network and without Python.

    packaging/smoke/smoke.py DIR [--older DIR] [--keep]     as root; DIR is what make.py built

For the .deb, then for the .run as a user without root: install; index a real project; ask, and
get an answer with citations from the shipped model; keep a note; apply an edit and take it back;
open the window on a virtual screen, ask there, quit; adapt, if the add-on is there; upgrade over
an older version; uninstall. Exit status 0 everywhere, nothing unexpected on standard error, no
file outside the state folders and the project, and the notes are still there at the end.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
#: What may be on standard error: nothing of it is a fault.
ALLOWED = (
    # There is no session bus in the clean system, which the desktop's own dialogs ask for.
    re.compile(r"^qt\.qpa\.theme\.|^qt\.dbus\.|QDBus|D-Bus|dbus"),
    re.compile(r"^qt\.qpa\.services"),
    re.compile(r"^$"),
    # How far adapting has got, which is told there so that the outcome can be piped.
    re.compile(r"^This takes about |^ +\d+ %  |^  \S+  \(the open file\)$"),
)
#: Where a user's programs may write.
STATE = (
    "home/reader/.config/commonplace",
    "home/reader/.local/share/commonplace",
    "home/reader/.cache/commonplace",
    "home/reader/.cache/fontconfig",  # written by the system's library of fonts
    "home/reader/project",
    "home/reader/smoke",
)
#: Folders above those, which come into being with them.
ABOVE = (
    "home/reader",
    "home/reader/.cache",
    "home/reader/.config",
    "home/reader/.local",
    "home/reader/.local/share",
)
MOUNTS = """
mount --make-rprivate /
mount -t proc proc "$0/proc"
mount -t tmpfs -o mode=1777 tmpfs "$0/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$0/tmp"
mkdir -m 1777 "$0/tmp/.X11-unix"
exec chroot "$@"
"""


class SmokeError(Exception):
    """Something that the packages promise does not hold."""


@dataclass
class System:
    """A clean Debian in a folder."""

    root: Path
    figures: dict[str, str] = field(default_factory=dict)

    def run(self, command: list[str], *, user: str = "root", timeout: float = 1200) -> str:
        """Run a command inside, without network; return what it prints."""
        home = "/root" if user == "root" else f"/home/{user}"
        path = (
            "/usr/sbin:/usr/bin:/sbin:/bin"
            if user == "root"
            else f"{home}/.local/bin:/usr/bin:/bin"
        )
        inside = [
            "env",
            "-i",
            f"HOME={home}",
            f"USER={user}",
            f"PATH={path}",
            "LANG=C.UTF-8",
            *command,
        ]
        done = subprocess.run(
            ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child",
             "sh", "-euc", MOUNTS, str(self.root), f"--userspec={user}", str(self.root), *inside],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=timeout, check=False,
        )  # fmt: skip
        if done.returncode:
            raise SmokeError(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}")
        return done.stdout

    def session(self, stage: str, program: str) -> None:
        """Let the ordinary user do `stage`; note what was measured."""
        printed = self.run(["sh", "/smoke/session.sh", stage, program], user="reader")
        for line in printed.splitlines():
            name, _, value = line.partition(" ")
            if name.endswith("_seconds"):
                self.figures.setdefault(name, value)

    def files(self) -> dict[str, tuple[int, int]]:
        """Return all files of the system, with size and time, but for the state folders."""
        found = {}
        for folder, names, files in os.walk(self.root):
            where = Path(folder).relative_to(self.root).as_posix()
            names[:] = [n for n in names if f"{where}/{n}".removeprefix("./") not in STATE]
            if where in {"proc", "sys", "dev", "tmp"}:
                names.clear()
                continue
            for name in [*names, *files]:
                about = (Path(folder) / name).lstat()
                path = f"{where}/{name}".removeprefix("./")
                is_folder = (Path(folder) / name).is_dir()
                found[path] = (0, 0) if is_folder else (about.st_size, about.st_mtime_ns)
        return found


@contextmanager
def system(tarball: Path, packages: Path, *, keep: bool) -> Iterator[System]:
    """Unpack a clean system, with the packages and a real project inside."""
    root = Path(tempfile.mkdtemp(prefix="commonplace-smoke-", dir=ROOT / "build" / "package"))
    root.chmod(0o755)
    try:
        subprocess.run(["tar", "-C", str(root), "-xpf", str(tarball)], check=True)
        (root / "smoke").mkdir()
        shutil.copy(HERE / "session.sh", root / "smoke")
        for path in packages.iterdir():
            if path.suffix in {".deb", ".run"}:
                os.link(path, root / "smoke" / path.name)
        project = root / "home/reader/project"
        project.mkdir()
        archive = subprocess.run(
            ["git", "-C", str(ROOT), "archive", "HEAD:app"], check=True, capture_output=True
        ).stdout
        subprocess.run(["tar", "-C", str(project), "-xf", "-"], input=archive, check=True)
        (project / "hello.py").write_text('greeting = "hello"\n', encoding="utf-8")
        subprocess.run(["chroot", str(root), "chown", "-R", "reader:", "/home/reader"], check=True)
        yield System(root)
    finally:
        if not keep:
            shutil.rmtree(root)


def check_files(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> None:
    """Raise if something outside the state folders came, went or changed."""
    changed = [
        path
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path) and path not in ABOVE
    ]
    if changed:
        raise SmokeError("Files outside the state folders: " + ", ".join(changed[:20]))


def check_stderr(inside: System) -> None:
    """Raise if the program said something unexpected on standard error."""
    file = inside.root / "home/reader/smoke/stderr"
    lines = (
        file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else []
    )
    wrong = [line for line in lines if not any(allowed.search(line) for allowed in ALLOWED)]
    if wrong:
        raise SmokeError("On standard error:\n  " + "\n  ".join(wrong[:20]))


def use(inside: System, program: str, *, adapt: bool) -> None:
    """Do what a user does, and look at what it left."""
    before = inside.files()
    for stage in ("use", "window", *(("adapt",) if adapt else ())):
        say(f"  {stage}")
        inside.session(stage, program)
    check_files(before, inside.files())
    check_stderr(inside)


def one(packages: Path, pattern: str) -> str | None:
    """Return the name of the package that matches `pattern`."""
    return next((path.name for path in sorted(packages.glob(pattern))), None)


def try_deb(inside: System, packages: Path, older: str | None) -> None:
    """Try the .deb: over an older version, if there is one."""
    package, addon = one(packages, "commonplace_*.deb"), one(packages, "commonplace-adapt_*.deb")
    program = "/usr/bin/commonplace"
    clean = inside.files()
    inside.run(["dpkg", "--install", f"/smoke/{older or package}"])
    if older:
        use(inside, program, adapt=False)
        before = inside.run([program, "--version"])
        say("  upgrade")
        inside.run(["dpkg", "--install", f"/smoke/{package}"])
        if inside.run([program, "--version"]) == before:
            raise SmokeError("The version is the same after the upgrade.")
        inside.session("upgraded", program)
    else:
        use(inside, program, adapt=False)
    if addon:
        say("  add-on")
        inside.run(["dpkg", "--install", f"/smoke/{addon}"])
        inside.session("adapt", program)
        inside.run(["dpkg", "--remove", "commonplace-adapt"])
    check_stderr(inside)
    say("  uninstall")
    inside.run(["dpkg", "--purge", "commonplace"])
    inside.session("kept", program)
    left = [
        path
        for path in inside.files()
        if path not in clean and not path.startswith(("var/", "home/"))
    ]
    if left:
        raise SmokeError("Left behind: " + ", ".join(left[:20]))


def try_run(inside: System, packages: Path, older: str | None) -> None:
    """Try the .run as an ordinary user, who has no root: over an older version, if there is one."""
    package = one(packages, "commonplace-[0-9]*.run")
    addon = one(packages, "commonplace-adapt-*.run")
    program = "/home/reader/.local/bin/commonplace"
    clean = inside.files()
    inside.run(["sh", f"/smoke/{older or package}"], user="reader")
    use(inside, program, adapt=False)
    if older:
        say("  upgrade, both versions side by side")
        inside.run(["sh", f"/smoke/{package}"], user="reader")
        inside.session("upgraded", program)
        inside.run(["sh", f"/smoke/{older}", "--uninstall"], user="reader")
        inside.session("upgraded", program)
    if addon:
        say("  add-on")
        inside.run(["sh", f"/smoke/{addon}"], user="reader")
        inside.session("adapt", program)
    check_stderr(inside)
    say("  uninstall")
    inside.run(["sh", f"/smoke/{package}", "--uninstall"], user="reader")
    inside.session("kept", program)
    left = [path for path in inside.files() if path not in clean and path.endswith("commonplace")]
    left = [path for path in left if path not in STATE]
    if left:
        raise SmokeError("Left behind: " + ", ".join(left[:20]))


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Try both kinds of packages; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("packages", type=Path)
    parser.add_argument(
        "--older", type=Path, help="a folder with the same packages of an older version"
    )
    parser.add_argument("--only", choices=("deb", "run"))
    parser.add_argument("--keep", action="store_true", help="leave the system there, to look at it")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        parser.error("A chroot can only be entered as root.")
    deb = one(arguments.packages, "commonplace_*.deb")
    if deb is None:
        parser.error(f"There is no package in {arguments.packages}. Run: make package")
    needs = subprocess.run(
        ["dpkg-deb", "--field", str(arguments.packages / deb), "Depends"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    names = [need.strip().split()[0] for need in needs.split(",")]
    made = subprocess.run(
        [str(HERE / "chroot.sh"), *names], check=True, stdout=subprocess.PIPE, text=True
    )
    tarball = Path(made.stdout.strip())
    for kind, trial in (("deb", try_deb), ("run", try_run)):
        if arguments.only in {None, kind}:
            say(f"The .{kind}:")
            with system(tarball, arguments.packages, keep=arguments.keep) as inside:
                older = None
                if arguments.older:
                    older = one(
                        arguments.older,
                        "commonplace_*.deb" if kind == "deb" else "commonplace-[0-9]*.run",
                    )
                    os.link(arguments.older / str(older), inside.root / "smoke" / str(older))
                try:
                    trial(inside, arguments.packages, older)
                except SmokeError as error:
                    say(f"FAILED: {error}")
                    return 1
                for name, value in inside.figures.items():
                    say(f"  {name.removesuffix('_seconds').replace('_', ' ')}: {value} s")
    say("Passed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
