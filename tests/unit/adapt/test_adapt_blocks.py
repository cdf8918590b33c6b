"""Blocks: the whole file, in three parts that do not repeat each other."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from commonplace.adapt.blocks import (
    ASKED,
    Block,
    counted,
    cut,
    divide,
    lines_learned,
    lines_of,
    telling_lines,
    window,
)
from commonplace.adapt.prompts import best_prefix, run_up
from commonplace.recall.passages import Passage

SOURCE = "".join(
    f"def function_{n}(value):\n    first = value + {n}\n    second = first * {n}\n\n"
    f"    return second - {n}\n\n\n"
    for n in range(30)
)


def sizes(blocks: list[Block]) -> list[int]:
    return [len(block.text) // 4 + 1 for block in blocks]


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_the_blocks_are_the_file(text: str) -> None:
    text = text.replace("\r", "")
    blocks = cut("a.py", text)
    assert "".join(block.text for block in blocks) == text
    assert all(one.end == two.start for one, two in pairwise(blocks))


def test_lines_end_at_line_feeds_alone() -> None:
    assert lines_of("a\x0cb\nc\u2028d\n") == ["a\x0cb\n", "c\u2028d\n"]
    assert lines_of("a\nb") == ["a\n", "b"]
    assert lines_of("") == []


def test_definitions_are_not_torn_where_they_are_short() -> None:
    starts = {block.text.split("(")[0] for block in cut("a.py", SOURCE)}
    assert starts == {f"def function_{n}" for n in range(30)}


def test_a_long_definition_is_cut_at_its_blank_lines() -> None:
    body = "".join(f"    step_{n} = {n}\n" + ("\n" if n % 4 == 3 else "") for n in range(90))
    blocks = cut("a.py", f"def long():\n{body}")
    assert len(blocks) > 4
    assert sum(block.text.endswith("\n\n") for block in blocks) > 0.8 * len(blocks)


def test_the_parts_are_apart_and_the_same_for_the_same_seed() -> None:
    blocks = cut("a.py", SOURCE)
    parts = divide(blocks, sizes(blocks), 4)
    named = [*parts.training, *parts.validation, *parts.heldout, *parts.embargoed]
    assert sorted(named, key=lambda b: b.start) == blocks
    assert len(parts.heldout) >= ASKED
    assert parts.validation
    assert divide(blocks, sizes(blocks), 4) == parts
    assert divide(blocks, sizes(blocks), 5) != parts
    assert blocks[0] not in parts.heldout


def test_what_repeats_the_held_out_part_is_not_learned() -> None:
    same = "    the very same telling line\n    and a second telling line\n"
    blocks = [
        Block(n, n + 1, same if n % 2 else f"    another line number {n}\n") for n in range(20)
    ]
    parts = divide(blocks, [20] * 20, 1)
    assert any(block.text == same for block in parts.heldout)
    assert not any(block.text == same for block in parts.training)
    assert parts.embargoed


def test_tokens_on_lines_that_were_learned_do_not_count() -> None:
    text = "a telling line of é\nanother telling line\n"
    learned = frozenset({"a telling line of é"})
    first = len("a telling line of é\n".encode())
    marks = counted(text, [4, first - 4, 7, len("another telling line\n") - 7], learned)
    assert marks == [False, False, True, True]
    assert counted(text, [first - 1, 2, len("another telling line\n") - 1], learned) == [
        False,
        False,
        True,
    ]


def test_short_lines_tell_nothing() -> None:
    assert telling_lines("}\n    else:\n    return first_value\n") == ["return first_value"]


def test_lines_of_neighbours_count_as_learned() -> None:
    parts = divide(cut("a.py", SOURCE), sizes(cut("a.py", SOURCE)), 1)
    assert "learned in a neighbour" in lines_learned(parts, ["x\n  learned in a neighbour\n"])


def test_of_a_long_file_the_beginning_is_used() -> None:
    blocks = cut("a.py", SOURCE)
    assert window(blocks, [10] * len(blocks), 10_000) == (0, len(blocks))
    assert window(blocks, [10] * len(blocks), 55) == (0, 5)
    assert window(blocks, [100] * len(blocks), 55) == (0, 1)


def test_the_best_prompt_has_passages_the_rest_of_the_file_and_nothing_held_out() -> None:
    blocks = cut("a.py", SOURCE)
    parts = divide(blocks, sizes(blocks), 2)
    rest = [block for block in blocks if block not in parts.heldout]
    passage = Passage("b.py", 1, 2, "def other():\n    pass", 1.0, "function", "other", ())
    prefix = best_prefix(
        "a.py", rest, [30] * len(rest), parts.heldout, [passage],
        room=10_000, passage_room=100, count=len,
    )  # fmt: skip
    assert prefix.startswith("[1] b.py lines 1-2")
    assert all(block.text in prefix for block in rest)
    assert not any(block.text in prefix for block in parts.heldout)


def test_where_room_is_short_the_nearest_blocks_win() -> None:
    blocks = cut("a.py", SOURCE)
    near = [blocks[20]]
    rest = [block for block in blocks if block is not blocks[20]]
    prefix = best_prefix(
        "a.py", rest, [30] * len(rest), near, [], room=95, passage_room=0, count=len
    )
    kept = [block for block in blocks if block.text in prefix]
    assert len(kept) == 3
    assert {blocks[19], blocks[21]} < set(kept)


def test_the_run_up_is_what_stands_just_before() -> None:
    text = "".join(f"line {n}\n" for n in range(30))
    assert run_up(text, Block(20, 22, "")).startswith("line 8\n")
    assert run_up(text, Block(20, 22, "")).endswith("line 19\n")
    assert run_up(text, Block(0, 2, "")) == ""
