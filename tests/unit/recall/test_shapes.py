import pytest

from commonplace.recall.shapes import MAX_TERMS, Frame, read_question


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("HttpClient", "symbol"),
        ("requests.Session.send", "symbol"),
        ("std::vector", "symbol"),
        ("Command#run", "symbol"),
        ("valid?", "symbol"),
        ("do_it()", "symbol"),
        ("src/app/main.py", "path"),
        ("setup.py:12", "path"),
        ("how are options parsed", "sentence"),
        ("what does parse_args do?", "sentence"),
        ('Traceback (most recent call last):\n  File "/x/a.py", line 3, in f\nKeyError', "trace"),
        ("panic\n\tat run (lib/a.js:10:3)\n\tat main (lib/b.js:2:1)", "trace"),
    ],
)
def test_the_shape_of_a_question(text, shape):
    assert read_question(text).shape == shape


def test_frames_are_read_from_several_languages():
    text = 'File "/p/a.py", line 3, in f\n  at lib/b.js:10:3\n  src\\c.cs:7 '
    assert read_question(text).frames == (
        Frame("/p/a.py", 3),
        Frame("lib/b.js", 10),
        Frame("src/c.cs", 7),
    )


def test_small_words_are_left_out_unless_nothing_else_is_there():
    assert read_question("how is the cache, invalidated?").terms == ("cache", "invalidated")
    assert read_question("what is this").terms


def test_identifiers_are_searched_whole_and_in_parts():
    assert read_question("why does loadConfig").terms == ("loadconfig", "load", "config")


def test_neighbouring_words_may_be_one_name():
    names = read_question("how are type adapter factories cached").names
    assert {"typeadapter", "adapterfactory", "typeadapterfactory"} <= set(names)
    assert "howare" not in names


@pytest.mark.parametrize(
    "text",
    ["", "   ", "?!…", "\0\0", "🎉🎉", "AND OR NOT", '"; DROP TABLE files; --', "x" * 100_000],
)
def test_any_text_is_read(text):
    question = read_question(text)
    assert len(question.terms) <= MAX_TERMS
