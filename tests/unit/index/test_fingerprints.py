"""Fingerprints: blind to formatting, sharp for everything else, and stable for years."""

import pytest

from commonplace.index.fingerprints import Source

PLAIN = "class A:\n    def f(self, a, b=1):\n        x = (1, 'two')\n        return x if a else b\n"


def mark(text, name="f", path="a.py"):
    source = Source(path, text)
    return str(source.of_symbol(source.named(name)[0]))


@pytest.mark.parametrize(
    "text",
    [
        PLAIN + "\n    def g(self):\n        pass\n",
        "import os\n\n\n" + PLAIN,
        PLAIN.replace("'two'", '"two"'),
        PLAIN.replace("(1, 'two')", "1, 'two'"),
        PLAIN.replace("(1, 'two')", "(\n            1,\n            'two',\n        )"),
        PLAIN.replace("self, a, b=1", "\n        self,\n        a,\n        b = 1,\n    "),
        PLAIN.replace("        x", "        '''What it does.'''\n        # why\n        x"),
        PLAIN.replace("x if a else b", "(x if a else b)"),
        PLAIN.replace("    ", "\t"),
        PLAIN.replace("class A:", "class A():"),
    ],
)
def test_formatting_and_comments_do_not_count(text):
    assert mark(text) == mark(PLAIN)


@pytest.mark.parametrize(
    ("old", "new", "signature", "body"),
    [
        ("b=1", "b=2", False, True),
        ("self, a", "self, a, *", False, True),
        ("def f", "async def f", False, True),
        ("    def", "    @cached\n    def", False, True),
        ("'two'", "'Two'", True, False),
        ("if a", "if not a", True, False),
        ("x if a else b", "b if a else x", True, False),
        ("'two'", "b'two'", True, False),
    ],
)
def test_anything_else_does(old, new, signature, body):
    before, after = mark(PLAIN).split("-"), mark(PLAIN.replace(old, new)).split("-")
    assert (before[1] == after[1], before[2] == after[2]) == (signature, body)


def test_nesting_counts_in_python():
    one = "def f(a):\n    for b in a:\n        g(b)\n        h()\n"
    other = "def f(a):\n    for b in a:\n        g(b)\n    h()\n"
    assert mark(one) != mark(other)


def test_an_own_name_does_not_count():
    assert mark("def f(n):\n    return f(n - 1)\n") == mark("def g(n):\n    return g(n - 1)\n", "g")


@pytest.mark.parametrize(
    ("path", "text", "name", "expected"),
    [
        ("a.py", PLAIN, "f", "1-1a71155c482d-34bad5d8c4e4"),
        (
            "a.go",
            "package a\nfunc Do(a int) error {\n\treturn nil\n}\n",
            "Do",
            "1-ca7a0a4e57ef-bd2c38182aa5",
        ),
        ("a.js", "function go(a) { return a + 'x'; }\n", "go", "1-2c825e160ccf-8fe51abd3b43"),
        (
            "A.java",
            "class A { int go(int a) { return a + 1; } }\n",
            "go",
            "1-095ec10ddd77-3662c4d1f68b",
        ),
        ("a.rs", "fn go(a: i32) -> i32 {\n    a + 1\n}\n", "go", "1-7b22df0049e9-71c2a6c5afe4"),
    ],
)
def test_fingerprints_stay_what_they_are(path, text, name, expected):
    """These stand in people's notes: if one changes, `ALGORITHM` must change too."""
    assert mark(text, name, path) == expected


def test_a_range_is_found_by_its_text():
    source = Source("a.py", "a = 1\nb = f(a,  2)  # two\nc = 3\n")
    wanted = str(source.of_lines(2, 2))
    moved = Source("a.py", "\n\n# head\na = 1\nb = f(\n  a, 2)\nc = 3\n")
    assert moved.find_lines(wanted) == [(5, 6)]
    assert Source("a.py", "b = f(a, 3)\n").find_lines(wanted) == []


def test_without_a_grammar_the_text_counts():
    assert Source("a.unknown", "x  y\n").of_file() == Source("a.unknown", "x y \n\n").of_file()
    assert Source("a.unknown", "x y\n").of_file() != Source("a.unknown", "x z\n").of_file()
