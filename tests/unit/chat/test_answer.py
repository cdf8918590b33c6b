"""The whole conversation between an answer and whoever carries out its steps."""

from dataclasses import replace

import pytest

from commonplace.chat.answer import AnswerOptions, answer_steps
from commonplace.chat.prompt import Turn
from commonplace.chat.steps import Complete, Completed, Counts, CountTokens, Search
from commonplace.errors import QuestionError
from commonplace.recall.passages import Found, Passage
from commonplace.settings import Settings

PASSAGES = tuple(
    Passage(f"{name}.py", 1, 2, f"def {name}(): return {name}_value", 1.0, "function", name, ("r",))
    for name in ("alpha", "beta")
)


def run(question, options, *, history=(), passages=PASSAGES, text="It returns alpha_value [1]."):
    """Carry out the steps with words as tokens; returns the answer and the steps."""
    steps, taken = answer_steps(question, options, history), []
    try:
        step = next(steps)
        while True:
            taken.append(step)
            if isinstance(step, Search):
                reply = Found(step.question, "sentence", 2.5, passages[: step.limit])
            elif isinstance(step, CountTokens):
                reply = Counts(tuple(len(t.split()) for t in step.texts))
            else:
                assert isinstance(step, Complete)
                reply = Completed(text, "stop", 100, 7, 12.0)
            step = steps.send(reply)
    except StopIteration as done:
        return done.value, taken


def test_search_count_complete_then_an_answer_with_citations():
    answer, taken = run("what does alpha return?", AnswerOptions(model="m"))
    assert [type(s) for s in taken] == [Search, CountTokens, Complete]
    assert [(c.n, c.path, c.by) for c in answer.citations] == [(1, "alpha.py", "model")]
    assert answer.timings.recall_ms == 2.5
    assert answer.timings.first_token_ms >= 12.0
    assert "alpha_value" in taken[-1].messages[-1].content


def test_without_a_model_the_passages_are_the_answer():
    answer, taken = run("what?", AnswerOptions())
    assert [type(s) for s in taken] == [Search]
    assert answer.model == ""
    assert "No model" in answer.text
    assert [c.n for c in answer.citations] == [1, 2]
    assert "Nothing" in run("what?", AnswerOptions(), passages=())[0].text


def test_earlier_turns_are_in_the_prompt():
    _, taken = run("and beta?", AnswerOptions(model="m"), history=[Turn("alpha?", "It is a.")])
    assert [m.content for m in taken[-1].messages[1:3]] == ["alpha?", "It is a."]


def test_numbers_stay_right_when_passages_are_dropped():
    wordy = tuple(replace(p, text=f"{p.symbol} b c d e f g h i j") for p in PASSAGES)
    answer, taken = run("q", AnswerOptions(model="m", passage_tokens=25), passages=wordy)
    assert answer.prompt.passages == wordy[:1]
    assert answer.passages == wordy
    assert "beta" not in taken[-1].messages[-1].content


@pytest.mark.parametrize(
    ("long", "note"),
    [
        (0, None),
        (1, "1 of the passages read was cut to its first lines."),
        (2, "2 of the passages read were cut to their first lines."),
    ],
)
def test_how_many_passages_were_cut_is_said(long, note):
    text = "\n".join(["value = 1"] * 40)
    passages = tuple(replace(p, text=text) for p in PASSAGES[:long]) + PASSAGES[long:]
    answer, _taken = run("q", AnswerOptions(model="m", passage_tokens=200), passages=passages)
    assert len(answer.prompt.passages) == 2
    assert answer.prompt.dropped == ((note,) if note else ())


@pytest.mark.parametrize("question", ["", "   \n"])
def test_an_empty_question_is_a_clear_error(question):
    with pytest.raises(QuestionError, match="empty"):
        run(question, AnswerOptions(model="m"))


def test_a_question_that_cannot_fit_is_a_clear_error():
    with pytest.raises(QuestionError, match=r"model\.context"):
        run("word " * 100_000, AnswerOptions(model="m", context=4096))


def test_how_an_answer_ended_is_said():
    steps = answer_steps("q", AnswerOptions(model="m"))
    next(steps)
    steps.send(Found("q", "sentence", 1.0, PASSAGES))
    steps.send(Counts((1, 1, 1, 1, 1, 1)))
    with pytest.raises(StopIteration) as done:
        steps.send(Completed("Half an", "length", 1, 1, 1.0))
    assert "longest length" in done.value.value.note


def test_a_small_model_gets_a_short_prompt_and_writes_a_short_answer():
    chosen = AnswerOptions.chosen(Settings())
    small = chosen.for_model("tiny", 4096, 135_000_000)
    large = chosen.for_model("coder", 32_768, 7_000_000_000)
    assert small.passage_tokens < large.passage_tokens
    assert small.max_tokens < large.max_tokens == Settings().answer_max_tokens
    _, taken = run("q", small)
    assert "two sentences" in taken[-1].messages[-1].content


def test_a_follow_up_begins_with_the_very_words_of_the_first_question():
    options = AnswerOptions(model="m")
    first, before = run("what does alpha return?", options)
    second, after = run("and why?", options, history=[first.turn("what does alpha return?")])
    said, follow = before[-1].messages, after[-1].messages
    assert follow[: len(said)] == said
    assert follow[len(said)].content == first.text
    assert "alpha_value" not in follow[-1].content  # it stands above
    assert "[1] alpha.py lines 1-2: shown above" in follow[-1].content
    assert [p.path for p in second.prompt.passages] == ["alpha.py", "beta.py"]


def test_edits_have_a_form_and_name_only_files_that_were_read():
    options = AnswerOptions(model="m", edits=True, small=True)
    _, taken = run("Change it", options)
    assert '"beta.py" "\\n<<<<<<< SEARCH\\n" (p1-0)' in taken[-1].grammar
    assert '"def beta(): return beta_value\\n"' in taken[-1].grammar
    assert taken[-1].copies
    assert taken[-1].messages[-1].content.endswith("Change it")
    assert run("Change it", options, passages=())[1][-1].grammar == ""
    assert run("Why?", AnswerOptions(model="m"))[1][-1].grammar == ""
