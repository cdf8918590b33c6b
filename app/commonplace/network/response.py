"""An answer from the network, read piece by piece and never more than was agreed."""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Self

from commonplace.errors import ConnectionLostError, NetworkError
from commonplace.network.channel import Channel
from commonplace.network.grants import Origin

PIECE = 1 << 16


class Response:
    """Status, headers and body of one answer; use it in a ``with`` statement.

    `headers` has lower-case names, `url` the address that answered in the end,
    after redirects, and `where` its origin, for messages. Every status is returned; none is raised.
    """

    def __init__(
        self, url: str, raw: http.client.HTTPResponse, channel: Channel, limit: int
    ) -> None:
        self.url = url
        self.status = raw.status
        self.headers = joined_headers(raw)
        self._raw = raw
        self._channel = channel
        self._limit = limit
        self.where = str(Origin.of(url))
        coding = self.headers.get("content-encoding", "identity").lower()
        if coding not in {"", "identity"}:
            self.close()
            raise NetworkError(
                f"{self.where} answered with {coding!r} compression, which was not asked for.",
                "Use another address.",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def length(self) -> int | None:
        """How many bytes the server announced, or None."""
        return self._raw.length

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it arrives, in pieces of at most 64 KiB.

        Raises `ConnectionLostError` if it ends too early or falls silent,
        `NetworkError` if it is longer than agreed, `CancelledError`.
        """
        announced = self.length
        total = 0
        while True:
            try:
                piece = self._raw.read1(PIECE)
            except (http.client.HTTPException, OSError) as error:
                raise ConnectionLostError(
                    f"The connection to {self.where} was lost after {total:,} bytes.", "Try again."
                ) from error
            if not piece:
                break
            total += len(piece)
            if total > self._limit:
                raise NetworkError(
                    f"{self.where} sent more than {self._limit:,} bytes.", "Use another address."
                )
            yield piece
        if announced is not None and total < announced:
            raise ConnectionLostError(
                f"The connection to {self.where} was lost after {total:,} of {announced:,} bytes.",
                "Try again.",
            )

    def read(self) -> bytes:
        """Return the whole body; raises as `pieces` does."""
        return b"".join(self.pieces())

    def close(self) -> None:
        """Close the connection; safe to repeat."""
        self._raw.close()
        self._channel.sock.close()


def joined_headers(raw: http.client.HTTPResponse) -> Mapping[str, str]:
    """Return the headers by lower-case name, repeated ones joined by commas."""
    headers: dict[str, str] = {}
    for name, value in raw.getheaders():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers
