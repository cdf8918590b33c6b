"""Downloads from a server that truncates, stalls, lies, redirects and hangs up."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from commonplace.engine import download as download_module
from commonplace.engine.download import Download, Wanted
from commonplace.errors import (
    CancelledError,
    ConnectionLostError,
    ModelError,
    NetworkClosedError,
    NetworkError,
    StorageError,
)
from commonplace.network.channel import Limits
from commonplace.network.door import Door
from commonplace.network.grants import Grant, Origin, Purpose
from servers import serve
from unit.engine.gguf_builder import build

MODEL = build(tensors=[("token_embd.weight", (64, 4096), 0)])  # a megabyte
SUM = hashlib.sha256(MODEL).hexdigest()
TAG = '"one"'


def honest(client, content=MODEL, tag=TAG, upto=None):
    """Serve `content` as a good server does; `upto` hangs up after so many bytes."""
    asked = re.fullmatch(r"bytes=(\d+)-", client.headers.get("range", ""))
    about = {"ETag": tag, "Accept_Ranges": "bytes"}
    if asked and client.headers.get("if-range") == tag:
        start = int(asked.group(1))
        if start >= len(content):
            client.reply(416, b"", Content_Range=f"bytes */{len(content)}")
            return
        rest = content[start:]
        where = f"bytes {start}-{len(content) - 1}/{len(content)}"
        client.reply(206, rest[:upto], Content_Length=len(rest), Content_Range=where, **about)
    else:
        client.reply(200, content[:upto], Content_Length=len(content), **about)


def fetch(server, folder, path="/m.gguf", **options):
    door = Door([Grant(Purpose.MODELS, Origin.of(server.url))])
    wanted = Wanted(
        server.url + path, "m.gguf", options.pop("size", len(MODEL)), options.pop("sha256", SUM)
    )
    options.setdefault("limits", Limits(silence=30, body=1 << 40))
    return Download(door, wanted, folder, pause=0.01, **options).run()


def files(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def ranges(server):
    return [client.headers.get("range") for client in server.seen]


def test_a_download_arrives_whole_and_is_not_fetched_twice(tmp_path):
    seen = []
    with serve(honest) as server:
        path = fetch(server, tmp_path / "models", on_progress=seen.append)
        assert path.read_bytes() == MODEL
        assert files(tmp_path / "models") == ["m.gguf"]
        assert fetch(server, tmp_path / "models") == path
        assert len(server.seen) == 1
    assert {p.phase for p in seen} >= {"connecting", "downloading"}
    assert seen[-1].total == len(MODEL)


def test_a_closed_door_writes_nothing(tmp_path):
    wanted = Wanted("https://hub.invalid/m.gguf", "m.gguf")
    with pytest.raises(NetworkClosedError):
        Download(Door(), wanted, tmp_path).run()
    assert files(tmp_path) == []


def test_a_server_that_truncates_is_asked_for_the_rest(tmp_path):
    with serve(lambda client: honest(client, upto=300_000)) as server:
        assert fetch(server, tmp_path).read_bytes() == MODEL
    assert ranges(server) == [None, "bytes=300000-", "bytes=600000-", "bytes=900000-"]
    assert {c.headers.get("if-range") for c in server.seen[1:]} == {TAG}


@pytest.mark.parametrize("how", ["stall", "reset", "nothing", "busy"])
def test_a_server_that_fails_for_a_while_is_tried_again(tmp_path, how):
    def script(client):
        if len(server.seen) > 2:
            honest(client)
        elif how == "stall":
            honest(client, upto=100_000)
            server.over.wait(60)
        elif how == "reset":
            honest(client, upto=100_000)
            client.drop()
        elif how == "busy":
            client.reply(503, b"busy")

    # Only one that stalls is silent for so long; a busy machine may be silent for a while, too.
    limits = Limits(silence=1.0 if how == "stall" else 30, body=1 << 40)
    with serve(script) as server:
        assert fetch(server, tmp_path, limits=limits).read_bytes() == MODEL
        server.over.set()


def test_a_server_that_never_answers_is_given_up_and_gone_on_with_later(tmp_path):
    def script(client):
        if len(server.seen) == 1:
            honest(client, upto=500_000)
        elif not recovered:
            client.drop()
        else:
            honest(client)

    recovered = []
    with serve(script) as server:
        with pytest.raises(ConnectionLostError):
            fetch(server, tmp_path)
        assert files(tmp_path) == ["m.gguf.part", "m.gguf.part.json"]
        before = len(server.seen)
        assert before == download_module.RETRIES + 1
        recovered.append(True)
        assert fetch(server, tmp_path).read_bytes() == MODEL
        assert ranges(server)[before:] == ["bytes=500000-"]


@pytest.mark.parametrize(
    "lie", ["200 for 206", "earlier", "later", "other total", "no range", "416", "cut last"]
)
def test_a_server_that_lies_about_ranges_cannot_spoil_the_file(tmp_path, lie):
    size = len(MODEL)

    def script(client):
        if "range" not in client.headers:
            honest(client, upto=400_000 if len(server.seen) == 1 else None)
        elif lie == "200 for 206":
            client.reply(200, MODEL, ETag=TAG)
        elif lie == "416":
            client.reply(416, b"")
        elif lie == "no range":
            client.reply(206, MODEL[400_000:])
        else:
            where = {
                "earlier": (399_999, size - 1, size),
                "later": (400_001, size - 1, size),
                "other total": (400_000, size, size + 1),
                "cut last": (400_000, size - 2, size),
            }[lie]
            client.reply(206, MODEL[where[0] :], Content_Range="bytes {}-{}/{}".format(*where))

    with serve(script) as server:
        assert fetch(server, tmp_path).read_bytes() == MODEL
    assert files(tmp_path) == ["m.gguf"]


def test_a_file_that_changed_meanwhile_is_fetched_anew(tmp_path):
    def script(client):
        if len(server.seen) == 1:
            honest(client, bytes(4) and MODEL, '"old"', upto=400_000)
        else:
            honest(client)

    with serve(script) as server:
        assert fetch(server, tmp_path).read_bytes() == MODEL
    assert server.seen[1].headers["if-range"] == '"old"'


def test_without_a_tag_a_part_is_not_gone_on_with(tmp_path):
    def script(client):
        client.reply(
            200, MODEL[: None if len(server.seen) > 1 else 9000], Content_Length=len(MODEL)
        )

    with serve(script) as server:
        assert fetch(server, tmp_path).read_bytes() == MODEL
    assert ranges(server) == [None, None]


WRONG = {
    "a page to sign in": (b"<html>Sign in</html>", {"size": 0}, "not a GGUF file"),
    "another size": (MODEL[:-4096], {}, "it is another one"),
    "a flipped bit": (MODEL[:-9] + b"\xff" + MODEL[-8:], {}, "checksum differs"),
    "a longer file": (MODEL + b"more", {"size": 0}, "checksum differs"),
    "half a model": (MODEL[: len(MODEL) // 2], {"size": 0, "sha256": ""}, "truncated"),
    "a broken header": (b"GGUF" + bytes(4000), {"size": 0, "sha256": ""}, "version 0"),
    "nothing": (b"", {"size": 0, "sha256": ""}, "empty"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_bytes_never_become_a_model(tmp_path, name):
    content, options, says = WRONG[name]
    with serve(lambda client: honest(client, content)) as server:
        with pytest.raises((ModelError, NetworkError), match=says) as caught:
            fetch(server, tmp_path, **options)
        assert ".part" not in str(caught.value)
        assert not (tmp_path / "m.gguf").exists()
        left = tmp_path / "m.gguf.part"
        assert not left.exists() or left.stat().st_size == 0


def test_a_server_that_sends_more_than_it_said(tmp_path):
    def script(client):
        client.reply(200, Transfer_Encoding="chunked")
        client.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(MODEL), MODEL))

    with serve(script) as server:  # no length at all: what comes is checked by the sum
        assert fetch(server, tmp_path).read_bytes() == MODEL


@pytest.mark.parametrize(
    ("status", "says"), [(401, "everybody"), (403, "everybody"), (404, "no longer"), (418, "418")]
)
def test_a_refusal_is_told_with_a_remedy(tmp_path, status, says):
    with serve(lambda client: client.reply(status, b"x")) as server:
        with pytest.raises(NetworkError, match=says) as caught:
            fetch(server, tmp_path)
        assert caught.value.remedy
        assert len(server.seen) == 1


def test_redirects_within_the_origin_are_followed_and_others_are_not(tmp_path):
    with serve(lambda client: client.reply(200, b"stolen")) as other:

        def script(client):
            if client.target == "/m.gguf":
                client.reply(302, Location="/blob")
            elif client.target == "/other":
                client.reply(302, Location=other.url)
            else:
                honest(client)

        with serve(script) as server:
            assert fetch(server, tmp_path).read_bytes() == MODEL
            with pytest.raises(NetworkError, match="not encrypted"):
                fetch(server, tmp_path / "b", "/other")
        assert other.seen == []


def test_cancel_keeps_what_arrived_and_resume_goes_on(tmp_path):
    def script(client):
        if len(server.seen) == 1:
            honest(client, upto=300_000)
            server.over.wait(60)
        else:
            honest(client)

    part = tmp_path / "m.gguf.part"
    with serve(script) as server:
        with pytest.raises(CancelledError):
            fetch(
                server,
                tmp_path,
                stop=lambda: part.exists() and part.stat().st_size > 200_000,
                limits=Limits(silence=20, body=1 << 30),
            )
        server.over.set()
        kept = part.stat().st_size
        assert kept > 200_000
        assert fetch(server, tmp_path).read_bytes() == MODEL
        assert ranges(server)[1] == f"bytes={kept}-"


def test_a_disk_too_small_is_told_before_anything_is_written(tmp_path, monkeypatch):
    usage = type(shutil.disk_usage(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1 << 40, 1 << 40, 1 << 20))
    with serve(honest) as server, pytest.raises(StorageError, match=r"needs \d MB more"):
        fetch(server, tmp_path)
    assert "m.gguf.part" not in files(tmp_path)


def test_a_disk_that_fills_up_keeps_the_part(tmp_path, monkeypatch):
    """Let the system refuse to write beyond half of the file, as a full disk does."""
    import resource
    import signal

    if sys.platform == "win32":
        pytest.skip("no such limit")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with serve(honest) as server:
            resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, before[1]))
            with pytest.raises(StorageError, match="no space left"):
                fetch(server, tmp_path)
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            kept = (tmp_path / "m.gguf.part").stat().st_size
            assert 0 < kept <= 500_000
            assert fetch(server, tmp_path).read_bytes() == MODEL
            assert ranges(server)[1] == f"bytes={kept}-"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_every_write_may_fail(tmp_path, monkeypatch, number):
    """Fail the n-th replacement or sync until none fails; a model is whole or not there."""
    real = {"fsync": os.fsync, "replace": Path.replace}
    count = [0, 0]

    def failing(name):
        def call(*args):
            count[0] += 1
            if count[0] == count[1]:
                raise OSError(number, os.strerror(number))
            return real[name](*args)

        return call

    monkeypatch.setattr(os, "fsync", failing("fsync"))
    monkeypatch.setattr(Path, "replace", failing("replace"))
    with serve(honest) as server:
        for nth in range(1, 50):
            count[:] = [0, nth]
            folder = tmp_path / str(nth)
            try:
                path = fetch(server, folder)
            except StorageError:
                target = folder / "m.gguf"
                assert not target.exists() or target.read_bytes() == MODEL
            else:
                assert path.read_bytes() == MODEL
                break
        else:
            pytest.fail("it never came through")
        assert nth == 5, "the part, what it is of, its place, the folder: four calls"


def test_two_at_once_do_not_mix(tmp_path):
    with FileLock(tmp_path / "m.gguf.part.lock"), serve(honest) as server:
        with pytest.raises(ModelError, match="another window"):
            fetch(server, tmp_path)
        assert server.seen == []


@pytest.mark.parametrize(
    "about",
    [
        "",
        "[]",
        "{",
        json.dumps({"url": "x", "tag": TAG, "total": len(MODEL)}),
        json.dumps({"url": "URL", "tag": TAG, "total": 3}),
        json.dumps({"url": "URL", "tag": TAG, "total": "many"}),
    ],
)
def test_a_part_of_unknown_origin_is_not_trusted(tmp_path, about):
    (tmp_path / "m.gguf.part").write_bytes(b"GGUF" + bytes(1000))
    with serve(honest) as server:
        text = about.replace("URL", f"{server.url}/m.gguf")
        (tmp_path / "m.gguf.part.json").write_text(text)
        assert fetch(server, tmp_path).read_bytes() == MODEL
        assert ranges(server) == [None]


def test_killed_in_the_middle_and_gone_on_with(tmp_path):
    code = (
        "import sys; from pathlib import Path;"
        "from commonplace.engine.download import Download, Wanted;"
        "from commonplace.network.door import Door;"
        "from commonplace.network.grants import Grant;"
        "url, folder = sys.argv[1:];"
        "door = Door([Grant.parse('models ' + url)]);"
        f"Download(door, Wanted(url + '/m.gguf', 'm.gguf', {len(MODEL)}, {SUM!r}),"
        " Path(folder)).run()"
    )

    def script(client):
        if len(server.seen) <= 3:
            honest(client, upto=250_000)
            server.over.wait(60)
        else:
            honest(client)

    part = tmp_path / "m.gguf.part"
    with serve(script) as server:
        for kill in range(1, 4):
            child = subprocess.Popen([sys.executable, "-c", code, server.url, str(tmp_path)])
            end = time.monotonic() + 60
            while not part.exists() or part.stat().st_size < kill * 200_000:
                assert time.monotonic() < end
                assert child.poll() is None
                time.sleep(0.02)
            child.kill()
            child.wait()
            assert "m.gguf" not in files(tmp_path)
        server.over.set()
        assert fetch(server, tmp_path).read_bytes() == MODEL
    assert all(asked for asked in ranges(server)[1:])
