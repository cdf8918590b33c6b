from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonplace.engine.grammars import check_grammar, choice_grammar, edits_grammar, literal
from commonplace.errors import EngineError


@given(st.lists(st.text(min_size=1), min_size=1, max_size=5))
def test_any_choices_make_a_sound_grammar(choices):
    check_grammar(choice_grammar(choices))
    check_grammar(edits_grammar(choices))


def test_literals_are_escaped():
    assert literal('a"b\\\n') == '"a\\"b\\\\\\n"'


@pytest.mark.parametrize("choices", [[], [""], ["a", ""]])
def test_nothing_to_choose_from_is_told(choices):
    with pytest.raises(EngineError):
        choice_grammar(choices)


def test_edits_need_a_file():
    with pytest.raises(EngineError):
        edits_grammar([])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "root"),
        ("x ::= [a]", "root"),
        ('root ::= missing "a"', "missing"),
        ('root ::= root "a"', "itself"),
        ('root ::= a\na ::= b "x"\nb ::= a "y"', "itself"),
        ('root ::= ("" | "a")? root', "itself"),
        ('root ::= "a"* root', "itself"),
        ('root ::= "a"{1,99999}', "repeats"),
        ('root ::= ("a"', "parentheses"),
        ('nonsense root ::= "a"', "begins"),
        ('root ::= "a"\nroot ::= "b"', "twice"),
        ('root ::= "' + "a" * 70_000 + '"', "longer"),
    ],
)
def test_grammars_that_llama_cpp_would_not_survive_are_refused(text, why):
    with pytest.raises(EngineError, match=why) as caught:
        check_grammar(text)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "text",
    [
        'root ::= "(" item* ")"  # a comment with root and "quotes"\nitem ::= [^()] | "(" item ")"',
        'root ::= list\nlist ::= "a" list | "b"',
        'root ::= [a-z"]+ ("," [0-9]{1,3})*',
    ],
)
def test_sound_grammars_pass(text):
    check_grammar(text)
