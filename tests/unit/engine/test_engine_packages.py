"""Packages of models: what is packed is what is installed, and nothing hostile gets through."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import tarfile
from types import SimpleNamespace

import pytest

from commonplace.engine import importing, packages
from commonplace.engine.entries import Place, describe, licence_file
from commonplace.engine.importing import remove_model
from commonplace.engine.options import load_options
from commonplace.engine.package_manifest import MOST_BYTES, NAME
from commonplace.engine.packages import inspect_package, install_package
from commonplace.engine.packing import pack_model
from commonplace.errors import CancelledError, ModelError, StorageError, UserError
from commonplace.settings import Settings
from unit.engine.gguf_builder import STRING, U32, build

LICENCE = "Permission is granted.\n\tEven with tabs, and “quotes”.\n"
WORDS = {"general.license": (STRING, "apache-2.0")}
MODEL = build(WORDS)
FILE = {"name": "tiny.gguf", "size": len(MODEL), "sha256": hashlib.sha256(MODEL).hexdigest()}
SOUND = {
    "format": 1,
    "name": "Tiny",
    "licence": {"name": "MIT", "text": LICENCE},
    "files": [FILE],
}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "own" / "models"


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "tiny.gguf"
    path.write_bytes(MODEL)
    return path


@pytest.fixture
def package(model, tmp_path):
    path = tmp_path / "tiny.cpmodel"
    pack_model(model, path, LICENCE, origin="a friend")
    return path


def member(name, data, **about):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in about.items():
        setattr(info, key, value)
    return info, data


def tar(*members, manifest=SOUND, form=tarfile.GNU_FORMAT):
    """An archive with a manifest, unless it is None, and other members."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        if manifest is not None:
            head = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
            info, _ = member(NAME, head)
            archive.addfile(info, io.BytesIO(head))
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def left_in(folder):
    return sorted(p.name for p in folder.rglob("*") if p.name != packages.LOCK)


def refused(path, folder, match=None):
    """Neither looking nor installing works, both say why, and nothing is left."""
    with pytest.raises(UserError, match=match) as caught:
        install_package(path, folder, inspect_package(path).digest)
    assert caught.value.remedy
    assert left_in(folder) == []
    return caught.value


def test_a_model_travels_in_a_package(package, folder, state):
    manifest = inspect_package(package)
    assert (manifest.name, manifest.licence, manifest.source) == ("Tiny", "apache-2.0", "a friend")
    assert manifest.licence_text == LICENCE
    told = []
    path = install_package(package, folder, manifest.digest, on_progress=told.append)
    assert path == folder / "tiny.gguf"
    assert path.read_bytes() == MODEL
    assert (told[-1].done, told[-1].total) == (len(MODEL), len(MODEL))
    kept = licence_file(path).read_text()
    assert kept.startswith("apache-2.0\nSource: a friend\nSHA-256 of tiny.gguf: ")
    assert kept.rstrip().endswith(LICENCE.rstrip())
    assert left_in(folder) == ["tiny.gguf", "tiny.gguf.licence.txt"]
    entry = describe(Place(path, ours=True), load_options(Settings(), state))
    assert (entry.problem, entry.licence) == ("", "apache-2.0")
    remove_model(path, folder)
    assert left_in(folder) == []


def test_a_licence_that_only_the_package_knows_is_shown(tmp_path, folder, state):
    source = tmp_path / "mute.gguf"
    source.write_bytes(build())
    with pytest.raises(ModelError, match="does not say its licence"):
        pack_model(source, tmp_path / "x.cpmodel", LICENCE)
    with pytest.raises(ModelError, match="empty"):
        pack_model(source, tmp_path / "x.cpmodel", " \n", licence="MIT")
    manifest = pack_model(source, tmp_path / "x.cpmodel", LICENCE, licence="My Own 1.0")
    path = install_package(tmp_path / "x.cpmodel", folder, manifest.digest)
    assert describe(Place(path, ours=True), load_options(Settings(), state)).licence == "My Own 1.0"


def test_packing_twice_makes_the_same_bytes_that_tar_can_read(model, package, tmp_path):
    again = tmp_path / "again.cpmodel"
    os.utime(model, (1, 1))
    pack_model(model, again, LICENCE, origin="a friend")
    assert again.read_bytes() == package.read_bytes()
    with pytest.raises(ModelError, match="already"):
        pack_model(model, again, LICENCE)
    with tarfile.open(package) as archive:
        assert archive.getnames() == [NAME, "tiny.gguf"]
    if shutil.which("tar"):
        done = subprocess.run(
            ["tar", "-xOf", package, "tiny.gguf"], capture_output=True, check=True
        )
        assert done.stdout == MODEL


def test_what_tar_packs_can_be_installed(tmp_path, folder):
    path = tmp_path / "by-hand.cpmodel"
    for form in (tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT):
        path.write_bytes(tar(member("tiny.gguf", MODEL, mode=0o777, uid=0), form=form))
        install_package(path, folder, inspect_package(path).digest)
        remove_model(folder / "tiny.gguf", folder)


def test_all_parts_of_a_split_model_come_along(tmp_path, folder):
    split = {"split.count": (U32, 2), "split.tensors.count": (U32, 2)}
    one = tmp_path / "big-00001-of-00002.gguf"
    one.write_bytes(build({**split, **WORDS, "split.no": (U32, 0)}))
    two = tmp_path / "big-00002-of-00002.gguf"
    two.write_bytes(build({**split, "split.no": (U32, 1)}))
    path = tmp_path / "big.cpmodel"
    digest = pack_model(one, path, LICENCE).digest
    install_package(path, folder, digest)
    assert left_in(folder) == [one.name, f"{one.name}.licence.txt", two.name]
    assert (folder / two.name).read_bytes() == two.read_bytes()


def test_only_what_was_agreed_to_is_installed(package, model, tmp_path, folder):
    digest = inspect_package(package).digest
    package.unlink()
    pack_model(model, package, "All rights reserved.", origin="a friend")
    with pytest.raises(ModelError, match="not the package whose licence was accepted"):
        install_package(package, folder, digest)
    assert not folder.exists()


def test_what_is_there_is_not_replaced(package, folder):
    folder.mkdir(parents=True)
    (folder / "tiny.gguf").write_bytes(b"mine")
    digest = inspect_package(package).digest
    with pytest.raises(ModelError, match="already a tiny"):
        install_package(package, folder, digest)
    assert (folder / "tiny.gguf").read_bytes() == b"mine"
    (folder / "tiny.gguf").unlink()
    (folder / "tiny.gguf").symlink_to("nowhere")
    with pytest.raises(ModelError, match="already a tiny"):
        install_package(package, folder, digest)


def test_no_space_is_said_before_anything_is_copied(package, folder, monkeypatch):
    monkeypatch.setattr(importing.shutil, "disk_usage", lambda _: SimpleNamespace(free=10))
    error = refused(package, folder, "are free on the disk")
    assert "Free some space" in error.remedy


def test_a_disk_that_fills_on_the_way_leaves_nothing(package, folder, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(packages.os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        install_package(package, folder, inspect_package(package).digest)
    assert left_in(folder) == []


def test_an_install_can_be_stopped_at_any_piece(package, folder, monkeypatch):
    monkeypatch.setattr(packages, "PIECE", 1000)
    digest = inspect_package(package).digest
    for pieces in range(5):
        left = iter(range(pieces))
        with pytest.raises(CancelledError):
            install_package(
                package, folder, digest, stop=lambda left=left: next(left, None) is None
            )
        assert left_in(folder) == []


def test_what_a_killed_install_left_is_swept_and_two_do_not_meet(package, folder):
    left = folder / f"{packages.STAGING}dead"
    left.mkdir(parents=True)
    (left / "tiny.gguf").write_bytes(b"half")
    digest = inspect_package(package).digest
    with packages._staging(folder, "other"), pytest.raises(ModelError, match="has to wait"):
        install_package(package, folder, digest)
    install_package(package, folder, digest)
    assert left_in(folder) == ["tiny.gguf", "tiny.gguf.licence.txt"]


def with_file(**changes):
    return {**SOUND, "files": [{**FILE, **changes}]}


HOSTILE = {
    "nothing": (b"", "cut off"),
    "zeros": (bytes(10240), "ends before manifest"),
    "no tar": (b"GGUF" * 500, "no tar archive"),
    "a model itself": (MODEL + bytes(1024), "no tar archive"),
    "no manifest": (tar(member("tiny.gguf", MODEL), manifest=None), "where manifest.json"),
    "manifest alone": (tar(), "ends before tiny.gguf"),
    "no JSON": (tar(manifest=b"{"), "manifest is wrong"),
    "no UTF-8": (tar(manifest=b"\xff\xfe"), "manifest is wrong"),
    "deep": (tar(manifest=b"[" * 100_000), "manifest is wrong"),
    "a list": (tar(manifest=b"[]"), "manifest is wrong"),
    "huge manifest": (tar(manifest=b" " * (MOST_BYTES + 1)), "its manifest has"),
    "newer": (tar(member("tiny.gguf", MODEL), manifest={**SOUND, "format": 2}), "newer version"),
    "no licence": (tar(manifest={**SOUND, "licence": {}}), "text is missing"),
    "empty licence": (
        tar(manifest={**SOUND, "licence": {"name": "MIT", "text": " \n"}}), "no text of a licence",
    ),
    "half a character": (
        tar(manifest=json.dumps(SOUND).replace("Tiny", "\\ud800").encode()), "manifest is wrong",
    ),
    "no files": (tar(manifest={**SOUND, "files": []}), "no files"),
    "too many files": (tar(manifest={**SOUND, "files": [FILE] * 1000}), "too many"),
    "a file twice": (tar(manifest={**SOUND, "files": [FILE, FILE]}), "twice"),
    "two models": (
        tar(manifest={**SOUND, "files": [FILE, {**FILE, "name": "other.gguf"}]}), "one model",
    ),
    "one part": (tar(manifest=with_file(name="x-00001-of-00002.gguf")), "parts of one model"),
    **{
        f"the name {name!r}": (tar(manifest=with_file(name=name)), "no name for a model's file")
        for name in (
            "../x.gguf", "/etc/x.gguf", "a/b.gguf", "a\\b.gguf", ".hidden.gguf", "x.txt",
            "x\n.gguf", "con.gguf", "LPT1.gguf", "x:y.gguf", "ü.gguf", "x" * 96 + ".gguf", ".gguf",
            "x.gguf ",
        )
    },
    "a negative size": (tar(manifest=with_file(size=-1)), "size of tiny.gguf is none"),
    "a gigantic size": (tar(manifest=with_file(size=1 << 60)), "size of tiny.gguf is none"),
    "a size that is a text": (tar(manifest=with_file(size="3")), "no whole number"),
    "a checksum that is none": (tar(manifest=with_file(sha256="0" * 63)), "checksum"),
    "a size that lies": (
        tar(member("tiny.gguf", MODEL), manifest=with_file(size=len(MODEL) - 1)), "should have",
    ),
    "another checksum": (
        tar(member("tiny.gguf", MODEL), manifest=with_file(sha256="0" * 64)), "damaged",
    ),
    "another name": (tar(member("other.gguf", MODEL)), "where tiny.gguf should be"),
    "a path": (tar(member("../tiny.gguf", MODEL)), "where tiny.gguf should be"),
    "a link": (
        tar(member("tiny.gguf", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd")), "should be",
    ),
    "a hard link": (
        tar(member("tiny.gguf", b"", type=tarfile.LNKTYPE, linkname=NAME)), "should be",
    ),
    "a device": (tar(member("tiny.gguf", b"", type=tarfile.CHRTYPE)), "should be"),
    "a folder": (tar(member("tiny.gguf", b"", type=tarfile.DIRTYPE)), "should be"),
    "a pax header": (
        tar(member("tiny.gguf", MODEL, pax_headers={"comment": "x" * 9000}),
            form=tarfile.PAX_FORMAT),
        "should be",
    ),
    "a long name": (tar(member("x" * 200, MODEL)), "should be"),
    "one file more": (
        tar(member("tiny.gguf", MODEL), member("more.gguf", MODEL)), "follows its end",
    ),
    "the file twice": (
        tar(member("tiny.gguf", MODEL), member("tiny.gguf", MODEL)), "follows its end",
    ),
    "words behind the end": (tar(member("tiny.gguf", MODEL)) + b"more", "follows its end"),
    "zeros without end": (
        tar(member("tiny.gguf", MODEL)) + bytes(packages.MOST_PADDING), "follows its end",
    ),
    "compressed": (
        __import__("gzip").compress(tar(member("tiny.gguf", MODEL))), "no tar archive",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_package_is_refused_with_words(tmp_path, folder, name):
    data, why = HOSTILE[name]
    path = tmp_path / "x.cpmodel"
    path.write_bytes(data)
    refused(path, folder, why)
    assert sorted(p.name for p in tmp_path.iterdir()) in (["own", "x.cpmodel"], ["x.cpmodel"])


@pytest.mark.parametrize(
    "data", [b"GGUF", build(version=99), build({"general.architecture": (STRING, "bert")}), b"x"]
)
def test_a_model_that_cannot_answer_is_not_installed(tmp_path, folder, data):
    manifest = with_file(size=len(data), sha256=hashlib.sha256(data).hexdigest())
    path = tmp_path / "x.cpmodel"
    path.write_bytes(tar(member("tiny.gguf", data), manifest=manifest))
    inspect_package(path)
    refused(path, folder, "cannot answer")


def test_a_package_that_is_cut_off_anywhere_is_refused(package, tmp_path, folder):
    whole = package.read_bytes()
    path = tmp_path / "cut.cpmodel"
    for size in [*range(0, 2048, 97), *range(2048, len(whole), 1511), len(whole) - 1]:
        path.write_bytes(whole[:size])
        refused(path, folder)


def test_flipped_bits_are_refused_or_change_nothing_of_the_model(package, tmp_path, folder):
    whole = package.read_bytes()
    path = tmp_path / "flipped.cpmodel"
    chance = random.Random(8)
    installed = 0
    for _ in range(200):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 1, 3, 40))):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        try:
            target = install_package(path, folder, inspect_package(path).digest)
        except UserError:
            assert left_in(folder) == []
        else:  # the bit was in the text of the licence, say
            installed += 1
            assert target.read_bytes() == MODEL
            remove_model(target, folder)
    assert installed < 100


@pytest.mark.parametrize("kind", ["missing", "folder", "fifo"])
def test_what_is_no_file_is_refused_at_once(tmp_path, folder, kind):
    path = tmp_path / "x.cpmodel"
    if kind == "folder":
        path.mkdir()
    if kind == "fifo":
        os.mkfifo(path)
    refused(path, folder)


def test_a_name_that_another_system_cannot_have_is_not_packed(tmp_path):
    source = tmp_path / "my model.gguf"
    source.write_bytes(MODEL)
    with pytest.raises(ModelError, match="under that name") as caught:
        pack_model(source, tmp_path / "x.cpmodel", LICENCE)
    assert "Rename it" in caught.value.remedy
    assert sorted(p.name for p in tmp_path.iterdir()) == ["my model.gguf"]
