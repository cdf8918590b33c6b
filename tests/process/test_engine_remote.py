"""Somebody else's engine, played by a small server on this machine that also misbehaves."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import commonplace
from commonplace.chat.messages import Message
from commonplace.engine import keys
from commonplace.engine.options import ELSEWHERE, load_options
from commonplace.engine.remote import RemoteModel
from commonplace.engine.session import EngineSession
from commonplace.engine.sse import events
from commonplace.engine.types import LoadOptions, Sampling
from commonplace.errors import (
    EngineError,
    ModelError,
    NetworkClosedError,
    NetworkError,
    StorageError,
)
from commonplace.network.door import Door
from commonplace.network.grants import Grant, Origin, Purpose
from commonplace.settings import load, save

TALK = [Message("system", "Be brief."), Message("user", "Say hello.")]


class Server(ThreadingHTTPServer):
    """Speaks the protocol; `fault` says how it goes wrong, `asked` what it was sent."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.fault = ""
        self.asked = []
        self.keys = []
        self.gone = threading.Event()
        self.models = [{"id": "big", "max_model_len": 3000}, {"id": "small"}]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request, client_address):
        """A client that hangs up is part of the tests."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_):
        pass

    def reply(self, status, data, kind="application/json"):
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.server.keys.append(self.headers.get("Authorization"))
        match self.server.fault:
            case "models 401":
                self.reply(401, {"error": {"message": "Who are you?\x1b[31m"}})
            case "models html":
                self.reply(200, b"<html>", "text/html")
            case "models odd":
                self.reply(200, {"data": [3, {"id": None}, "x"]})
            case _:
                self.reply(200, {"data": self.server.models})

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        asked = json.loads(self.rfile.read(length))
        if self.path == "/tokenize":
            if self.server.fault == "no tokenize":
                self.reply(404, {})
            else:
                self.reply(200, {"tokens": asked["content"].split()})
            return
        self.server.asked.append(asked)
        if self.server.fault.isdigit():
            self.reply(int(self.server.fault), {"error": {"message": "No."}})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.stream()

    def stream(self):
        fault = self.server.fault
        if fault == "nonsense":
            self.wfile.write(b"data: {nonsense\n\n")
            return
        for word in ("<think>", "hm", "</think>", "Hel", "lo ", "wörld"):
            self.event({"choices": [{"delta": {"content": word}, "finish_reason": None}]})
        if fault == "endless":
            try:
                while True:
                    self.event({"choices": [{"delta": {"content": "and "}}]})
                    time.sleep(0.01)
            except OSError:
                self.server.gone.set()
            return
        if fault == "error inside":
            self.event({"error": {"message": "out of memory"}})
        if fault == "cut":
            return
        reason = "length" if fault == "length" else "stop"
        self.event({"choices": [{"delta": {}, "finish_reason": reason}]})
        usage = {"prompt_tokens": 9, "completion_tokens": 6}
        self.event({"choices": [], "usage": {**usage, "prompt_tokens_details": None}})
        self.wfile.write(b"data: [DONE]\r\n\r\n")

    def event(self, data):
        self.wfile.write(b": comment\n" + b"data: " + json.dumps(data).encode() + b"\n\n")
        self.wfile.flush()


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    monkeypatch.delenv(keys.VARIABLE, raising=False)
    monkeypatch.setattr(keys, "_keyring", lambda: None)
    monkeypatch.setenv("PYTHONPATH", str(Path(commonplace.__file__).parents[1]))


def open_remote(server, **options):
    door = Door([Grant(Purpose.ENDPOINT, Origin.of(server.url))])
    return RemoteModel(LoadOptions(endpoint=server.url, **options), door)


def ask(model, sampling=None, stopped=lambda: False):
    pieces: list[str] = []
    answer = model.complete(TALK, sampling or Sampling(max_tokens=50), pieces.append, stopped)
    assert "".join(pieces) == answer.text
    return answer


def test_it_answers_and_keeps_thoughts_apart(server):
    model = open_remote(server)
    assert (model.info.name, model.info.context, model.info.backend) == ("big", 3000, "remote")
    assert server.url in model.info.note
    answer = ask(model, Sampling(max_tokens=7, temperature=0.5, seed=3))
    assert (answer.text, answer.thought, answer.finish) == ("Hello wörld", "hm", "stop")
    assert (answer.prompt_tokens, answer.completion_tokens) == (9, 6)
    assert 0 < answer.first_token_ms <= answer.total_ms
    (asked,) = server.asked
    assert asked["messages"] == [{"role": m.role, "content": m.content} for m in TALK]
    assert (asked["max_tokens"], asked["temperature"], asked["seed"]) == (7, 0.5, 3)
    assert "grammar" not in asked


def test_it_counts_where_the_server_can_and_guesses_with_care_where_not(server):
    assert open_remote(server).count("one two three") == 3
    server.fault = "no tokenize"
    model = open_remote(server, endpoint_model="small")
    assert model.count("x" * 30) == 10
    assert "cannot count" in model.info.note
    assert model.count_messages(TALK) > 10


def test_the_door_is_closed_until_the_user_opens_it(server):
    with pytest.raises(NetworkClosedError):
        RemoteModel(LoadOptions(endpoint=server.url), Door())
    other = Door([Grant(Purpose.MODELS, Origin.of(server.url))])
    with pytest.raises(NetworkClosedError):
        RemoteModel(LoadOptions(endpoint=server.url), other)
    assert server.keys == []


def test_keys_come_from_the_environment_or_the_keyring(server, monkeypatch):
    open_remote(server)
    monkeypatch.setenv(keys.VARIABLE, " from-environment ")
    open_remote(server)
    assert server.keys == [None, "Bearer from-environment"]


class Ring:
    """A keyring in memory, as the package offers it."""

    class errors:  # noqa: N801 - the package's name
        class KeyringError(Exception):
            pass

    def __init__(self):
        self.kept = {}
        self.locked = False

    def get_password(self, service, name):
        if self.locked:
            raise self.errors.KeyringError
        return self.kept.get((service, name))

    def set_password(self, service, name, key):
        self.get_password(service, name)
        self.kept[service, name] = key

    def delete_password(self, service, name):
        del self.kept[service, name]


def test_keys_are_kept_by_origin_and_a_locked_keyring_is_told(monkeypatch):
    ring = Ring()
    with pytest.raises(StorageError, match="keyring"):
        keys.keep_key("https://a.example/v1", "k")
    monkeypatch.setattr(keys, "_keyring", lambda: ring)
    keys.keep_key("https://a.example/v1", "secret")
    assert keys.api_key("https://a.example/other") == "secret"
    assert keys.api_key("https://b.example/v1") == ""
    ring.locked = True
    assert keys.api_key("https://a.example/v1") == ""
    with pytest.raises(StorageError, match="refused"):
        keys.keep_key("https://a.example/v1", "k")
    ring.locked = False
    keys.keep_key("https://a.example/v1", "")
    keys.keep_key("https://a.example/v1", "")
    assert ring.kept == {}


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ("401", EngineError, "key"),
        ("404", EngineError, "/v1"),
        ("429", EngineError, "busy"),
        ("500", EngineError, "No"),
        ("nonsense", EngineError, "not what it should be"),
        ("error inside", EngineError, "out of memory"),
        ("cut", EngineError, "middle"),
    ],
)
def test_what_goes_wrong_while_answering_is_told(server, fault, error, words):
    model = open_remote(server)
    server.fault = fault
    with pytest.raises(error) as caught:
        ask(model)
    assert words in str(caught.value)
    assert caught.value.remedy
    server.fault = ""
    assert ask(model).text == "Hello wörld"


@pytest.mark.parametrize("fault", ["models 401", "models html", "models odd"])
def test_what_goes_wrong_at_the_beginning_is_told(server, fault):
    server.fault = fault
    with pytest.raises((ModelError, EngineError)) as caught:
        open_remote(server)
    assert caught.value.remedy
    assert "\x1b" not in str(caught.value)


def test_a_model_it_does_not_offer_is_told(server):
    with pytest.raises(ModelError, match="huge") as caught:
        open_remote(server, endpoint_model="huge")
    assert "big, small" in caught.value.remedy


def test_a_server_that_went_away_is_told(server):
    model = open_remote(server)
    server.server_close()
    with pytest.raises(NetworkError) as caught:
        ask(model)
    assert caught.value.remedy


def test_an_answer_is_stopped_and_the_server_sees_it(server):
    model = open_remote(server)
    server.fault = "endless"
    seen = []
    sampling = Sampling(max_tokens=50)
    answer = model.complete(TALK, sampling, seen.append, lambda: "wörld" in "".join(seen))
    assert answer.finish == "cancelled"
    assert answer.text.startswith("Hello wörld")
    assert server.gone.wait(60)


def test_the_longest_answer_is_told(server):
    server.fault = "length"
    assert ask(open_remote(server)).finish == "length"


def test_it_stands_behind_the_same_interface_as_a_model_of_ours(server, state):
    save(state.settings_file, {"model.endpoint": server.url})
    settings = load(state.settings_file)
    with EngineSession(load_options(settings, state)) as session:
        with pytest.raises(NetworkClosedError):
            session.load(ELSEWHERE)
        grant = str(Grant(Purpose.ENDPOINT, Origin.of(server.url)))
        save(state.settings_file, {"network.allowed": (grant,)})
        info = session.load(ELSEWHERE)
        assert (info.name, info.rung) == ("big", "as asked")
        assert session.count(["a b"]) == [2]
        pieces: list[str] = []
        answer = session.complete(TALK, Sampling(), pieces.append, conversation="mine")
        assert answer.text == "Hello wörld" == "".join(pieces)
        session.keep()
        with pytest.raises(EngineError, match="not measured"):
            session.judge("text")


def test_events_are_read_however_they_are_cut():
    whole = b"data: a\r\ndata: b\r\n\r\n: x\nevent: y\ndata:c\n\nid: 3\n\ndata: last"
    for size in (1, 2, 5, 100):
        pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
        assert list(events(pieces)) == ["a\nb", "c", "last"]
    with pytest.raises(EngineError):
        list(events([b"x" * 1_000_000] * 6))
    with pytest.raises(EngineError):
        list(events([b"data: " + b"x" * 1_000_000 + b"\n"] * 6))


@pytest.mark.skipif("COMMONPLACE_TEST_ENDPOINT" not in os.environ, reason="names a real server")
def test_a_real_server_answers():
    """With the address of a running server in COMMONPLACE_TEST_ENDPOINT."""
    url = os.environ["COMMONPLACE_TEST_ENDPOINT"]
    door = Door([Grant(Purpose.ENDPOINT, Origin.of(url))])
    model = RemoteModel(LoadOptions(endpoint=url), door)
    answer = ask(model, Sampling(max_tokens=16))
    assert answer.text.strip()
    assert answer.completion_tokens > 0
    began = time.monotonic()
    long = replace(Sampling(), max_tokens=400)
    stopped = ask(model, long, lambda: time.monotonic() - began > 1.0)
    assert stopped.finish == "cancelled"
    assert ask(model, Sampling(max_tokens=4)).text
