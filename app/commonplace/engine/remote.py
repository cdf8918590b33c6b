"""Somebody else's engine in the place of ours: an OpenAI-compatible server.

llama.cpp's server, vLLM and Ollama speak the same few requests. All of them go
through the network's one door, to an address that the user allowed after being
told what would be sent there.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from commonplace.chat.messages import Message
from commonplace.engine.keys import api_key
from commonplace.engine.sse import events
from commonplace.engine.textstream import ThoughtFilter
from commonplace.engine.types import (
    AdapterState,
    Completion,
    Continuation,
    Finish,
    Judgement,
    LoadOptions,
    ModelInfo,
    Sampling,
    Score,
    Tokens,
    messages_to_wire,
)
from commonplace.errors import CancelledError, EngineError, ModelError
from commonplace.network.channel import Limits
from commonplace.network.door import Door, Request
from commonplace.network.grants import Purpose
from commonplace.network.response import Response

UNKNOWN_SIZE = 1_000_000_000
"""Parameters of a model that does not say: large enough not to be treated as tiny."""
BYTES_PER_TOKEN = 3
"""A cautious guess where a server cannot count for us; code has 3 to 4."""
TURN_TOKENS = 8
SHORT = Limits(connect=10.0, silence=20.0, total=30.0, body=8 << 20)
LONG = Limits(connect=10.0, silence=300.0, body=64 << 20)
NOTE = "Questions and passages are sent to {}, which answers in place of this machine."
GUESS_NOTE = "It cannot count tokens for us, so fewer passages are sent than might fit."
MOST_ERROR = 300


class RemoteModel:
    """The `Model` of a server; see `commonplace.engine.types.Model`."""

    def __init__(self, options: LoadOptions, door: Door, *, key: str | None = None) -> None:
        """Find out what the server offers. Raises as `Door.send` does, or `ModelError`."""
        self._base = options.endpoint.rstrip("/")
        self._door = door
        self._key = api_key(self._base) if key is None else key
        self._counts = True
        offered = self._offered()
        self._name = options.endpoint_model or next(iter(offered), "")
        if not self._name or (offered and self._name not in offered):
            known = ", ".join(list(offered)[:5]) or "none"
            raise ModelError(
                f"{self._base} does not offer the model {self._name!r}.",
                f"Set model.endpoint_model to one it offers: {known}.",
            )
        about = offered.get(self._name, {})
        meta = about.get("meta")
        meta = meta if isinstance(meta, Mapping) else {}
        sees = about.get("max_model_len") or meta.get("n_ctx") or meta.get("n_ctx_train")
        self._context = min(options.context, _natural(sees) or options.context)
        size = meta.get("n_params")
        self._parameters = size if type(size) is int and size > 0 else UNKNOWN_SIZE
        self.count("Does it count?")

    @property
    def info(self) -> ModelInfo:
        """What answers, and where."""
        notes = [NOTE.format(self._base), *([] if self._counts else [GUESS_NOTE])]
        return ModelInfo(
            name=self._name,
            path=self._base,
            architecture="remote",
            family="remote",
            parameters=self._parameters,
            context=self._context,
            quantisation="unknown",
            file_bytes=0,
            memory_bytes=0,
            backend="remote",
            rung="as asked",
            note=" ".join(notes),
            fit=f"The model runs at {self._base}.",
        )

    def count(self, text: str) -> int:
        """Return the tokens of `text`: the server's own count, or a cautious guess."""
        if self._counts:
            base = self._base.removesuffix("/v1")
            try:
                asked = {"content": text, "prompt": text, "model": self._name}
                with self._send(f"{base}/tokenize", asked, SHORT) as response:
                    told = _json(response) if response.status == 200 else {}
            except EngineError:
                told = {}
            tokens = told.get("tokens")
            if isinstance(tokens, list):
                return len(tokens)
            self._counts = False
        return math.ceil(len(text.encode()) / BYTES_PER_TOKEN)

    def tokens(self, text: str) -> Tokens:  # noqa: ARG002
        """Raise `EngineError`: servers do not tell how they split a text."""
        raise _only_here("say how it splits a text")

    def count_messages(self, messages: Sequence[Message]) -> int:
        """Return about how many tokens the whole prompt has."""
        return sum(self.count(message.content) + TURN_TOKENS for message in messages)

    def score(self, context: str, text: str, stopped: Callable[[], bool]) -> Score:  # noqa: ARG002
        """Raise `EngineError`: servers do not tell the likelihood of a text."""
        raise _only_here("score a text")

    def use_threads(self, count: int) -> None:  # noqa: ARG002
        """Raise `EngineError`: servers choose their threads."""
        raise _only_here("choose its threads")

    def continue_text(
        self,
        context: str,  # noqa: ARG002
        max_tokens: int,  # noqa: ARG002
        stop: Sequence[str],  # noqa: ARG002
        stopped: Callable[[], bool],  # noqa: ARG002
    ) -> Continuation:
        """Raise `EngineError`: servers are only asked for answers."""
        raise _only_here("go on from raw text")

    def adapter(
        self,
        path: Path | None,
        sha256: str,  # noqa: ARG002
        scale: float,  # noqa: ARG002
        base: str,  # noqa: ARG002
    ) -> AdapterState:
        """Raise `EngineError` unless an adapter is to be taken away: there is none."""
        if path is None:
            return AdapterState(active=False, ms=0.0)
        raise _only_here("use an adapter")

    def complete(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        on_text: Callable[[str], None],
        stopped: Callable[[], bool],
        conversation: str = "",  # noqa: ARG002 - the server keeps what it likes
    ) -> Completion:
        """Answer; raises `EngineError` for what the server refuses, and as the door does."""
        started = time.monotonic()
        asked: dict[str, Any] = {
            "model": self._name,
            "messages": messages_to_wire(messages),
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "seed": sampling.seed,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if sampling.grammar:
            asked["grammar"] = sampling.grammar
        stream = _Stream(on_text, started)
        try:
            with self._send(f"{self._base}/chat/completions", asked, LONG, stopped) as response:
                if response.status != 200:
                    raise self._refused(response)
                for event in events(response.pieces()):
                    stream.take(event)
        except CancelledError:
            stream.finish = "cancelled"
        else:
            if not stream.ended:
                raise EngineError(f"{self._base} ended its answer in the middle.", "Ask again.")
        return stream.completion()

    def keep(self) -> None:
        """Keep nothing: the server remembers what it likes."""

    def forget(self, conversation: str) -> None:
        """Forget nothing: nothing is kept here."""

    def judge(self, text: str) -> Judgement:  # noqa: ARG002
        """Refuse: what runs elsewhere is not measured here."""
        raise EngineError("A model that runs elsewhere is not measured.", "Choose one of your own.")

    def close(self) -> None:
        """Do nothing: there is no memory to free here."""

    def _offered(self) -> dict[str, Mapping[str, Any]]:
        with self._send(f"{self._base}/models", None, SHORT) as response:
            if response.status != 200:
                error = self._refused(response)
                raise ModelError(error.message, error.remedy)
            data = _json(response).get("data")
        return {str(item["id"]): item for item in _list(data) if isinstance(item.get("id"), str)}

    def _send(
        self,
        url: str,
        body: Mapping[str, Any] | None,
        limits: Limits,
        stop: Callable[[], bool] | None = None,
    ) -> Response:
        headers = {"Accept": "application/json, text/event-stream"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        if body is None:
            request = Request(url, headers=headers)
        else:
            headers["Content-Type"] = "application/json"
            request = Request(url, "POST", headers, json.dumps(body).encode())
        return self._door.send(Purpose.ENDPOINT, request, limits=limits, stop=stop)

    def _refused(self, response: Response) -> EngineError:
        try:
            told = _json(response)
        except EngineError:
            told = {}
        said = _error_text(told) or f"status {response.status}"
        remedy = {
            401: "Give it a key: 'commonplace engine key', or the variable COMMONPLACE_API_KEY.",
            403: "Its key does not allow this; ask who runs it.",
            404: "Check the address (it usually ends in /v1) and model.endpoint_model.",
            429: "It is busy, or your share is used up; try again later.",
        }.get(response.status, "Try again later, or choose a model of your own.")
        return EngineError(f"{self._base} refused: {said}", remedy)


class _Stream:
    """One answer as it streams in."""

    def __init__(self, on_text: Callable[[str], None], started: float) -> None:
        self._on_text = on_text
        self._started = started
        self._thoughts = ThoughtFilter()
        self._aside: list[str] = []
        self._written: list[str] = []
        self._first = 0.0
        self._pieces = 0
        self._usage: Mapping[str, Any] = {}
        self.finish: Finish = "stop"
        self.ended = False

    def take(self, event: str) -> None:
        """Take in one event; raises `EngineError` if it tells of one."""
        if event == "[DONE]":
            self.ended = True
            return
        try:
            data = json.loads(event)
        except (ValueError, RecursionError) as error:
            raise EngineError(
                "The server's answer is not what it should be.", "Is it OpenAI-compatible?"
            ) from error
        if not isinstance(data, Mapping):
            return
        if data.get("error"):
            raise EngineError(f"The server failed: {_error_text(data)}", "Ask again.")
        if isinstance(data.get("usage"), Mapping):
            self._usage = data["usage"]
        for choice in _list(data.get("choices")):
            delta = choice.get("delta")
            if isinstance(delta, Mapping):
                self._hear(delta)
            if choice.get("finish_reason") is not None:
                self.ended = True
                self.finish = "length" if choice["finish_reason"] == "length" else "stop"

    def completion(self) -> Completion:
        """Return what was written, once no more comes."""
        self._emit(self._thoughts.flush())
        return Completion(
            text="".join(self._written),
            finish=self.finish,
            prompt_tokens=_natural(self._usage.get("prompt_tokens")),
            reused_tokens=_natural(_cached(self._usage)),
            completion_tokens=_natural(self._usage.get("completion_tokens")) or self._pieces,
            first_token_ms=self._first,
            total_ms=self._since(),
            thought="".join(self._aside) or self._thoughts.thought,
        )

    def _hear(self, delta: Mapping[str, Any]) -> None:
        aside, text = delta.get("reasoning_content"), delta.get("content")
        if isinstance(aside, str):
            self._aside.append(aside)
        if isinstance(text, str) and text:
            self._first = self._first or self._since()
            self._pieces += 1
            self._emit(self._thoughts.feed(text))

    def _emit(self, text: str) -> None:
        if text:
            self._written.append(text)
            self._on_text(text)

    def _since(self) -> float:
        return round((time.monotonic() - self._started) * 1000, 1)


def _only_here(what: str) -> EngineError:
    return EngineError(
        f"A model on a server cannot {what}.", "Load a model that is on this machine."
    )


def _json(response: Response) -> Mapping[str, Any]:
    try:
        data = json.loads(response.read())
    except (ValueError, RecursionError) as error:
        raise EngineError(
            f"{response.where} does not answer in JSON.", "Check that the address ends in /v1."
        ) from error
    return data if isinstance(data, Mapping) else {}


def _error_text(data: Mapping[str, Any]) -> str:
    """Return what a server says of an error, in one bounded line."""
    error = data.get("error", data.get("message", ""))
    text = error.get("message", "") if isinstance(error, Mapping) else error
    line = " ".join(str(text).split())
    return "".join(c for c in line if c.isprintable())[:MOST_ERROR]


def _list(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, Mapping))


def _cached(usage: Mapping[str, Any]) -> object:
    details = usage.get("prompt_tokens_details")
    return details.get("cached_tokens") if isinstance(details, Mapping) else 0


def _natural(value: object) -> int:
    return value if type(value) is int and value >= 0 else 0
