"""The values the engine shares with its callers; importable without llama.cpp.

Each crosses the wire as a plain dictionary: `to_wire` makes one and
`from_wire` checks one. A dictionary of the wrong shape is a defect of ours and
raises `ProtocolError`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, Self, get_args, get_origin, get_type_hints

from commonplace.chat.messages import ROLES, Message
from commonplace.errors import ProtocolError

Finish = Literal["stop", "length", "repeated", "cancelled"]
"""Why an answer ended: by itself, at its token limit, because a small model
went round in circles, or because it was stopped."""


KvType = Literal["f16", "q8_0", "q4_0"]
"""How keys and values are kept: 16, 8.5 or 4.5 bits each."""
KvChoice = Literal["auto", "f16", "q8_0", "q4_0"]


class Wired:
    """Gives a frozen dataclass of plain values its two ways over the wire."""

    def to_wire(self) -> dict[str, Any]:
        """Return the fields as a dictionary for JSON."""
        return dataclasses.asdict(self)  # type: ignore[call-overload, no-any-return]

    @classmethod
    def from_wire(cls, data: object) -> Self:
        """Rebuild the value; unknown keys and wrong types raise `ProtocolError`."""
        if not isinstance(data, Mapping):
            raise ProtocolError(f"{cls.__name__} is not an object: {data!r}.")
        hints = get_type_hints(cls)
        known = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        if unknown := sorted(set(data) - known):
            raise ProtocolError(f"{cls.__name__} has no {', '.join(map(str, unknown))}.")
        values = {name: _checked(cls, name, hints[name], value) for name, value in data.items()}
        try:
            return cls(**values)
        except TypeError as error:
            raise ProtocolError(f"{cls.__name__} is not complete: {error}.") from error


def _checked(cls: type, name: str, hint: Any, value: Any) -> Any:
    if get_origin(hint) is Literal:
        good = value in get_args(hint)
    elif hint is float:
        good = isinstance(value, int | float) and not isinstance(value, bool)
        value = float(value) if good else value
    else:
        good = type(value) is hint
    if not good:
        raise ProtocolError(f"{cls.__name__}.{name} is {value!r}.")
    return value


@dataclass(frozen=True, slots=True)
class LoadOptions(Wired):
    """How a model is loaded.

    `context` is in tokens. `gpu_layers` -1 places as many layers on a graphics
    card as fit, if this build can. `threads` and `batch` (tokens read at once)
    0 are chosen by a short measurement. `repack` lets llama.cpp rearrange
    weights for this processor, which is faster. `kv_type` is how keys and
    values are kept. `cache` is the folder in which the engine remembers what it
    measured and keeps the states of conversations, of `states_mb` MiB at most;
    empty for none. With an `endpoint`, the address of somebody else's engine,
    no file is loaded: `endpoint_model` answers there, or the first it offers. A
    `grant` is one that the user gave for this run alone, beside those of the settings.
    """

    context: int = 4096
    gpu_layers: int = -1
    threads: int = 0
    repack: bool = True
    kv_type: KvChoice = "auto"
    batch: int = 0
    cache: str = ""
    states_mb: int = 2048
    endpoint: str = ""
    endpoint_model: str = ""
    grant: str = ""


@dataclass(frozen=True, slots=True)
class ModelInfo(Wired):
    """A model that is loaded and passed its self-test.

    `context` is in tokens, the sizes are in bytes. `rung` names the setting of
    the ladder it runs on; `note` tells the user what they should know, or is
    empty. `gpu_layers` of its `layers` are on a graphics card, `batch` tokens
    are read at once, and `fit` explains in one sentence why it runs like this.
    """

    name: str
    path: str
    architecture: str
    family: str
    parameters: int
    context: int
    quantisation: str
    file_bytes: int
    memory_bytes: int
    backend: str
    rung: str
    note: str
    threads: int = 0
    batch: int = 0
    gpu_layers: int = 0
    layers: int = 0
    kv_type: KvType = "f16"
    fit: str = ""


@dataclass(frozen=True, slots=True)
class Sampling(Wired):
    """How an answer is drawn.

    Temperature 0 always takes the likeliest token. A `repeat_penalty` above 1
    divides the score of tokens among the answer's last 256, which spoils code;
    1 leaves all scores alone, and 0 breaks up long verbatim loops where the
    model is so small that it falls into them.
    A `grammar` in GBNF (see `grammars`) makes every answer one that it describes.
    `copies` says that much of the answer will repeat the prompt, as an edit of
    code does: it is then written several tokens at once where that is faster.
    """

    max_tokens: int = 512
    temperature: float = 0.2
    seed: int = 0
    repeat_penalty: float = 0.0
    grammar: str = ""
    copies: bool = False


@dataclass(frozen=True, slots=True)
class Completion(Wired):
    """An answer and what it took; times are in milliseconds from the request.

    `reused_tokens` of the `prompt_tokens` were still in memory from the
    question before, or came back from disk. `first_token_ms` is 0 if there was
    none. `thought` is what the model wrote for itself before the answer.
    """

    text: str
    finish: Finish
    prompt_tokens: int
    reused_tokens: int
    completion_tokens: int
    first_token_ms: float
    total_ms: float
    thought: str = ""


@dataclass(frozen=True, slots=True)
class Judgement(Wired):
    """How fast and how good a loaded model is: tokens a second, nats a token."""

    read_speed: float
    write_speed: float
    loss: float


@dataclass(frozen=True, slots=True)
class Score:
    """How much a loaded model is surprised by a text.

    `tokens` are the ids of the text, `nll` the negative log-likelihood of each
    in nats, given all before it; both have the same length.
    """

    tokens: tuple[int, ...]
    nll: tuple[float, ...]

    def to_wire(self) -> dict[str, Any]:
        """Return the fields as a dictionary for JSON."""
        return {"tokens": list(self.tokens), "nll": list(self.nll)}

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild the value; anything else raises `ProtocolError`."""
        tokens, nll = data.get("tokens"), data.get("nll")
        if not isinstance(tokens, list) or not isinstance(nll, list) or len(tokens) != len(nll):
            raise ProtocolError(f"Not a score: {data!r:.80}.")
        if not all(type(token) is int for token in tokens):
            raise ProtocolError(f"Not tokens: {tokens!r:.80}.")
        if not all(isinstance(value, int | float) for value in nll):
            raise ProtocolError(f"Not likelihoods: {nll!r:.80}.")
        return cls(tuple(tokens), tuple(map(float, nll)))


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text as a model splits it.

    `ids` are its tokens and `sizes` how many bytes of UTF-8 each writes; `beginning` is
    what this model wants before every text, one token or none.
    """

    ids: tuple[int, ...]
    sizes: tuple[int, ...]
    beginning: tuple[int, ...] = ()

    def to_wire(self) -> dict[str, Any]:
        """Return the fields as a dictionary for JSON."""
        return {name: list(getattr(self, name)) for name in ("ids", "sizes", "beginning")}

    @classmethod
    def from_wire(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild the value; anything else raises `ProtocolError`."""
        lists = [data.get(name) for name in ("ids", "sizes", "beginning")]
        for values in lists:
            if not isinstance(values, list) or not all(type(value) is int for value in values):
                raise ProtocolError(f"Not tokens: {data!r:.80}.")
        ids, sizes, beginning = (tuple(values or ()) for values in lists)
        if len(ids) != len(sizes):
            raise ProtocolError(f"Not tokens: {data!r:.80}.")
        return cls(ids, sizes, beginning)


@dataclass(frozen=True, slots=True)
class Continuation(Wired):
    """A text that goes on from another, how many tokens were drawn, and why it ended."""

    text: str
    tokens: int
    finish: Finish


@dataclass(frozen=True, slots=True)
class AdapterState(Wired):
    """Whether an adapter is in place, and the milliseconds that putting it there took."""

    active: bool
    ms: float


def messages_to_wire(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Return `messages` as a list for JSON."""
    return [{"role": message.role, "content": message.content} for message in messages]


def messages_from_wire(data: object) -> list[Message]:
    """Rebuild messages; raises `ProtocolError` for anything else."""
    if not isinstance(data, list):
        raise ProtocolError(f"Messages are not a list: {data!r:.80}.")
    messages = []
    for item in data:
        role = item.get("role") if isinstance(item, Mapping) else None
        content = item.get("content") if isinstance(item, Mapping) else None
        if role not in ROLES or not isinstance(content, str):
            raise ProtocolError(f"Not a message: {item!r:.80}.")
        messages.append(Message(role, content))
    return messages


class Model(Protocol):
    """A loaded model as the worker serves it: llama.cpp's, or the fake."""

    @property
    def info(self) -> ModelInfo:
        """What is loaded, and how."""

    def count(self, text: str) -> int:
        """Return the tokens of `text` as content: turn marks in it are text."""

    def tokens(self, text: str) -> Tokens:
        """Split `text` as content; raises `EngineError` where that is not known."""

    def count_messages(self, messages: Sequence[Message]) -> int:
        """Return the tokens of the whole prompt made from `messages`."""

    def complete(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        on_text: Callable[[str], None],
        stopped: Callable[[], bool],
        conversation: str = "",
    ) -> Completion:
        """Answer; `on_text` gets each piece and `stopped` is asked often.

        `conversation` names what the answer belongs to, so that its state can
        be kept. Raises `EngineError` if the prompt and the answer do not fit.
        """

    def keep(self) -> None:
        """Save the state of the conversation answered last, if it has a name."""

    def judge(self, text: str) -> Judgement:
        """Measure speed, and the surprise at `text`."""

    def score(self, context: str, text: str, stopped: Callable[[], bool]) -> Score:
        """Say how likely `text` is behind `context`; both are raw text, without a template.

        Each is split into tokens by itself, turn marks in them are text, and the
        token that this model wants before every text comes first. Something must
        stand before `text`: that token, or a context. Raises `EngineError` where
        nothing does or all together is more than the model sees, and
        `CancelledError` once `stopped` says yes.
        """

    def use_threads(self, count: int) -> None:
        """Compute with `count` threads from now on, instead of what was found fastest."""

    def continue_text(
        self, context: str, max_tokens: int, stop: Sequence[str], stopped: Callable[[], bool]
    ) -> Continuation:
        """Write on from `context`, always the likeliest token; raw text as for `score`.

        Ends before the first of the strings of `stop`. Raises `EngineError` if it
        does not fit.
        """

    def adapter(self, path: Path | None, sha256: str, scale: float, base: str) -> AdapterState:
        """Put the LoRA adapter at `path` in place of any other, or with None take it away.

        `sha256` is what the file must have, in hexadecimal, `scale` multiplies its
        effect, and `base` is the identity (`identity.model_id`) of the model that it
        was made for. What was read before is forgotten whenever the weights change.
        Raises `ModelError` for a file that is none of this; the model then goes on
        without an adapter.
        """

    def forget(self, conversation: str) -> None:
        """Delete what is kept of `conversation`, and do not keep it again."""

    def close(self) -> None:
        """Free the model's memory."""


class Engine(Protocol):
    """A blocking engine as callers see it: `EngineSession`, or `FakeEngine`."""

    def load(self, path: Path) -> ModelInfo:
        """Load the model at `path`; raises `ModelError` or `EngineError`."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text as content."""

    def count_messages(self, messages: Sequence[Message]) -> int:
        """Return the tokens of the whole prompt made from `messages`."""

    def complete(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        on_text: Callable[[str], None] | None = None,
        stop: Callable[[], bool] | None = None,
        conversation: str = "",
    ) -> Completion:
        """Answer; once `stop` says yes the completion is ``"cancelled"``."""

    def close(self) -> None:
        """End the engine."""
