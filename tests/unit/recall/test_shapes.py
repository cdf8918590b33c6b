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


@pytest.mark.parametrize(
    "text",
    [
        "TypeError: cannot unpack non-iterable NoneType object",
        "click.exceptions.UsageError: No such option: --frob",
        "fatal: not a git repository (or any of the parent directories): .git",
        "error[E0382]: borrow of moved value: `x`",
        "src/main.c:12:5: error: expected ';' before '}' token",
        "panic: runtime error: index out of range [3] with length 3",
    ],
)
def test_a_pasted_message_is_an_error(text):
    assert read_question(text).shape == "error"


@pytest.mark.parametrize(
    "text", ["how are errors handled", "where is the error: class defined", "what raises TypeError"]
)
def test_a_question_about_errors_is_none(text):
    assert read_question(text).shape != "error"


def test_values_are_no_part_of_a_message():
    text = "Error: Invalid value for '--count': 12 is not in the range 1<=x<=9."
    found = read_question(text).phrases
    assert found == ("invalid value for", "in the range", "is not in the range")


def test_names_quoted_in_a_report_are_what_is_looked_for():
    text = (
        "Uploads fail since the last release.\n\nWhen I call `Session.send` with a large body, "
        "the retry logic never starts.\nI expected max_retries to apply.\n\n"
        "```python\nsession.send(request)\n```\n"
    )
    question = read_question(text)
    assert question.shape == "report"
    assert {"session", "send", "maxretries", "request"} <= set(question.names)
    assert "uploads" not in question.names
    assert "uploads" in question.terms


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("Fix the headers of redirects", True),
        ("parser: avoid a copy of each line", True),
        ("Added support for proxies", True),
        ("how does the parser avoid copies", False),
        ("connection pool", False),
        ("ValueError: cannot add the header", False),
    ],
)
def test_what_is_to_be_changed_reads_like_the_subject_of_a_commit(text, change):
    assert read_question(text).change is change
