"""What is asked of a machine before anything is begun, and what is said where it is too little."""

from __future__ import annotations

import errno
import os
import platform
import subprocess
import sys
from types import SimpleNamespace

import pytest

from commonplace import processor
from commonplace.cli import doctor, window
from commonplace.errors import ModelError
from commonplace.paths import StatePaths
from commonplace.processor import NEEDED, features, refusal, remark
from commonplace.storage import places
from commonplace.storage.places import first_refused, refused

OLD = "fpu sse sse2 ssse3 cx16 lahf_lm"
USUAL = f"{' '.join(NEEDED)} sse2"


def cpu(tmp_path, flags):
    file = tmp_path / "cpuinfo"
    file.write_text(f"processor\t: 0\nmodel name\t: Old One\nflags\t\t: {flags}\n")
    return file


def test_an_old_processor_is_refused_and_a_usual_one_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    old = features(cpu(tmp_path, OLD))
    assert "popcnt, sse4_1, sse4_2" in refusal(old)
    usual = features(cpu(tmp_path, USUAL))
    assert refusal(usual) == ""
    assert "no AVX2" in remark(usual)
    assert remark(features(cpu(tmp_path, f"{USUAL} avx2"))) == ""


def test_where_nobody_tells_the_program_just_starts(tmp_path, monkeypatch):
    assert features(tmp_path / "missing") == frozenset()
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert features(cpu(tmp_path, OLD)) == frozenset()
    assert refusal(frozenset()) == remark(frozenset()) == ""


def test_on_an_old_processor_the_program_ends_with_words_and_loads_nothing():
    code = (
        "import sys, commonplace.processor as p, commonplace.__main__ as m\n"
        "p.features = lambda: frozenset({'sse2'})\n"
        "sys.argv = ['commonplace', '--version']\n"
        "try: m.main()\n"
        "finally: assert not {'commonplace.cli.commands', 'numpy'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("This processor lacks what Commonplace needs: cx16, popcnt")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("args", "path"), [([], None), (["window"], None), (["window", "some folder"], "some folder")]
)
def test_the_window_opens_without_the_other_commands(args, path):
    code = (
        "import sys, types, commonplace.__main__ as m\n"
        "app = types.ModuleType('commonplace.desktop.app')\n"
        "app.run = lambda path: print(path) or 7\n"
        "sys.modules[app.__name__] = app\n"
        f"sys.argv = ['commonplace', *{args!r}]\n"
        "try: m.main()\n"
        "finally: assert not {'commonplace.cli.commands', 'click'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (7, str(path)), done.stderr


@pytest.mark.parametrize("args", [["--help"], ["window", "--help"], ["window", "a", "b"], ["."]])
def test_what_needs_looking_up_goes_to_the_commands(args):
    assert not window.is_asked(args)


def test_an_error_in_opening_the_window_is_told(monkeypatch, capsys):
    def fails(_path):
        raise ModelError("It does not open.", "Try again.")

    monkeypatch.setattr(window, "open_window", fails)
    assert window.run(["window"]) == 1
    assert capsys.readouterr().err == "It does not open. Try again.\n"


def test_the_window_is_there_before_what_only_later_work_needs():
    code = (
        "import sys, commonplace.desktop.app\n"
        "later = {'markdown_it', 'importlib.metadata', 'click'}\n"
        "later |= {'watchdog'} if sys.platform == 'linux' else set()\n"
        "print(sorted(later & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_folder_that_takes_nothing_says_why(tmp_path, monkeypatch):
    assert refused(tmp_path / "not" / "there" / "yet") == ""
    assert not (tmp_path / "not").exists(), "looking leaves nothing"
    file = tmp_path / "file"
    file.write_text("")
    assert refused(file / "below") == os.strerror(errno.ENOTDIR)
    monkeypatch.setattr(places.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    assert refused(tmp_path) == os.strerror(errno.ENOSPC)
    monkeypatch.setattr(places.os, "access", lambda *_: False)
    assert refused(tmp_path) == os.strerror(errno.EACCES)
    monkeypatch.setattr(places.os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    assert refused(tmp_path) == os.strerror(errno.EROFS)

    def gone(_path):
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    monkeypatch.setattr(places, "refused", gone)
    assert first_refused([tmp_path]) == (tmp_path, os.strerror(errno.ESTALE))


def test_the_doctor_tells_of_folders_and_disks(tmp_path, monkeypatch):
    state = StatePaths(tmp_path / "config", tmp_path / "data", tmp_path / "cache")
    assert doctor._folders(state).good
    monkeypatch.setattr(places, "_mounts", lambda: (("/", "nfs4"),))
    check = doctor._folders(state)
    assert "network disk (nfs4, nfs4)" in check.found
    assert "two machines at once" in check.remedy
    (tmp_path / "file").write_text("")
    check = doctor._folders(StatePaths(tmp_path / "file", tmp_path, tmp_path))
    assert not check.good
    assert "Not a directory" in check.found
    assert "COMMONPLACE_HOME" in check.remedy


@pytest.mark.parametrize("flags", [OLD, USUAL])
def test_the_doctor_tells_of_the_processor(tmp_path, monkeypatch, flags):
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    found = processor.features(cpu(tmp_path, flags))
    monkeypatch.setattr(doctor, "features", lambda: found)
    check = doctor._processor()
    assert check.good == (flags == USUAL)
    assert check.remedy
