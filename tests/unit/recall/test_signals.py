"""Signals: what they are made of."""

from __future__ import annotations

import sys
import threading

import snowballstemmer

from commonplace.recall.signals import root_of

STARTS = "relat generat hopp controll fizz cri retriev measur"


def test_searches_side_by_side_stem_each_word_as_it_is():
    """The library's stemmer keeps the word it is at: shared, it failed and gave other stems."""
    words = [f"{letter}{start}ing" for letter in "abcdefgh" for start in STARTS.split()]
    right = {word: snowballstemmer.stemmer("english").stemWord(word) for word in words}
    wrong: list[object] = []

    def stem() -> None:
        try:
            for _ in range(40):
                root_of.cache_clear()
                wrong.extend(word for word in words if root_of(word) != right[word])
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test shows it
            wrong.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=stem) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert wrong == []
