"""The door itself: one request at a time, to where the user allowed and nowhere else."""

from __future__ import annotations

import base64
import functools
import http.client
import logging
import socket
import ssl
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, urljoin, urlsplit

from commonplace import __version__
from commonplace.errors import (
    CommonplaceError,
    ConnectionLostError,
    NetworkClosedError,
    NetworkError,
    UserError,
)
from commonplace.network.channel import Channel, Limits, Patience, connect
from commonplace.network.grants import (
    DEFAULT_PORTS,
    Grant,
    Origin,
    Purpose,
    read_grants,
    split_url,
)
from commonplace.network.response import Response
from commonplace.settings import Settings

log = logging.getLogger(__name__)

REDIRECTS = 5
_REDIRECTING = {301, 302, 303, 307, 308}
_HARMLESS = {"accept", "range", "if-range"}
"""Headers that another origin may see after a redirect; keys never are."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of whom. Only ``GET`` and ``HEAD`` follow redirects."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


class Door:
    """Opens connections for the purposes and origins that were granted."""

    def __init__(self, grants: Iterable[Grant] = (), *, proxies: bool = False) -> None:
        """`proxies` lets the environment's proxies carry requests to other machines."""
        self._grants = frozenset(grants)
        self._proxies = proxies

    @classmethod
    def of(cls, settings: Settings) -> Door:
        """Return the door as the settings have it; raises `UserError` if they are wrong."""
        return cls(read_grants(settings.network_allowed), proxies=settings.network_proxies)

    def allows(self, purpose: Purpose, url: str) -> bool:
        """Whether `url` may be contacted for `purpose`."""
        return Grant(purpose, Origin.of(url)) in self._grants

    def send(
        self,
        purpose: Purpose,
        request: Request,
        *,
        limits: Limits | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Response:
        """Send `request` and return the answer once its headers are there.

        `stop` is asked about every 50 ms, while the body is read as well.
        Raises `NetworkClosedError` before anything is contacted if the user
        did not allow it, `ConnectionLostError` for what may work another time,
        `NetworkError` for what will not, and `CancelledError`.
        """
        grant = Grant(purpose, Origin.of(request.url))
        if grant not in self._grants:
            raise NetworkClosedError(
                f"The network is closed: {grant.origin} was not allowed for {purpose}.",
                "Allow it when the program asks, or add "
                f"{str(grant)!r} to network.allowed in the settings.",
            )
        for _ in range(REDIRECTS + 1):
            response = self._exchange(purpose, request, limits or Limits(), stop)
            target = response.headers.get("location", "")
            if response.status not in _REDIRECTING or not target:
                return response
            response.close()
            request = _followed(purpose, request, target)
        raise NetworkError(
            f"{grant.origin} redirects without end.", "Use the address it really lives at."
        )

    def _exchange(
        self,
        purpose: Purpose,
        request: Request,
        limits: Limits,
        stop: Callable[[], bool] | None,
    ) -> Response:
        origin = Origin.of(request.url)
        patience = Patience(str(origin), limits, stop)
        log.info("%s %s for %s", request.method, origin, purpose)
        channel: Channel | None = None
        try:
            patience.check()
            proxy = self._proxy(origin)
            channel = connect(*(proxy.address if proxy else (origin.host, origin.port)), patience)
            if proxy and origin.scheme == "https":
                proxy.tunnel(channel, origin)
            if origin.scheme == "https":
                channel.secure(_trust(), origin.host)
            through = proxy if origin.scheme == "http" else None
            raw = _asked(request, origin, channel, through)
            return Response(request.url, raw, channel, limits.body)
        except BaseException as error:
            if channel is not None:
                channel.sock.close()
            if isinstance(error, CommonplaceError):
                raise
            if isinstance(error, OSError | http.client.HTTPException | ValueError):
                raise _told(origin, error) from error
            raise

    def _proxy(self, origin: Origin) -> _Proxy | None:
        if not self._proxies or origin.loopback:
            return None
        url = urllib.request.getproxies_environment().get(origin.scheme)
        bypass = urllib.request.proxy_bypass_environment  # type: ignore[attr-defined]
        if not url or bypass(f"{origin.host}:{origin.port}"):
            return None
        return _Proxy.of(url)


@dataclass(frozen=True, slots=True)
class _Proxy:
    """A proxy of the environment, and the header that makes us known to it."""

    address: tuple[str, int]
    headers: Mapping[str, str]

    @classmethod
    def of(cls, url: str) -> _Proxy:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme != "http" or not parts.hostname:
            raise NetworkError(
                "The proxy of the environment is not an http proxy.",
                "Correct https_proxy, or set network.proxies to false.",
            )
        headers = {}
        if parts.username is not None:
            who = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            headers["Proxy-Authorization"] = f"Basic {base64.b64encode(who).decode('ascii')}"
        return cls((parts.hostname, parts.port or 80), headers)

    def tunnel(self, channel: Channel, origin: Origin) -> None:
        """Let the proxy connect through to `origin`, so that it sees only its name."""
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        lines = [f"CONNECT {host}:{origin.port} HTTP/1.1", f"Host: {host}:{origin.port}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        channel.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
        answer = http.client.HTTPResponse(channel, method="CONNECT")  # type: ignore[arg-type]
        answer.begin()
        if answer.status != 200:
            raise NetworkError(
                f"The proxy {self.address[0]} refused to connect to {origin} ({answer.status}).",
                "Ask who runs it, or set network.proxies to false.",
            )


def _asked(
    request: Request, origin: Origin, channel: Channel, proxy: _Proxy | None
) -> http.client.HTTPResponse:
    """Write the request and read the answer's head."""
    parts = split_url(request.url)
    target = parts.path or "/"
    if parts.query:
        target = f"{target}?{parts.query}"
    headers = {
        "User-Agent": f"Commonplace/{__version__}",
        "Accept-Encoding": "identity",
        "Connection": "close",
        **request.headers,
    }
    if proxy is not None:
        target = f"{origin}{target}"
        headers.update(proxy.headers)
    connection = http.client.HTTPConnection(
        origin.host, None if origin.port == DEFAULT_PORTS[origin.scheme] else origin.port
    )
    connection.default_port = DEFAULT_PORTS[origin.scheme]
    connection.sock = channel
    connection.request(request.method, target, request.body, headers)
    return connection.getresponse()


def _followed(purpose: Purpose, request: Request, target: str) -> Request:
    """Return the request that a redirect to `target` asks for, if it may be followed."""
    before = Origin.of(request.url)
    url = urljoin(request.url, target)
    try:
        after = Origin.of(url)
    except UserError:
        raise NetworkError(
            f"{before} redirects to something that is no web address.", "Use another address."
        ) from None
    remedy = f"If {after} is where you want to go, name it as the address."
    if request.method not in {"GET", "HEAD"}:
        raise NetworkError(f"{before} redirects a request that carries data.", remedy)
    if after == before:
        return replace(request, url=url)
    if purpose is not Purpose.MODELS:
        raise NetworkError(f"{before} redirects to {after}, which was not allowed.", remedy)
    if after.scheme != "https":
        raise NetworkError(f"{before} redirects to {after}, which is not encrypted.", remedy)
    kept = {k: v for k, v in request.headers.items() if k.lower() in _HARMLESS}
    return replace(request, url=url, headers=kept)


@functools.cache
def _trust() -> ssl.SSLContext:
    """Return the system's trusted authorities; certificates are always checked."""
    return ssl.create_default_context()


def _told(origin: Origin, error: Exception) -> NetworkError:
    """Put what the operating system or the protocol said into words."""
    check = "Check the address and the network, then try again."
    if isinstance(error, ssl.SSLCertVerificationError):
        return NetworkError(
            f"{origin} could not prove who it is: {error.verify_message}.",
            "Somebody may be listening in, or the machine's clock or authorities are wrong.",
        )
    if isinstance(error, ssl.SSLError):
        return NetworkError(f"{origin} does not speak TLS as it should: {error.reason}.", check)
    if isinstance(error, socket.gaierror | UnicodeError):
        return ConnectionLostError(f"{origin} could not be found.", check)
    if isinstance(error, ConnectionRefusedError):
        return ConnectionLostError(f"Nothing answers at {origin}.", check)
    if isinstance(error, http.client.RemoteDisconnected):
        return ConnectionLostError(f"{origin} hung up before it answered.", check)
    if isinstance(error, http.client.HTTPException | ValueError):
        return NetworkError(f"{origin} did not answer in HTTP.", check)
    return ConnectionLostError(f"The connection to {origin} failed: {error}.", check)
