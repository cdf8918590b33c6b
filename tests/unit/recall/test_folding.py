from dataclasses import replace

from commonplace.recall.folding import Folded
from commonplace.recall.passages import Passage

BODY = "\n".join(f"    total += price_{n} * amount_{n} - rebate_{n}" for n in range(20))
FIRST = Passage("a.py", 1, 21, f"def total():\n{BODY}", 1.0, "function", "total", ("because",))


def folded(*passages):
    found = Folded()
    for passage in passages:
        found.add(passage)
    return found.passages()


def test_a_copy_is_folded_into_the_better_passage():
    copy = replace(FIRST, path="b.py", text=FIRST.text.replace("    ", "\t"), score=0.5)
    (only,) = folded(FIRST, copy)
    assert only.path == "a.py"
    assert only.reasons == ("because", "the same stands in b.py:1-21")


def test_a_passage_that_differs_in_a_line_or_two_is_a_copy_and_one_of_half_its_lines_is_not():
    near = replace(FIRST, path="b.py", text=FIRST.text + "\n    return total")
    half = replace(FIRST, path="c.py", text="\n".join(FIRST.text.split("\n")[:11]))
    assert [p.path for p in folded(FIRST, near, half)] == ["a.py", "c.py"]


def test_short_passages_are_copies_only_word_for_word():
    short = replace(FIRST, text="def size(self):\n    return self._size")
    other = replace(short, path="b.py", text="def size(self):\n    return self._length")
    same = replace(short, path="c.py", text="def size( self ):\n\n    return self._size")
    assert [p.path for p in folded(short, other, same)] == ["a.py", "b.py"]


def test_many_copies_are_counted():
    copies = [replace(FIRST, path=f"b{n}.py") for n in range(5)]
    assert folded(FIRST, *copies)[0].reasons[-1].endswith("b2.py:1-21 and 2 more")
