"""A small local server that behaves as it is told, badly if need be."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator


class Client:
    """One connection, as the scripts of `serve` see it."""

    def __init__(self, sock: socket.socket, head: bytes, body: bytes) -> None:
        self.sock = sock
        request, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = request.split(" ", 2)
        pairs = (line.split(": ", 1) for line in lines if ": " in line)
        self.headers = {name.lower(): value for name, value in pairs}
        self.body = body

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reply(self, status: int, body: bytes = b"", **headers: object) -> None:
        """Send a whole answer; underscores in the names of `headers` stand for dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        lower = {name.lower() for name in named}
        if "content-length" not in lower and "transfer-encoding" not in lower:
            named["Content-Length"] = len(body)
        lines = [f"HTTP/1.1 {status} Said"] + [f"{n}: {v}" for n, v in named.items()]
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def drop(self) -> None:
        """Reset the connection."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.sock.close()


class Server:
    """Answers every connection in a thread of its own by calling `script`."""

    def __init__(self, script: Callable[[Client], None], context: object = None) -> None:
        self._script = script
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.seen: list[Client] = []
        self.over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._run, name="server")
        self._thread.start()

    def close(self) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)
        for thread in self._threads:
            thread.join(5)

    def _run(self) -> None:
        while not self.over.is_set():
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(sock,), name="server-client")
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(sock):
            sock.settimeout(10)
            if self._context is not None:
                sock = self._context.wrap_socket(sock, server_side=True)  # type: ignore[attr-defined]
            data = b""
            while b"\r\n\r\n" not in data:
                piece = sock.recv(65536)
                if not piece:
                    return
                data += piece
            head, _, body = data.partition(b"\r\n\r\n")
            client = Client(sock, head, body)
            length = int(client.headers.get("content-length", 0))
            while len(client.body) < length:
                client.body += sock.recv(65536)
            self.seen.append(client)
            self._script(client)
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_WR)
            sock.close()


@contextlib.contextmanager
def serve(script: Callable[[Client], None], context: object = None) -> Iterator[Server]:
    """Run a server for the length of a ``with`` block."""
    server = Server(script, context)
    try:
        yield server
    finally:
        server.close()
