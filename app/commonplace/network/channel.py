"""A connection that never waits longer than it may, and can be stopped while it waits.

Sockets wait in steps of `POLL` seconds. Between steps the caller's `stop` is
asked and the limits are looked at, so that stopping needs no second thread and
no shared socket.
"""

from __future__ import annotations

import errno
import io
import os
import selectors
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from commonplace.errors import CancelledError, ConnectionLostError

POLL = 0.05
_PENDING = {0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", 0)}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much patience and how many bytes one request may take.

    `connect` and `silence` are seconds without progress, `total` seconds for
    the whole exchange (None: as long as something arrives), `body` the most
    bytes of an answer.
    """

    connect: float = 15.0
    silence: float = 60.0
    total: float | None = None
    body: int = 32 << 20


class Patience:
    """Watches one exchange: raises when it was stopped or takes too long."""

    def __init__(self, where: str, limits: Limits, stop: Callable[[], bool] | None) -> None:
        self._where = where
        self._stop = stop
        self._limits = limits
        self._end = None if limits.total is None else time.monotonic() + limits.total
        self._silent_until = time.monotonic() + limits.connect
        self._allowed = limits.connect

    @property
    def left(self) -> float:
        """Seconds of silence that are still bearable."""
        return max(0.0, self._silent_until - time.monotonic())

    def heard(self) -> None:
        """Something moved: silence is counted anew."""
        self._allowed = self._limits.silence
        self._silent_until = time.monotonic() + self._allowed

    def check(self) -> None:
        """Raise `CancelledError` or `ConnectionLostError` if it is time to give up."""
        if self._stop is not None and self._stop():
            raise CancelledError("Stopped.")
        now = time.monotonic()
        if self._end is not None and now > self._end:
            raise ConnectionLostError(
                f"{self._where} took longer than {self._limits.total:g} seconds.", "Try again."
            )
        if now > self._silent_until:
            raise ConnectionLostError(
                f"{self._where} was silent for {self._allowed:g} seconds.",
                "Check the network, then try again.",
            )

    def wait(self, step: Callable[[], T]) -> T:
        """Repeat `step`, which waits at most `POLL`, until it gets through."""
        while True:
            self.check()
            try:
                result = step()
            except TimeoutError:
                continue
            self.heard()
            return result


class Channel:
    """One connection, as much of a socket as ``http.client`` needs."""

    def __init__(self, sock: socket.socket, patience: Patience) -> None:
        self.sock = sock
        self._patience = patience

    def sendall(self, data: bytes) -> None:
        """Send all of `data`."""
        rest = memoryview(data)
        while rest:
            sent = self._patience.wait(lambda part=rest: self.sock.send(part))  # type: ignore[misc]
            rest = rest[sent:]

    def makefile(self, _mode: str = "rb", *_: Any) -> io.BufferedReader:
        """Return a reader of what arrives."""
        return io.BufferedReader(_Incoming(self.sock, self._patience), 1 << 16)

    def close(self) -> None:
        """Do nothing: ``http.client`` closes early, the response closes in the end."""

    def secure(self, context: ssl.SSLContext, host: str) -> None:
        """Begin TLS, with the certificate checked against `host`."""
        sock = context.wrap_socket(self.sock, server_hostname=host, do_handshake_on_connect=False)
        self.sock = sock
        self._patience.wait(sock.do_handshake)


class _Incoming(io.RawIOBase):
    def __init__(self, sock: socket.socket, patience: Patience) -> None:
        self._sock = sock
        self._patience = patience

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._patience.wait(lambda: self._sock.recv_into(buffer))


def connect(host: str, port: int, patience: Patience) -> Channel:
    """Connect to the first address of `host` that answers; raises `OSError`.

    The addresses share the time, so that one that is silent, as IPv6 is behind
    many a router, does not hide the next.
    """
    problem: OSError | None = None
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    share = patience.left / max(1, len(found))
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        try:
            _connect(sock, address, patience, share)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(POLL)
        except OSError as error:
            sock.close()
            problem = error
        except BaseException:
            sock.close()
            raise
        else:
            patience.heard()
            return Channel(sock, patience)
    raise problem or OSError(f"{host} has no address")


def _connect(sock: socket.socket, address: Any, patience: Patience, seconds: float) -> None:
    end = time.monotonic() + seconds
    sock.setblocking(False)
    code = sock.connect_ex(address)
    if code in _PENDING:
        with selectors.DefaultSelector() as selector:
            selector.register(sock, selectors.EVENT_WRITE)
            while not selector.select(POLL):
                patience.check()
                if time.monotonic() > end:
                    raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))
