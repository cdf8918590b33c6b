"""What a run works on: a file cut into what is learned, what is asked, and what is told before.

All of it is chosen before anything is trained, from the file, from other files of the
project and from the shipped texts; nothing is looked at again while it is judged but the
question whether the file is still the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from commonplace.adapt import blocks, plan
from commonplace.adapt.corpus import Corpus, Text, opened
from commonplace.adapt.measuring import Asking, Question
from commonplace.adapt.prompts import best_prefix, question_of, run_up
from commonplace.adapt.records import Source
from commonplace.adapt.regression import regression_set, replay_texts
from commonplace.adapt.training import Lesson, Recipe, windows
from commonplace.errors import AdapterError
from commonplace.paths import StatePaths

PREFIX_TOKENS, PASSAGE_TOKENS, PASSAGES = 1600, 400, 4
"""How much of the rest of the file and of recall stands in the best prompt, in tokens."""
REPLAY_TEXTS = 8


@dataclass(frozen=True, slots=True)
class Order:
    """What to adapt: `file` is relative to `root`, with slashes."""

    root: Path
    file: str
    model: Path
    neighbours: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Material:
    """A file cut and split into tokens: what is learned, what is asked, and what is told."""

    target: Text
    parts: blocks.Parts
    lesson: Lesson
    heldout: tuple[Question, ...]
    regression: tuple[Question, ...]
    sources: tuple[Source, ...]
    note: str


def estimate(order: Order, state: StatePaths, stop: Callable[[], bool]) -> plan.Estimate:
    """Say what adapting would take and which files it would learn from; or why not."""
    try:
        plan.check_installed()
        header = plan.checked_model(order.model)
        with opened(order.root, state, stop) as corpus:
            target = corpus.target(order.file)
            chosen = [target, *(corpus.neighbours(order.file) if order.neighbours else ())]
        tokens = plan.about_tokens([target.text])
        plan.check_length(order.file, tokens)
        memory = plan.check_memory(header, Recipe())
    except AdapterError as error:
        return plan.Estimate(refusal=error)
    used = min(tokens, plan.MOST_TOKENS)
    files = [Source(target.path, target.why, used, target.hash)]
    for text in chosen[1:]:
        share = min(plan.about_tokens([text.text]), plan.NEIGHBOUR_TOKENS // (len(chosen) - 1))
        files.append(Source(text.path, text.why, share, text.hash))
    learned = sum(source.tokens for source in files)
    seconds = plan.seconds_of(header, learned, Recipe(), plan.speed_now())
    note = "" if used == tokens else _windowed(used, tokens)
    return plan.Estimate(seconds, memory, learned, tuple(files), note=note)


def prepared(order: Order, asking: Asking, corpus: Corpus, recipe: Recipe) -> Material:
    """Read and cut the file and choose all other texts; raises `AdapterError`."""
    target = corpus.target(order.file)
    cut = blocks.cut(order.file, target.text)
    split = asking.tokens([block.text for block in cut])
    counts = [len(tokens.ids) for tokens in split]
    plan.check_length(order.file, sum(counts))
    first, end = blocks.window(cut, counts, plan.MOST_TOKENS)
    note = _windowed(sum(counts[first:end]), sum(counts)) if end < len(cut) else ""
    cut, counts, split = cut[first:end], counts[first:end], split[first:end]
    ids = {block.start: tokens.ids for block, tokens in zip(cut, split, strict=True)}
    sizes = {block.start: tokens.sizes for block, tokens in zip(cut, split, strict=True)}
    parts = blocks.divide(cut, counts, order.seed)
    learned = [b for b in parts.training if not corpus.model_written(order.file, b.text)]
    near = corpus.neighbours(order.file) if order.neighbours else []
    near_ids = _neighbour_tokens(asking, near)
    chosen = {order.file, *(text.path for text in near)}
    others = corpus.others(chosen, order.seed)
    items = regression_set(others, order.seed)
    replay = asking.tokens(replay_texts(others, order.seed, REPLAY_TEXTS))
    begin = split[0].beginning if split else ()
    lesson = Lesson(
        target=(
            *windows([ids[b.start] for b in learned], recipe.window, begin),
            *windows(near_ids, recipe.window, begin),
        ),
        replay=tuple((*begin, *tokens.ids[: recipe.replay]) for tokens in replay),
        validation=_validation(asking, target, parts, ids, begin),
    )
    if not lesson.target or not lesson.validation:
        raise AdapterError(
            f"{order.file} has too few blocks that may be learned from.",
            "Ask with the file open instead; all of it fits into the prompt.",
        )
    sources = [
        Source(target.path, target.why, sum(len(ids[b.start]) for b in learned), target.hash)
    ]
    for text, tokens in zip(near, near_ids, strict=True):
        sources.append(Source(text.path, text.why, len(tokens), text.hash))
    seen = blocks.lines_learned(parts, [text.text for text in near])
    prefix = _prefix(asking, corpus, target, cut, counts, parts)
    heldout = [
        Question(
            "heldout",
            prefix,
            run_up(target.text, b),
            b.text,
            tuple(blocks.counted(b.text, sizes[b.start], seen)),
        )
        for b in parts.heldout
    ]
    regression = [Question(item.part, "", item.context, item.text) for item in items]
    return Material(target, parts, lesson, tuple(heldout), tuple(regression), tuple(sources), note)


def _neighbour_tokens(asking: Asking, near: Sequence[Text]) -> list[tuple[int, ...]]:
    if not near:
        return []
    share = plan.NEIGHBOUR_TOKENS // len(near)
    heads = [text.text[: share * 8] for text in near]
    return [tokens.ids[:share] for tokens in asking.tokens(heads)]


def _validation(
    asking: Asking,
    target: Text,
    parts: blocks.Parts,
    ids: dict[int, tuple[int, ...]],
    begin: Sequence[int],
) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
    before = asking.tokens([run_up(target.text, b) or "\n" for b in parts.validation])
    return tuple(
        ((*begin, *tokens.ids), ids[block.start])
        for block, tokens in zip(parts.validation, before, strict=True)
    )


def _prefix(
    asking: Asking,
    corpus: Corpus,
    target: Text,
    cut: Sequence[blocks.Block],
    counts: Sequence[int],
    parts: blocks.Parts,
) -> str:
    held = set(parts.heldout)
    rest = [(block, n) for block, n in zip(cut, counts, strict=True) if block not in held]
    room = min(PREFIX_TOKENS, asking.room // 2)
    passages = corpus.passages(question_of(target.path, parts.heldout), target.path, PASSAGES)
    return best_prefix(
        target.path,
        [block for block, _ in rest],
        [n for _, n in rest],
        parts.heldout,
        passages,
        room=room,
        passage_room=min(PASSAGE_TOKENS, room // 4),
        count=lambda text: len(asking.tokens([text])[0].ids),
    )


def _windowed(used: int, tokens: int) -> str:
    return f" The file is long: the first {used:,} of its {tokens:,} tokens were used."
