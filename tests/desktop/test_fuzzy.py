"""Letters in order find what they stand for, best first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from commonplace.desktop import fuzzy
from commonplace.desktop.fuzzy import STEP, match_of, search

PATHS = [
    "app/desktop/code_view.py",
    "app/desktop/code_pane.py",
    "app/desktop/conversation.py",
    "docs/conversation.md",
    "app/index/vectors.py",
    "README.md",
]


def found(typed, texts=PATHS, limit=10):
    [*_, matches] = search(typed, [text.lower() for text in texts], limit)
    return [texts[match.number] for match in matches]


def test_the_likeliest_comes_first():
    assert found("codeview")[0] == "app/desktop/code_view.py"
    assert found("cv")[0] == "app/desktop/code_view.py"
    assert found("conv")[0] == "docs/conversation.md"
    assert found("deskconv")[0] == "app/desktop/conversation.py"
    assert found("readme") == ["README.md"]
    assert found("vectors.py") == ["app/index/vectors.py"]
    assert found("zzz") == []
    assert found("", limit=2) == PATHS[:2]


def test_long_lists_are_searched_in_steps(monkeypatch):
    monkeypatch.setattr(fuzzy, "BUDGET", 0.0)
    texts = [f"folder/file{n}.py" for n in range(2 * STEP + 1)]
    answers = list(search("file42.py", texts, 5))
    assert answers[:-1] == [None, None, None]
    assert texts[answers[-1][0].number] == "folder/file42.py"


letters = st.text(st.characters(categories=["L", "N", "P"]), max_size=12).map(str.lower)


def holds(typed, text):
    rest = iter(text)
    return all(letter in rest for letter in typed)


@given(letters, st.lists(letters, max_size=8))
def test_exactly_what_holds_the_letters_in_order_matches(typed, texts):
    [*_, matches] = search(typed, texts, 100)
    assert {m.number for m in matches} == {n for n, t in enumerate(texts) if holds(typed, t)}


@given(letters.filter(bool), letters)
def test_the_places_are_the_letters(typed, text):
    if holds(typed, text):
        places = match_of(typed, text).places
        assert "".join(text[place] for place in places) == typed
        assert list(places) == sorted(set(places))
