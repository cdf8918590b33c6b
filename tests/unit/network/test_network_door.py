from __future__ import annotations

import contextlib
import gzip
import shutil
import socket
import ssl
import subprocess
import time

import psutil
import pytest

from commonplace.errors import (
    CancelledError,
    ConnectionLostError,
    NetworkClosedError,
    NetworkError,
    UserError,
)
from commonplace.network import door as door_module
from commonplace.network.channel import Limits
from commonplace.network.door import Door, Request
from commonplace.network.grants import Grant, Origin, Purpose
from commonplace.settings import Settings
from servers import serve


def open_for(server, purpose=Purpose.ENDPOINT, **options):
    return Door([Grant(purpose, Origin.of(server.url))], **options)


def fetch(server, path="/", purpose=Purpose.ENDPOINT, limits=None, stop=None, **request):
    wanted = Request(server.url + path, **request)
    with open_for(server, purpose).send(purpose, wanted, limits=limits, stop=stop) as response:
        return response, response.read()


def test_a_closed_door_contacts_nobody():
    with serve(lambda client: client.reply(200, b"hello")) as server:
        for closed in (Door(), open_for(server, Purpose.MODELS), Door.of(Settings())):
            with pytest.raises(NetworkClosedError) as caught:
                closed.send(Purpose.ENDPOINT, Request(server.url))
            assert f"endpoint {server.url}" in caught.value.remedy
        assert server.seen == []
        grants = (f"endpoint {server.url}/v1/chat",)
        assert Door.of(Settings(network_allowed=grants)).allows(Purpose.ENDPOINT, server.url)


def test_a_request_and_its_answer():
    def script(client):
        client.reply(201, b"got " + client.body, X_Thing="a", Content_Type="text/plain")

    with serve(script) as server:
        response, body = fetch(
            server, "/v1/x?y=1", method="POST", body=b"data", headers={"Authorization": "Bearer k"}
        )
    assert (response.status, body) == (201, b"got data")
    assert response.headers["x-thing"] == "a"
    [client] = server.seen
    assert (client.method, client.target) == ("POST", "/v1/x?y=1")
    assert client.headers["authorization"] == "Bearer k"
    assert client.headers["host"] == f"127.0.0.1:{server.port}"
    assert client.headers["user-agent"].startswith("Commonplace/")


def test_a_stream_arrives_piece_by_piece():
    import threading

    go_on = threading.Event()

    def script(client):
        client.reply(200, Transfer_Encoding="chunked")
        client.send(b"6\r\nfirst \r\n")
        assert go_on.wait(5)
        client.send(b"6\r\nsecond\r\n0\r\n\r\n")

    with (
        serve(script) as server,
        open_for(server).send(Purpose.ENDPOINT, Request(server.url)) as response,
    ):
        pieces = response.pieces()
        assert next(pieces) == b"first "
        go_on.set()
        assert b"".join(pieces) == b"second"


@pytest.mark.parametrize("where", ["connect", "head", "body"])
def test_stopping_takes_effect_while_it_waits(where):
    stopped = []

    def script(client):
        if where == "body":
            client.reply(200, b"x", Content_Length=10)
        server.over.wait(60)

    with serve(script) as server:
        began = time.monotonic()

        def stop():
            stopped.append(1)
            return where == "connect" or (bool(server.seen) and len(stopped) > 6)

        with pytest.raises(CancelledError):
            fetch(server, stop=stop)
        assert time.monotonic() - began < 30  # the server would go on for a minute
        server.over.set()


def test_silence_and_length_have_limits():
    def silent(client):
        client.reply(200, b"x", Content_Length=10)
        server.over.wait(60)

    with serve(silent) as server:
        with pytest.raises(ConnectionLostError, match="silent"):
            fetch(server, limits=Limits(silence=0.2))
        with pytest.raises(ConnectionLostError, match="longer than"):
            fetch(server, limits=Limits(total=0.2))
        server.over.set()
    with (
        serve(lambda client: client.reply(200, bytes(3000))) as server,
        pytest.raises(NetworkError, match="more than 2,000 bytes"),
    ):
        fetch(server, limits=Limits(body=2000))


@pytest.mark.parametrize("how", ["short", "short chunk", "reset", "nothing", "garbage"])
def test_a_broken_answer_is_told(how):
    def script(client):
        if how == "short":
            client.reply(200, b"abc", Content_Length=10)
        elif how == "short chunk":
            client.reply(200, Transfer_Encoding="chunked")
            client.send(b"a\r\nabc")
        elif how == "reset":
            client.drop()
        elif how == "garbage":
            client.send(b"SSH-2.0-OpenSSH\r\n\r\n")

    with serve(script) as server:
        with pytest.raises(NetworkError) as caught:
            fetch(server)
        assert isinstance(caught.value, ConnectionLostError) == (how != "garbage")
        assert caught.value.remedy


def test_nobody_there_is_told():
    with serve(lambda client: client.reply(200)) as server:
        pass
    with pytest.raises(ConnectionLostError, match="Nothing answers"):
        fetch(server)


def test_a_silent_address_does_not_hide_the_next(monkeypatch):
    """A full backlog drops what comes, as a router does that swallows IPv6."""
    silent = socket.create_server(("127.0.0.1", 0), backlog=0)
    queued = []
    with contextlib.closing(silent), contextlib.ExitStack() as stack:
        for _ in range(4):
            waiting = stack.enter_context(contextlib.closing(socket.socket()))
            waiting.setblocking(False)
            queued.append(waiting.connect_ex(silent.getsockname()))
        with serve(lambda client: client.reply(200, b"here")) as server:
            real = socket.getaddrinfo("127.0.0.1", server.port, type=socket.SOCK_STREAM)
            first = [(*real[0][:4], silent.getsockname())]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: first + real)
            _, body = fetch(server, limits=Limits(connect=4.0))
            assert body == b"here"
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: first)
            with pytest.raises(ConnectionLostError):
                fetch(server, limits=Limits(connect=0.4))


def test_compression_that_was_not_asked_for_is_refused():
    with (
        serve(lambda c: c.reply(200, gzip.compress(b"x"), Content_Encoding="gzip")) as server,
        pytest.raises(NetworkError, match="compression"),
    ):
        fetch(server)


def test_redirects_stay_at_their_origin_or_go_to_https():
    def script(client):
        if client.target == "/final":
            client.reply(200, b"there")
        elif client.target == "/loop":
            client.reply(302, Location="/loop")
        else:
            client.reply(302, Location=targets[client.target])

    with serve(lambda client: client.reply(200, b"stolen")) as other, serve(script) as server:
        targets = {
            "/same": "/final",
            "/other": other.url,
            "/secure": "https://127.0.0.1:1/x",
            "/file": "file:///etc/passwd",
            "/name": "http://user:secret@127.0.0.1/",
        }
        response, body = fetch(server, "/same")
        assert (body, response.url) == (b"there", f"{server.url}/final")
        for path, says in [
            ("/loop", "without end"),
            ("/other", "not encrypted"),
            ("/file", "no web address"),
            ("/name", "no web address"),
        ]:
            with pytest.raises(NetworkError, match=says):
                fetch(server, path, Purpose.MODELS)
        with pytest.raises(ConnectionLostError, match="Nothing answers at https"):
            fetch(server, "/secure", Purpose.MODELS)
        with pytest.raises(NetworkError, match="was not allowed"):
            fetch(server, "/secure", Purpose.ENDPOINT)
        with pytest.raises(NetworkError, match="carries data"):
            fetch(server, "/same", method="POST", body=b"x")
        assert other.seen == []


def test_keys_do_not_follow_a_redirect_to_another_origin():
    before = Request("https://a.example/x", headers={"Authorization": "k", "Range": "bytes=1-"})
    after = door_module._followed(Purpose.MODELS, before, "https://b.example/y")
    assert after == Request("https://b.example/y", headers={"Range": "bytes=1-"})


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificate")
    names = "subjectAltName=DNS:localhost"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", names]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def test_certificates_are_checked(certificate, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    with serve(lambda client: client.reply(200, b"secret"), context) as server:
        named = f"https://localhost:{server.port}"
        numbered = f"https://127.0.0.1:{server.port}"
        door = Door(Grant(Purpose.MODELS, Origin.of(url)) for url in (named, numbered))
        with pytest.raises(NetworkError, match="prove who it is"):
            door.send(Purpose.MODELS, Request(named))
        trusting = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
        monkeypatch.setattr(door_module, "_trust", lambda: trusting)
        with door.send(Purpose.MODELS, Request(named)) as response:
            assert response.read() == b"secret"
        with pytest.raises(NetworkError, match="prove who it is"):  # another name
            door.send(Purpose.MODELS, Request(numbered))


def test_tls_with_something_else_is_told():
    with serve(lambda client: None) as server:
        url = f"https://127.0.0.1:{server.port}"
        with pytest.raises(NetworkError):
            Door([Grant(Purpose.MODELS, Origin.of(url))]).send(
                Purpose.MODELS, Request(url), limits=Limits(connect=20, silence=1)
            )


def test_proxies_only_if_the_user_says_so_and_never_for_this_machine(monkeypatch):
    def script(client):
        if client.method == "CONNECT":
            client.reply(403)
        else:
            client.reply(200, client.target.encode())

    with serve(script) as proxy, serve(lambda client: client.reply(200, b"direct")) as local:
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://who:pass%21@127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        far = "http://far.invalid/x"
        secure = "https://far.invalid/x"
        grants = [Grant(Purpose.MODELS, Origin.of(u)) for u in (far, secure, local.url)]
        with Door(grants, proxies=True).send(Purpose.MODELS, Request(far)) as response:
            assert response.read() == b"http://far.invalid/x"
        assert proxy.seen[0].headers["proxy-authorization"] == "Basic d2hvOnBhc3Mh"
        with pytest.raises(NetworkError, match="refused to connect"):
            Door(grants, proxies=True).send(Purpose.MODELS, Request(secure))
        assert proxy.seen[1].target == "far.invalid:443"
        with Door(grants, proxies=True).send(Purpose.MODELS, Request(local.url)) as response:
            assert response.read() == b"direct"
        with pytest.raises(ConnectionLostError, match="could not be found"):
            Door(grants).send(Purpose.MODELS, Request(far))
        assert len(proxy.seen) == 2


def test_nothing_is_left_open():
    with serve(lambda client: client.reply(200, b"x" * 100_000)) as server:
        fetch(server)
        before = psutil.Process().num_fds()
        for _ in range(20):
            with open_for(server).send(Purpose.ENDPOINT, Request(server.url)) as response:
                next(response.pieces())
        after = psutil.Process().num_fds()
    assert after <= before + 2


@pytest.mark.parametrize(
    "url",
    ["ftp://x", "x", "http://", "https://a b", "https://u:p@x", "http://x:99999", "http://x\n", ""],
)
def test_what_is_no_web_address_is_refused(url):
    with pytest.raises(UserError, match="not a web address"):
        Origin.of(url)


def test_grants_are_readable_and_checked():
    grant = Grant.parse("models https://Hub.Example:443/some/path")
    assert str(grant) == "models https://hub.example"
    assert Grant.parse(str(grant)) == grant
    assert str(Origin.of("http://[::1]:8080/v1")) == "http://[::1]:8080"
    for text in ("", "models", "all https://x", "models ftp://x"):
        with pytest.raises(UserError):
            Grant.parse(text)
    assert "not encrypted" in Grant.parse("endpoint http://server:8080").question()
    assert "not encrypted" not in Grant.parse("endpoint http://localhost:8080").question()
    assert "https://hub.example" in grant.question()
