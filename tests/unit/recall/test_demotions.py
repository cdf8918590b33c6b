import pytest

from commonplace.recall.demotions import Demotions, is_aside
from commonplace.recall.shapes import read_question

BOTH = ("src/unix/udp.c", "src/win/udp.c", "src/loop.c")


def keeps(question, path, paths=BOTH, system="linux"):
    return Demotions(read_question(question), paths, system).of(path).keeps


def test_code_for_another_system_counts_less():
    assert keeps("send a datagram", "src/win/udp.c") < keeps("send a datagram", "src/unix/udp.c")
    assert keeps("send a datagram", "src/unix/udp.c", system="win32") < 1
    assert keeps("send a datagram", "src/win/udp.c", system="win32") == 1
    assert keeps("send a datagram", "src/loop.c") == 1


def test_the_question_may_ask_for_another_system():
    assert keeps("send a datagram on Windows", "src/win/udp.c") == 1


def test_without_code_for_this_system_nothing_is_for_another():
    paths = ("lua/view/win.lua", "lua/view/float.lua")
    assert keeps("draw a border", "lua/view/win.lua", paths) == 1


@pytest.mark.parametrize("path", ["tests/a.py", "a/test_b.py", "examples/x.go", "vendor/y/z.js"])
def test_tests_examples_and_vendored_code_stand_aside(path):
    assert is_aside(path)
    assert keeps("draw a border", path) < 0.5


def test_what_is_asked_for_counts_in_full():
    assert keeps("test of the border", "tests/a.py") == 1
    assert keeps("an example of a border", "examples/a.py") == 1
