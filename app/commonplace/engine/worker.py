"""The engine process: serves one model over the wire.

=================  ===================================  =======================
method             parameters                           result
=================  ===================================  =======================
``load``           ``path, options, rung``              `ModelInfo`
``count``          ``texts``                            ``{"counts": [n, …]}``
``tokens``         ``texts``                            ``{"texts": [Tokens, …]}``
``count_messages`` ``messages``                         ``{"tokens": n}``
``complete``       ``messages, sampling, conversation`` `Completion`
``keep``                                                ``{}``
``forget``         ``conversation``                     ``{}``
``judge``          ``text``                             `Judgement`
``score``          ``context, text``                    `Score`
``continue``       ``context, max_tokens, stop``        `Continuation`
``adapter``        ``path|null, sha256, scale, base``   `AdapterState`
``requantise``     ``path, target, kind``               ``{"bytes": n}``
``build``                                               ``{"devices", "features"}``
``status``                                              ``{"model": info|null}``
``unload``                                              ``{}``
=================  ===================================  =======================

While it loads, ``loading`` events carry ``{"fraction": 0…1, "offloads": bool,
"layers": n}``: whether layers can go on a graphics card, and how many of them do.
``complete`` streams ``{"text": …}``; cancelling it yields a result whose
``finish`` is ``"cancelled"``, unless it had not begun.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from commonplace.engine.types import (
    LoadOptions,
    Model,
    Sampling,
    messages_from_wire,
)
from commonplace.errors import CommonplaceError, EngineError, ProtocolError
from commonplace.processor import spin_briefly
from commonplace.wire.messages import Message as Params
from commonplace.wire.worker import Handler, Notify, Task, run_worker

log = logging.getLogger(__name__)

ROLE = "engine"
PROGRESS_STEP = 0.02
"""Events of progress are sent at most this often, as a fraction of the whole."""


Progress = Callable[[float, int], None]
"""Takes the fraction loaded, and the layers that go on a graphics card, -1 if none can."""


class OpenModel(Protocol):
    """Opens a model: llama.cpp's, or the fake."""

    def __call__(
        self,
        path: Path,
        options: LoadOptions,
        rung: str,
        on_progress: Progress,
        stopped: Callable[[], bool],
    ) -> Model:
        """Return a model that passed its self-test."""


class EngineHandlers:
    """The methods of the engine process. Called from one thread only."""

    def __init__(self, notify: Notify, open_model: OpenModel) -> None:
        self._notify = notify
        self._open = open_model
        self._model: Model | None = None

    def handlers(self) -> Mapping[str, Handler]:
        """Return the methods by name."""
        return {
            "load": self.load,
            "count": self.count,
            "tokens": self.tokens,
            "count_messages": self.count_messages,
            "complete": self.complete,
            "keep": self.keep,
            "forget": self.forget,
            "build": self.build,
            "judge": self.judge,
            "score": self.score,
            "use_threads": self.use_threads,
            "continue": self.continue_text,
            "adapter": self.adapter,
            "requantise": self.requantise,
            "status": self.status,
            "unload": self.unload,
        }

    def load(self, params: Params, task: Task) -> Params:
        """Load a model in place of the one before; healthy when it returns."""
        path = params.get("path")
        rung = params.get("rung", "as asked")
        if not isinstance(path, str) or not isinstance(rung, str):
            raise ProtocolError("load needs a path.")
        options = LoadOptions.from_wire(params.get("options", {}))
        self._unload()
        self._model = self._open(Path(path), options, rung, self._progress(), lambda: task.stopped)
        return self._model.info.to_wire()

    def count(self, params: Params, task: Task) -> Params:
        """Count the tokens of texts as content."""
        model = self._loaded()
        counts = []
        for text in _texts(params):
            task.check()
            counts.append(model.count(text))
        return {"counts": counts}

    def tokens(self, params: Params, task: Task) -> Params:
        """Split texts into tokens, as content."""
        model = self._loaded()
        split = []
        for text in _texts(params):
            task.check()
            split.append(model.tokens(text).to_wire())
        return {"texts": split}

    def count_messages(self, params: Params, _task: Task) -> Params:
        """Count the tokens of a whole prompt."""
        messages = messages_from_wire(params.get("messages"))
        return {"tokens": self._loaded().count_messages(messages)}

    def complete(self, params: Params, task: Task) -> Params:
        """Answer, streaming the text."""
        messages = messages_from_wire(params.get("messages"))
        sampling = Sampling.from_wire(params.get("sampling", {}))
        conversation = params.get("conversation", "")
        if not isinstance(conversation, str):
            raise ProtocolError("The name of a conversation is a text.")
        completion = self._loaded().complete(
            messages,
            sampling,
            lambda text: task.send({"text": text}),
            lambda: task.stopped,
            conversation,
        )
        return completion.to_wire()

    def keep(self, _params: Params, _task: Task) -> Params:
        """Save the state of the conversation answered last."""
        if self._model is not None:
            self._model.keep()
        return {}

    def forget(self, params: Params, _task: Task) -> Params:
        """Delete what is kept of a conversation, and do not keep it again."""
        conversation = params.get("conversation")
        if not isinstance(conversation, str):
            raise ProtocolError("forget needs a conversation.")
        if self._model is not None:
            self._model.forget(conversation)
        return {}

    def judge(self, params: Params, _task: Task) -> Params:
        """Measure how fast and how good the loaded model is."""
        text = params.get("text")
        if not isinstance(text, str):
            raise ProtocolError("judge needs a text.")
        return self._loaded().judge(text).to_wire()

    def score(self, params: Params, task: Task) -> Params:
        """Say how likely a text is behind another."""
        context, text = params.get("context"), params.get("text")
        if not isinstance(context, str) or not isinstance(text, str):
            raise ProtocolError("score needs a context and a text.")
        return self._loaded().score(context, text, lambda: task.stopped).to_wire()

    def use_threads(self, params: Params, _task: Task) -> Params:
        """Compute with another number of threads."""
        count = params.get("count")
        if type(count) is not int or count < 1:
            raise ProtocolError("use_threads needs a number of threads.")
        self._loaded().use_threads(count)
        return {}

    def continue_text(self, params: Params, task: Task) -> Params:
        """Write on from a text, without a chat template."""
        context, most, stop = (params.get(name) for name in ("context", "max_tokens", "stop"))
        if not isinstance(context, str) or type(most) is not int or most < 0:
            raise ProtocolError("continue needs a context and a number of tokens.")
        stops = _texts({"texts": [] if stop is None else stop})
        model = self._loaded()
        return model.continue_text(context, most, stops, lambda: task.stopped).to_wire()

    def adapter(self, params: Params, _task: Task) -> Params:
        """Put an adapter in place of any other, or take it away."""
        path, sha256, base = (params.get(name) for name in ("path", "sha256", "base"))
        scale = params.get("scale", 1.0)
        model = self._loaded()
        if path is None:
            return model.adapter(None, "", 1.0, "").to_wire()
        if not (isinstance(path, str) and isinstance(sha256, str) and isinstance(base, str)):
            raise ProtocolError("adapter needs a path, a checksum and a base.")
        if not isinstance(scale, int | float) or isinstance(scale, bool):
            raise ProtocolError("The scale of an adapter is a number.")
        return model.adapter(Path(path), sha256, float(scale), base).to_wire()

    def requantise(self, params: Params, _task: Task) -> Params:
        """Write a model that is there in another quantisation."""
        from commonplace.engine.requantise import requantise

        path, target, kind = (params.get(name) for name in ("path", "target", "kind"))
        if not (isinstance(path, str) and isinstance(target, str) and isinstance(kind, str)):
            raise ProtocolError("requantise needs a path, a target and a kind.")
        return {"bytes": requantise(Path(path), Path(target), kind)}

    def build(self, _params: Params, _task: Task) -> Params:
        """Say what this build of llama.cpp can compute on."""
        from commonplace.engine.ggml import built_devices, features

        return {"devices": [d.to_wire() for d in built_devices()], "features": features()}

    def status(self, _params: Params, _task: Task) -> Params:
        """Say what is loaded."""
        return {"model": None if self._model is None else self._model.info.to_wire()}

    def unload(self, _params: Params, _task: Task) -> Params:
        """Free the model's memory."""
        self._unload()
        return {}

    def _loaded(self) -> Model:
        if self._model is None:
            raise EngineError("No model is loaded.", "Choose a model in the settings.")
        return self._model

    def _unload(self) -> None:
        model, self._model = self._model, None
        if model is not None:
            model.close()

    def _progress(self) -> Progress:
        sent = -1.0

        def report(fraction: float, layers: int) -> None:
            nonlocal sent
            if fraction - sent >= PROGRESS_STEP or fraction >= 1.0 > sent:
                sent = fraction
                data = {"fraction": round(fraction, 3), "offloads": layers >= 0}
                self._notify("loading", {**data, "layers": max(layers, 0)})

        return report


def _texts(params: Params) -> Sequence[str]:
    texts = params.get("texts")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ProtocolError("This needs a list of texts.")
    return texts


def open_llama(
    path: Path,
    options: LoadOptions,
    rung: str,
    on_progress: Progress,
    stopped: Callable[[], bool],
) -> Model:
    """Check the header, make a plan that fits, load the model and test it.

    Raises `ModelError`, `EngineError` or `CancelledError`.
    """
    from commonplace.engine.devices import cards
    from commonplace.engine.fit import plan
    from commonplace.engine.gguf import read_header
    from commonplace.engine.options import ELSEWHERE

    if path == ELSEWHERE:
        return _open_remote(options, on_progress)
    header = read_header(path)
    # Loaded only now: a damaged file is named even where llama.cpp cannot start.
    from commonplace.engine.ggml import built_devices
    from commonplace.engine.model import LlamaModel

    devices = built_devices()
    planned = plan(header, options, devices)
    layers = planned.gpu_layers if cards(devices) else -1
    on_progress(0.0, layers)
    model = LlamaModel(
        header,
        options,
        planned,
        rung=rung,
        on_progress=lambda fraction: on_progress(fraction, layers),
        stopped=stopped,
    )
    try:
        model.self_test()
        model.check_template()
        model.tune()
    except CommonplaceError:
        model.close()
        raise
    return model


def _open_remote(options: LoadOptions, on_progress: Progress) -> Model:
    """Use somebody else's engine, through the door that the user opened."""
    from commonplace.engine.remote import RemoteModel
    from commonplace.network.door import Door
    from commonplace.network.grants import read_grants
    from commonplace.paths import StatePaths
    from commonplace.settings import load

    on_progress(0.0, -1)
    settings = load(StatePaths.from_environment().settings_file)
    granted = (*settings.network_allowed, *filter(None, [options.grant]))
    door = Door(read_grants(granted), proxies=settings.network_proxies)
    return RemoteModel(options, door)


def _become_first_victim() -> None:
    """Ask Linux to end this process, and not the window, if memory runs out."""
    try:
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    except OSError as error:
        log.debug("Out-of-memory score unchanged: %s", error)


def main() -> None:
    """Run the engine process; does not return."""

    def make(notify: Notify) -> Mapping[str, Handler]:
        _become_first_victim()
        spin_briefly()
        return EngineHandlers(notify, open_llama).handlers()

    run_worker(ROLE, make)
