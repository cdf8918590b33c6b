"""The parent's side of the wire, without any transport.

`Calls` numbers the requests, cuts what arrives into messages and hands each to
the call that waits for it. Whoever owns the pipe feeds it bytes and tells it
when the worker has died. It is used from one thread only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from commonplace.errors import CancelledError, CommonplaceError, ProtocolError, from_wire
from commonplace.wire.messages import PROTOCOL, LineBuffer, Message, decode, encode

OnMessage = Callable[[Message], None]
OnError = Callable[[CommonplaceError], None]

GRACE = 2.0
"""Seconds a worker may overrun a deadline before the parent stops waiting."""


@dataclass(slots=True)
class Call:
    """A request under way; exactly one of `on_result` and `on_error` is called."""

    number: int
    on_result: OnMessage
    on_error: OnError
    on_data: OnMessage | None
    expires: float | None


class Calls:
    """The requests that wait for one worker."""

    def __init__(
        self,
        send: Callable[[bytes], None],
        *,
        on_hello: OnMessage | None = None,
        on_event: Callable[[str, Message], None] | None = None,
    ) -> None:
        self._send = send
        self._on_hello = on_hello
        self._on_event = on_event
        self._lines = LineBuffer()
        self._waiting: dict[int, Call] = {}
        self._last = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def start(
        self,
        method: str,
        params: Message,
        *,
        on_result: OnMessage,
        on_error: OnError,
        on_data: OnMessage | None = None,
        deadline: float | None = None,
    ) -> Call:
        """Send a request; `deadline` is in seconds."""
        self._last += 1
        expires = None if deadline is None else time.monotonic() + deadline + GRACE
        call = Call(self._last, on_result, on_error, on_data, expires)
        self._waiting[call.number] = call
        message = {"id": call.number, "method": method, "params": params, "deadline": deadline}
        self._send(encode(message))
        return call

    def cancel(self, call: Call) -> None:
        """Ask the worker to stop `call`; its error or result still arrives."""
        if call.number in self._waiting:
            self._send(encode({"cancel": call.number}))

    def feed(self, data: bytes) -> None:
        """Dispatch what the worker wrote."""
        for line in self._lines.feed(data):
            self._dispatch(decode(line))

    def expire(self) -> None:
        """Give up on calls whose worker did not keep the deadline."""
        now = time.monotonic()
        for call in [c for c in self._waiting.values() if c.expires and c.expires < now]:
            self.cancel(call)
            del self._waiting[call.number]
            call.on_error(CancelledError("Took too long.", "Try again, or ask for less."))

    def fail(self, error: CommonplaceError) -> None:
        """End all calls with `error`: the worker is gone."""
        waiting, self._waiting = self._waiting, {}
        for call in waiting.values():
            call.on_error(error)

    def _dispatch(self, message: Message) -> None:
        if "hello" in message:
            if message.get("protocol") != PROTOCOL:
                raise ProtocolError(f"The worker speaks protocol {message.get('protocol')!r}.")
            if self._on_hello is not None:
                self._on_hello(message)
        elif "event" in message:
            if self._on_event is not None:
                self._on_event(str(message["event"]), message.get("data") or {})
        else:
            self._answer(message)

    def _answer(self, message: Message) -> None:
        call = self._waiting.get(message.get("id", 0))
        if call is None:
            return  # the answer of a call that was given up
        if "data" in message:
            if call.on_data is not None:
                call.on_data(message["data"])
            return
        del self._waiting[call.number]
        if "error" in message:
            call.on_error(from_wire(message["error"]))
        else:
            call.on_result(message.get("result") or {})
