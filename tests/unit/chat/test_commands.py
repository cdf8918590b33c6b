"""Commands and mentions in a question, and what a person decides about passages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonplace.chat.choosing import Chosen, overlaps, pinned
from commonplace.chat.commands import (
    COMMANDS,
    command_of,
    completions,
    mention,
    mentions_of,
    places_of,
    words_for_model,
    words_for_recall,
)
from commonplace.recall.passages import Found, Passage


def passage(path, start=1, end=5):
    return Passage(path, start, end, "x", 1.0, "block", "", ("because",))


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.template], ids=lambda c: c.name)
def test_every_template_holds_the_words(command):
    asked = words_for_model(f"/{command.name} the parser")
    assert "the parser" in asked
    assert "{request}" not in asked
    assert not asked.startswith("/")


def test_commands_are_only_at_the_start():
    assert command_of("/explain  this\nand that")[1] == "this\nand that"
    assert command_of("/explain")[0].name == "explain"
    assert command_of("see /explain")[0] is None
    assert command_of("/etc/passwd is read where?")[0] is None
    assert words_for_model("/unknown x") == "/unknown x"
    assert words_for_recall("/fix @src/a.py crashes") == "src/a.py crashes"
    assert words_for_recall("/commit") == "/commit"


def test_mentions():
    assert mentions_of('see @src/a.py, @"with space.md" and @docs/.') == (
        "src/a.py",
        "with space.md",
        "docs/",
    )
    assert mentions_of("me@example.org and @") == ()
    assert mentions_of("@a @a") == ("a",)


@given(st.text(alphabet="ab /.,-_é)", min_size=1, max_size=12).map(str.strip).filter(bool))
def test_a_completed_path_is_read_back(path):
    assert mentions_of(f"see {mention(path)} now") == (path,)


def test_completions_prefer_names_that_begin_so():
    places = places_of(["src/settings.py", "tests/test_settings.py", "set/other.py", "a.md"])
    assert completions(places, "set", 9) == [
        *("set/", "src/settings.py", "tests/test_settings.py", "set/other.py"),
    ]
    assert completions(places, "zzz", 9) == []
    assert completions(places, "", 2) == ["a.md", "set/"]


def test_what_was_chosen_comes_first_and_what_was_left_out_does_not_come():
    found = Found("q", "sentence", 1.0, tuple(passage(f"{n}.py") for n in range(8)))
    first = passage("other.py")
    chosen = Chosen((first, passage("2.py", 3, 9)), (passage("0.py", 5, 5),))
    paths = [p.path for p in chosen.applied(found, 4).passages]
    assert paths == ["other.py", "2.py", "1.py", "3.py"]
    assert chosen.searched(4) == 5
    assert Chosen().applied(found, 4) is found


def test_passages_of_a_folder_come_alone_if_there_are_any():
    found = Found("q", "sentence", 1.0, (passage("a.py"), passage("src/b.py"), passage("c.py")))
    inside = Chosen(folders=("src/",))
    assert [p.path for p in inside.applied(found, 3).passages] == ["src/b.py"]
    assert "folder" in inside.applied(found, 3).passages[0].reasons[0]
    assert len(Chosen(folders=("none/",)).applied(found, 2).passages) == 2
    assert inside.searched(6) > 6


def test_overlapping():
    assert overlaps(passage("a", 1, 5), passage("a", 5, 9))
    assert not overlaps(passage("a", 1, 4), passage("a", 5, 9))
    assert not overlaps(passage("a"), passage("b"))
    assert pinned(pinned(passage("a"), "me"), "me").reasons == ("me", "because")
