"""A loaded model that answers: llama.cpp, a chat template and a self-test."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from commonplace import __version__
from commonplace.chat.messages import Message
from commonplace.engine import adapters, scoring
from commonplace.engine.fit import Plan
from commonplace.engine.gguf import Header
from commonplace.engine.identity import build_id, model_id
from commonplace.engine.ladder import WrongResultsError
from commonplace.engine.llama import Llama, common
from commonplace.engine.loops import LoopGuard
from commonplace.engine.measuring import TEXT, Measurer
from commonplace.engine.reference import agreed_family
from commonplace.engine.remembered import Remembered
from commonplace.engine.states import StateFolder, forget
from commonplace.engine.templates import (
    FAMILIES,
    FORGEABLE_NOTE,
    PLAIN,
    PLAIN_NOTE,
    Family,
    detect_family,
    joined,
    render,
)
from commonplace.engine.textstream import TextStream, ThoughtFilter
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
)
from commonplace.engine.writing import Writer
from commonplace.errors import CommonplaceError, EngineError, ModelError

log = logging.getLogger(__name__)

TEST_TOKENS = 16
KEEP_TOKENS = 256
"""Fewer tokens than this are read again sooner than their state is loaded."""
WORTH_LOADING = 64
"""Tokens that a kept state must save beyond what is live."""
SMALL_MODEL = 1_000_000_000
"""Models below this many parameters fall into loops, which are broken up."""
SMALL_NOTE = (
    "With {:,.0f} million parameters this model writes short, simple answers and often errs: "
    "trust the passages. A coder model of 1.5 billion or more reads them far better."
)


class LlamaModel:
    """The `Model` of llama.cpp; see `commonplace.engine.types.Model`."""

    def __init__(
        self,
        header: Header,
        options: LoadOptions,
        plan: Plan,
        *,
        rung: str = "as asked",
        on_progress: Callable[[float], None] = lambda _fraction: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """Load the model of `header` as `plan` says; raises as `Llama` does."""
        self._header = header
        self._options = options
        self._plan = plan
        self._rung = rung
        self._llama = Llama(header.path, options, plan, on_progress=on_progress, stopped=stopped)
        self._family = detect_family(header.chat_template, header.architecture)
        self._stops = tuple(dict.fromkeys((*self._family.stops, *self._llama.marks())))
        self._notes: list[str] = []
        self._conversation = ""
        self._changed = False
        self._ahead = 0
        self._measurer = Measurer(self._llama, options, plan.batch)
        self._identity = model_id(header.path)
        self._use: adapters.Use | None = None
        self._tried: set[adapters.Use] = set()  # made sense, as long as it is loaded
        self._key = f"{self._identity} {build_id()} {plan.kv_type} {plan.gpu_layers}"
        folder = Path(options.cache) / "states"
        kept = bool(options.cache) and options.states_mb > 0
        self._states = StateFolder(folder, self._key, options.states_mb << 20) if kept else None

    @property
    def info(self) -> ModelInfo:
        """What is loaded, and how."""
        header, plan = self._header, self._plan
        return ModelInfo(
            name=header.path.stem,
            path=str(header.path),
            architecture=header.architecture,
            family=self._family.name,
            parameters=header.parameters,
            context=self._llama.context,
            quantisation=header.quantisation,
            file_bytes=header.file_bytes,
            memory_bytes=plan.memory,
            backend="GPU" if plan.gpu_layers else "CPU",
            rung=self._rung,
            note=self._note(),
            threads=self._llama.threads,
            batch=self._llama.batch,
            gpu_layers=plan.gpu_layers,
            layers=header.block_count,
            kv_type=plan.kv_type,
            fit=plan.sentence,
        )

    @property
    def family(self) -> Family:
        """How turns are marked."""
        return self._family

    def check_template(self) -> None:
        """Compare our turn marks with the model's own template, or take what came of it before.

        A template that another family of ours renders alike moves the model to
        that family; one that none does leaves a note.
        """
        template = self._header.chat_template
        if not template:
            return
        cache = Remembered(Path(self._options.cache) / "templates.json")
        key = hashlib.sha256(f"{__version__} {self._family.name} {template}".encode()).hexdigest()
        known = cache.get(key) if self._options.cache else {}
        family = next((f for f in (*FAMILIES, PLAIN) if f.name == known.get("family")), None)
        note = str(known.get("note", ""))
        if family is None:
            bos, eos = self._llama.ends_named()
            family, note = agreed_family(self._family, template, self._same, bos=bos, eos=eos)
            if self._options.cache:
                cache.put(key, {"family": family.name, "note": note})
        self._family = family
        self._stops = tuple(dict.fromkeys((*family.stops, *self._llama.marks())))
        self._notes = [note] if note else []

    def close(self) -> None:
        """Free the model's memory; safe to repeat."""
        self._llama.close()

    def self_test(self) -> None:
        """Evaluate sixteen tokens and draw one; raises `EngineError` for nonsense.

        A faulty processor path dies in its first batch of several tokens: it
        does so here, before anyone was told that the engine is healthy.
        """
        if not self._makes_sense(TEST_TOKENS):
            raise WrongResultsError(
                "The model computes nonsense with this setting.", "Choose another model file."
            )
        with self._llama.drawing(Sampling(temperature=0.0), break_loops=False) as draw:
            draw(-1)
        self._llama.rewind([])

    def _makes_sense(self, count: int) -> bool:
        """Evaluate `count` tokens and say whether the scores after them are usable."""
        tokens = (self._llama.tokens(TEXT) * count)[:count]
        if not tokens:
            raise ModelError("The model has an empty vocabulary.", "Choose another model.")
        self._llama.rewind([])
        self._llama.evaluate(tokens, lambda: False)
        return self._llama.makes_sense()

    def tune(self) -> None:
        """Choose threads, batch and foretelling by a short trial; see `measuring`."""
        self._ahead = self._measurer.tune(self._key).ahead

    def count(self, text: str) -> int:
        """Return the tokens of `text` as content."""
        return len(self._llama.tokens(text))

    def tokens(self, text: str) -> Tokens:
        """Split `text` as content."""
        ids = tuple(self._llama.tokens(text))
        sizes = tuple(len(self._llama.bytes_of(token)) for token in ids)
        return Tokens(ids, sizes, tuple(self._llama.beginning()))

    def count_messages(self, messages: Sequence[Message]) -> int:
        """Return the tokens of the whole prompt made from `messages`."""
        return len(self._prompt(messages))

    def complete(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        on_text: Callable[[str], None],
        stopped: Callable[[], bool],
        conversation: str = "",
    ) -> Completion:
        """Answer; raises `EngineError` if the prompt and the answer do not fit."""
        started = time.monotonic()
        prompt = self._prompt(messages)
        self._check_room(len(prompt), sampling.max_tokens)
        self._turn_to(conversation, prompt)
        reused = self._llama.rewind(prompt)
        self._changed = True
        stream = TextStream(self._stops)
        thoughts = ThoughtFilter(opened=self._family.opening.rstrip().endswith("<think>"))
        written: list[str] = []
        first = 0.0
        drawn = 0

        def emit(text: str) -> None:
            if text:
                written.append(text)
                on_text(text)

        def heard(text: str) -> None:
            if text:
                emit(thoughts.feed(text))

        finish: Finish = "length"
        # A grammar gives the form already, and a copy repeats rightly.
        free = not (sampling.repeat_penalty or sampling.grammar or sampling.copies)
        small = free and self._header.parameters < SMALL_MODEL
        guard = LoopGuard() if small else None
        ahead = self._ahead if sampling.copies else 0
        with self._llama.drawing(sampling, break_loops=small) as draw:
            writer = Writer(self._llama, draw, prompt, prompt[reused:], ahead=ahead)
            while drawn < sampling.max_tokens:
                token = writer.next(stopped, sampling.max_tokens - drawn)
                if token is None:
                    finish = "cancelled"
                    break
                first = first or _since(started)
                drawn += 1
                ended = self._llama.ends(token)
                if not ended:
                    heard(stream.feed(self._llama.bytes_of(token)))
                if ended or stream.stopped:
                    finish = "stop"
                    break
                if guard is not None and guard.circles(token):
                    finish = "repeated"
                    break
            writer.close()
        heard(stream.flush())
        emit(thoughts.flush())
        text, total = "".join(written), _since(started)
        return Completion(text, finish, len(prompt), reused, drawn, first, total, thoughts.thought)

    def keep(self) -> None:
        """Save the state of the conversation answered last, if it has a name."""
        if not (self._states and self._conversation and self._changed) or self._use:
            return  # a state holds what these weights made of the text, so none with an adapter
        if len(self._llama.live) < KEEP_TOKENS:
            return
        state = self._llama.state()
        if state is not None and self._states.save(self._conversation, state):
            self._changed = False

    def judge(self, text: str) -> Judgement:
        """Measure speed, and the surprise at `text`; raises `ModelError` for too little."""
        self._leave()
        return self._measurer.judge(text)

    def score(self, context: str, text: str, stopped: Callable[[], bool]) -> Score:
        """Say how likely `text` is behind `context`; see `scoring.score`."""
        self._leave()
        return scoring.score(self._llama, context, text, stopped)

    def use_threads(self, count: int) -> None:
        """Compute with `count` threads from now on, instead of what was found fastest."""
        self._llama.use_threads(count)

    def continue_text(
        self, context: str, max_tokens: int, stop: Sequence[str], stopped: Callable[[], bool]
    ) -> Continuation:
        """Write on from `context`, greedily; see `scoring.continue_text`."""
        self._leave()
        return scoring.continue_text(self._llama, context, max_tokens, stop, stopped)

    def adapter(self, path: Path | None, sha256: str, scale: float, base: str) -> AdapterState:
        """Put an adapter in place or take it away; raises `ModelError` without one in place."""
        started = time.monotonic()
        if path is None:
            self._take_away()
            return AdapterState(active=False, ms=_since(started))
        use = adapters.Use(sha256.lower(), scale)
        try:
            adapters.checked_scale(scale)
            adapters.check_base(path.name, base, self._identity)
            self._put(path, use)
        except CommonplaceError:
            self._take_away()
            self._llama.adapters.drop(use.sha256)
            raise
        return AdapterState(active=True, ms=_since(started))

    def _put(self, path: Path, use: adapters.Use) -> None:
        """Put the adapter at `path` in place, with what checks its bytes have not passed yet."""
        held, header = self._llama.adapters, self._header
        data = adapters.verified_bytes(path, use.sha256)
        if use.sha256 not in held:
            self._tried = {tried for tried in self._tried if tried.sha256 in held}
            adapters.check_bytes(
                data, path.name, header.architecture, self._identity, header.tensors
            )
            held.load(use.sha256, path.name, data)
        if use != self._use:
            self._leave()
            self._use = use
            self._llama.use_adapter(use.sha256, use.scale)
            if use not in self._tried:
                self._try(path.name)
                self._tried.add(use)

    def _try(self, name: str) -> None:
        """Evaluate a token with the adapter in place, and take it back."""
        if not self._makes_sense(1):
            raise ModelError(f"{name} makes the model compute nonsense.", "Discard it.")
        if not self._llama.cut(1):
            self._llama.rewind([])

    def forget(self, conversation: str) -> None:
        """Delete what is kept of `conversation`, and do not keep it again."""
        if conversation == self._conversation:
            self._conversation = ""
            self._llama.rewind([])
        if self._states is not None:
            forget(self._states.folder, conversation)

    def _leave(self) -> None:
        """Save the conversation that is live; what is read next belongs to none."""
        self.keep()
        self._conversation = ""

    def _take_away(self) -> None:
        """Go on without an adapter, and without anything that was read with it."""
        self._leave()
        self._llama.use_adapter(None, 0.0)
        self._use = None

    def _turn_to(self, conversation: str, prompt: list[int]) -> None:
        """Let the live sequence be that of `conversation`, from disk if that saves reading."""
        if conversation == self._conversation and self._llama.live:
            return
        self.keep()
        self._conversation = conversation
        if self._states is None or not conversation or self._use:
            return
        kept = common(self._states.tokens(conversation), prompt)
        if kept < common(self._llama.live, prompt) + WORTH_LOADING:
            return
        state = self._states.load(conversation)
        if state is not None and not self._llama.restore(state):
            log.warning("llama.cpp did not take a state back.")

    def _prompt(self, messages: Sequence[Message]) -> list[int]:
        tokens = self._llama.beginning()
        return tokens + self._turns(self._family, messages)

    def _turns(self, family: Family, messages: Sequence[Message]) -> list[int]:
        tokens: list[int] = []
        for text, special in joined(render(family, messages)):
            tokens += self._llama.tokens(text, special=special)
        return tokens

    def _same(self, family: Family, messages: Sequence[Message], reference: str) -> bool:
        """Whether `family` makes the very tokens that `reference` consists of."""
        return self._turns(family, messages) == self._llama.tokens(reference, special=True)

    def _check_room(self, prompt: int, answer: int) -> None:
        room = self._llama.context
        if prompt + answer > room:
            raise EngineError(
                f"The question takes {prompt:,} tokens and the answer may take {answer:,}; "
                f"together that is more than the {room:,} this model sees at once.",
                "Ask with fewer or shorter passages, allow a shorter answer, "
                "or raise model.context if the model and the memory allow it.",
            )

    def _note(self) -> str:
        notes = list(self._notes)
        if self._family is PLAIN:
            notes.append(PLAIN_NOTE)
        elif any(len(self._llama.tokens(m, special=True)) != 1 for m in self._family.marks):
            notes.append(FORGEABLE_NOTE)
        if self._header.context_length < self._options.context:
            notes.append(f"This model sees {self._llama.context:,} tokens at once and no more.")
        if self._header.parameters < SMALL_MODEL:
            notes.append(SMALL_NOTE.format(self._header.parameters / 1e6))
        return " ".join(notes)


def _since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)
