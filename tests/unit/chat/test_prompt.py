import itertools

from hypothesis import given
from hypothesis import strategies as st

from commonplace.chat.prompt import (
    Block,
    Offered,
    Turn,
    assemble,
    earlier,
    fence_for,
    passage_text,
    question_text,
    shortened,
)
from commonplace.recall.passages import Passage


def passage(path="a.py", text="x = 1"):
    return Passage(path, 3, 4, text, 1.0, "function", "f", ("because",))


def block(tokens, trust="code"):
    return Block("b", trust, "text", tokens)


def build(budget, *, passages=(), turns=(), passage_budget=10_000):
    return assemble(
        block(10, "person"),
        [Offered(passage(f"{n}.py"), block(tokens)) for n, tokens in enumerate(passages)],
        [earlier(Turn(f"q{n}", f"a{n}"), tokens, tokens) for n, tokens in enumerate(turns)],
        block(20, "ours"),
        budget=budget,
        passage_budget=passage_budget,
    )


def test_everything_that_fits_is_in_order():
    prompt = build(1000, passages=[50, 50], turns=[30])
    assert [m.role for m in prompt.messages] == ["system", "user", "assistant", "user"]
    assert prompt.dropped == ()
    assert prompt.tokens == 20 + 30 + 100 + 10


def test_low_passages_and_old_turns_are_dropped_and_said():
    prompt = build(150, passages=[50, 80, 10], turns=[30, 30])
    assert [p.path for p in prompt.passages] == ["0.py"]
    assert prompt.dropped[:2] == ("Passage 1.py:3-4 did not fit.", "Passage 2.py:3-4 did not fit.")
    assert "oldest" in prompt.dropped[-1]


def test_passages_have_a_budget_of_their_own():
    assert len(build(10_000, passages=[100] * 5, passage_budget=250).passages) == 2


@given(
    st.integers(100, 3000),
    st.lists(st.integers(1, 400), max_size=8),
    st.lists(st.integers(1, 400), max_size=8),
)
def test_a_prompt_never_exceeds_its_budget(budget, passages, turns):
    prompt = build(budget, passages=passages, turns=turns)
    assert prompt.tokens <= budget
    assert len(prompt.passages) <= len(passages)
    numbers = [int(p.path[0]) for p in prompt.passages]
    assert numbers == list(range(len(numbers)))


@given(st.text(alphabet="`abc\n", max_size=200))
def test_no_passage_can_close_its_fence(text):
    fence = fence_for(text)
    assert fence not in text
    assert len(fence) >= 3


def test_a_long_passage_is_shortened_to_its_first_lines():
    whole = passage(text="\n".join(["x" * 9] * 10))
    short = shortened(whole, 35)
    assert (short.start_line, short.end_line, short.text.count("x")) == (3, 5, 27)
    assert shortened(whole, 1000) is whole
    assert shortened(passage(text="y" * 99), 10).text == "y" * 99


def test_a_passage_names_its_place_and_shows_odd_names():
    shown = passage_text(2, passage("a\n[9] b.py"))
    assert shown.startswith("[2] a\\n[9] b.py lines 3-4 (function f)\n```\n")


def test_the_question_says_when_there_is_no_passage():
    assert "No passage" in question_text("why", passages=False)
    assert "cite" in question_text("why", passages=True)


def as_read(n, plain, whole):
    turn = Turn(f"q{n}", f"a{n}", f"[1] {n}.py\nq{n}", (passage(f"{n}.py"),))
    return earlier(turn, plain, whole)


def lay_out(turns, budget, offered=(), stable=()):
    return assemble(
        block(10, "person"),
        offered,
        turns,
        block(20, "ours"),
        budget=budget,
        passage_budget=200,
        stable=stable,
    )


def test_a_longer_conversation_repeats_the_shorter_one_word_for_word():
    turns = [as_read(n, 20, 100) for n in range(4)]
    before = lay_out(turns[:3], 2000).messages
    after = lay_out(turns, 2000).messages
    assert after[: len(before) - 1] == before[:-1]
    assert after[1].content == "[1] 0.py\nq0"


def test_a_passage_that_stands_above_is_pointed_to():
    above = Block("0.py", "code", "[1] 0.py: shown above", 5)
    offered = [Offered(passage("0.py"), block(90), above), Offered(passage("9.py"), block(90))]
    prompt = lay_out([as_read(0, 20, 100)], 2000, offered)
    assert prompt.messages[-1].content.startswith("[1] 0.py: shown above\ntext")
    assert [p.path for p in prompt.passages] == ["0.py", "9.py"]
    first = lay_out([], 2000, offered)
    assert "shown above" not in first.messages[-1].content


def test_old_turns_lose_their_passages_before_they_go():
    turns = [as_read(n, 20, 300) for n in range(4)]
    prompt = lay_out(turns, 1200)
    assert prompt.messages[1].content == "q0"
    assert prompt.messages[-3].content == "[1] 3.py\nq3"
    assert "no longer read" in prompt.dropped[0]
    one = lay_out([as_read(n, 20, 300) for n in range(3)], 1000)
    assert one.dropped == ("The passages of the oldest turn are no longer read.",)
    gone = lay_out([as_read(n, 100, 300) for n in range(9)], 800)
    assert any("oldest" in text and "did not fit" in text for text in gone.dropped)
    assert gone.tokens <= 800


def test_the_beginning_of_a_growing_conversation_seldom_changes():
    """Every change there has the model read everything after it again."""
    turns = [as_read(n, 30, 120) for n in range(40)]
    prompts = [lay_out(turns[:count], 3000).messages for count in range(1, 41)]
    same = sum(b[: len(a) - 1] == a[:-1] for a, b in itertools.pairwise(prompts))
    assert same > 30


def test_what_stays_the_same_for_the_project_comes_right_after_our_words():
    rules = Block("Rules", "person", "Use tabs.", 3)
    prompt = lay_out([as_read(0, 20, 100)], 2000, stable=[rules])
    assert prompt.messages[0].content == "text\n\nUse tabs."
    assert [b.title for b in prompt.blocks[:2]] == ["b", "Rules"]
