"""From a question to a cited answer, as a generator of steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

from commonplace.chat.citations import Citation, Sentence, citations_of, sentences_of
from commonplace.chat.prompt import (
    SYSTEM,
    SYSTEM_SMALL,
    TURN_OVERHEAD,
    Block,
    Offered,
    Prompt,
    Turn,
    assemble,
    earlier,
    passage_text,
    pointer_text,
    question_text,
    shortened,
    whole_text,
)
from commonplace.chat.standing import standing_blocks, standing_texts
from commonplace.chat.steps import Complete, Completed, Counts, CountTokens, Reply, Search, Step
from commonplace.edits.grammar import passage_edits_grammar
from commonplace.errors import QuestionError
from commonplace.recall.passages import Found, Passage
from commonplace.settings import Settings
from commonplace.words import said

Clock = Callable[[], float]
SMALL_MODEL = 1_000_000_000
SMALL_PASSAGES = 450
SMALL_ANSWER = 200
SMALL_EDIT = 8
"""New lines of an edit by a small model."""
CHARACTERS_PER_TOKEN = 2.5
"""A cautious guess for code; the tokens themselves are counted afterwards."""
NOTES = {
    "length": said("The answer reached its longest length; answer.max_tokens allows more."),
    "repeated": said("The model began to repeat itself and was stopped."),
    "cancelled": said("You stopped this answer."),
}
NO_MODEL = "No model is loaded, so here is what the project itself says:"
NOTHING_FOUND = "Nothing in this project matches the question."


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """How to answer. `context` is what the model sees at once, in tokens.

    An empty `model` means that there is none: the passages are the answer. A
    `small` model gets plainer instructions. With `edits` the answer is a change
    of the files that were read, in a form that can be reviewed.
    """

    model: str = ""
    context: int = 4096
    passages: int = 6
    passage_tokens: int = 1500
    max_tokens: int = 512
    temperature: float = 0.2
    small: bool = False
    edits: bool = False

    @classmethod
    def chosen(cls, settings: Settings) -> AnswerOptions:
        """Return the options the user chose, for answers without a model."""
        return cls(
            context=settings.model_context,
            passages=settings.answer_passages,
            passage_tokens=settings.answer_passage_tokens,
            max_tokens=settings.answer_max_tokens,
            temperature=settings.answer_temperature,
        )

    def for_model(self, name: str, context: int, parameters: int) -> AnswerOptions:
        """Return these options for a loaded model.

        A small model drowns in long prompts and long answers: it reads fewer
        tokens of code and writes a short answer.
        """
        small = parameters < SMALL_MODEL
        return replace(
            self,
            model=name,
            context=context,
            small=small,
            passage_tokens=min(self.passage_tokens, SMALL_PASSAGES if small else context),
            max_tokens=min(self.max_tokens, SMALL_ANSWER if small else context // 2),
        )


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds since the question was asked, and tokens."""

    recall_ms: float
    first_token_ms: float
    total_ms: float
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with everything it rests on.

    `passages` are all that recall found, those of the prompt first, so that
    ``[n]`` is ``passages[n - 1]``; `prompt` is None without a model.
    """

    text: str
    citations: tuple[Citation, ...]
    sentences: tuple[Sentence, ...]
    passages: tuple[Passage, ...]
    prompt: Prompt | None
    model: str
    finish: str
    note: str
    timings: Timings

    def turn(self, question: str) -> Turn:
        """Return this answer to `question` as a turn for the questions that follow."""
        if self.prompt is None:
            return Turn(question, self.text)
        asked = self.prompt.messages[-1].content
        return Turn(question, self.text, asked, self.prompt.passages)


Steps = Generator[Step, Reply, Answer]


def answer_steps(
    question: str,
    options: AnswerOptions,
    history: Sequence[Turn] = (),
    *,
    clock: Clock = time.monotonic,
) -> Steps:
    """Yield the steps that lead to the answer, and return it.

    Raises `QuestionError` for a question that is empty or does not fit.
    """
    started = clock()
    if not question.strip():
        raise QuestionError("The question is empty.", "Type what you want to know.")
    found = yield from _search(question, options)
    if not options.model:
        return _without_model(found, started, clock)
    prompt = yield from _fit(question, found, history, options)
    asked = clock()
    reply = yield Complete(
        prompt.messages,
        options.max_tokens,
        options.temperature,
        _grammar(prompt, small=options.small) if options.edits else "",
        copies=options.edits,
    )
    assert isinstance(reply, Completed)
    text = reply.text.strip()
    sentences = sentences_of(text, prompt.passages)
    return Answer(
        text=text,
        citations=citations_of(sentences, prompt.passages),
        sentences=sentences,
        passages=prompt.passages + found.passages[len(prompt.passages) :],
        prompt=prompt,
        model=options.model,
        finish=reply.finish,
        note=" ".join(filter(None, [found.note, NOTES.get(reply.finish, "")])),
        timings=Timings(
            recall_ms=found.ms,
            first_token_ms=round((asked - started) * 1000 + reply.first_token_ms, 1),
            total_ms=round((clock() - started) * 1000, 1),
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
        ),
    )


def _grammar(prompt: Prompt, *, small: bool) -> str:
    """Return the form of edits of the lines that `prompt` shows, empty if it shows none.

    A small model, which would not come to an end, makes one short edit.
    """
    shown = [(p.path, p.text) for p in prompt.passages if not p.note]
    if small:
        return passage_edits_grammar(shown, most=1, longest=SMALL_EDIT)
    return passage_edits_grammar(shown)


def _search(question: str, options: AnswerOptions) -> Generator[Step, Reply, Found]:
    reply = yield Search(question, options.passages)
    assert isinstance(reply, Found)
    return reply


def _fit(
    question: str, found: Found, history: Sequence[Turn], options: AnswerOptions
) -> Generator[Step, Reply, Prompt]:
    """Count every candidate block with the model's own tokenizer, then choose."""
    instructions = SYSTEM_SMALL if options.small else SYSTEM
    asked = question_text(
        question, passages=bool(found.passages), small=options.small, edits=options.edits
    )
    # No passage may take more than half of the room for passages.
    share = int(options.passage_tokens * CHARACTERS_PER_TOKEN / 2)
    offered = [shortened(p, share) for p in found.passages]
    shown = [passage_text(n, p) for n, p in enumerate(offered, start=1)]
    pointers = [pointer_text(n, p) for n, p in enumerate(offered, start=1)]
    brief = [f"{turn.question}\n{turn.answer}" for turn in history]
    whole = [whole_text(turn) for turn in history]
    stands = standing_texts(found.standing, small=options.small)
    stood = [item.text for item in stands]
    reply = yield CountTokens((instructions, asked, *stood, *shown, *pointers, *brief, *whole))
    assert isinstance(reply, Counts)
    tokens = iter(reply.tokens)
    system = Block(said("Instructions"), "ours", instructions, next(tokens))
    closing = Block(said("Question"), "person", asked, next(tokens))
    budget = options.context - options.max_tokens
    needed = system.tokens + closing.tokens + 2 * TURN_OVERHEAD
    if needed > budget:
        raise QuestionError(
            f"The question takes {closing.tokens} tokens, and the model has room for "
            f"{max(budget - system.tokens, 0)}.",
            "Shorten it, or raise model.context in the settings.",
        )
    # A long question goes before what stands in every prompt.
    counts = [next(tokens) for _ in stands]
    stable, unstood = standing_blocks(stands, counts, budget - needed, small=options.small)
    full = [
        Block(p.place, p.tier, text, next(tokens)) for p, text in zip(offered, shown, strict=True)
    ]
    above = [
        Block(p.place, p.tier, text, next(tokens))
        for p, text in zip(offered, pointers, strict=True)
    ]
    plain = [next(tokens) for _ in brief]
    prompt = assemble(
        closing,
        [Offered(*each) for each in zip(offered, full, above, strict=True)],
        [earlier(*each) for each in zip(history, plain, tokens, strict=True)],
        system,
        budget=budget,
        passage_budget=options.passage_tokens,
        stable=stable,
    )
    prompt = replace(prompt, dropped=(*prompt.dropped, *unstood))
    read = zip(prompt.passages, found.passages, strict=False)
    cut = sum(short is not whole for short, whole in read)
    if not cut:
        return prompt
    return replace(prompt, dropped=(_cut_words(cut), *prompt.dropped))


def _cut_words(cut: int) -> str:
    if cut == 1:
        return said("1 of the passages read was cut to its first lines.")
    return said(f"{cut} of the passages read were cut to their first lines.")


def _without_model(found: Found, started: float, clock: Clock) -> Answer:
    lines = [
        f"{n}. `{p.place}`" + (f" – {p.kind} `{p.symbol}`" if p.symbol else "") + f" [{n}]"
        for n, p in enumerate(found.passages, start=1)
    ]
    text = "\n".join([NO_MODEL, "", *lines]) if lines else NOTHING_FOUND
    citations = tuple(
        Citation(n, p.path, p.start_line, p.end_line, "attribution", p.symbol if p.note else "")
        for n, p in enumerate(found.passages, start=1)
    )
    total = round((clock() - started) * 1000, 1)
    return Answer(
        text=text,
        citations=citations,
        sentences=(),
        passages=found.passages,
        prompt=None,
        model="",
        finish="stop",
        note=found.note,
        timings=Timings(found.ms, total, total, 0, 0),
    )
