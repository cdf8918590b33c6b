"""Vectors: exact below the threshold, nearly so above."""

import threading

import numpy as np
import pytest

from commonplace.index import vectors as vectors_module
from commonplace.index.vectors import VectorTable

DIM = 24


def unit(count, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def filled(count, threshold=100_000, first=1):
    table = VectorTable(DIM, threshold=threshold)
    data = unit(count)
    table.add(list(range(first, first + count)), data)
    return table, data


def ids(found):
    return [n.chunk_id for n in found]


def test_an_empty_table_finds_nothing():
    assert VectorTable(DIM).search(unit(1)[0], 5) == []


def test_exact_search_is_exact():
    table, data = filled(500)
    query = unit(1, seed=9)[0]
    expected = np.argsort(-(data @ query))[:10] + 1
    assert ids(table.search(query, 10)) == expected.tolist()


def test_more_may_be_asked_than_there_is():
    table, _ = filled(3)
    assert len(table.search(unit(1)[0], 50)) == 3


def test_what_is_removed_is_never_found():
    table, data = filled(100)
    table.remove(range(1, 61))
    assert len(table) == 40
    found = ids(table.search(data[0], 100))
    assert sorted(found) == list(range(61, 101))


def test_a_table_shrinks_when_most_is_gone():
    table, data = filled(5000)
    table.remove(range(1, 4001))
    assert table.search(data[4500], 1)[0].chunk_id == 4501


def near(count, seed=0, directions=4):
    """Vectors as those of code: most of what tells them apart lies in a few directions."""
    random = np.random.default_rng(seed)
    plane = np.random.default_rng(99).normal(size=(directions, DIM))
    vectors = random.normal(size=(count, directions)) @ plane
    vectors += 0.2 * random.normal(size=(count, DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def sketched(data, first=1, step=500):
    """Return a table far above its threshold, filled in steps as by embedding."""
    table = VectorTable(DIM, threshold=400)
    for start in range(0, len(data), step):
        some = data[start : start + step]
        table.add(list(range(first + start, first + start + len(some))), some)
    return table


@pytest.fixture
def few(monkeypatch):
    """Score few rows exactly, so that the sketch has to be right."""
    monkeypatch.setattr(vectors_module, "RESCORED", 50)


def test_the_sketch_finds_what_exact_search_finds(few):
    data = near(6000)
    table = sketched(data)
    hits = 0
    for query in near(50, seed=3):
        exact = data.astype(np.float16).astype(np.float32) @ query
        expected = np.argsort(-exact, kind="stable")[:10]
        found = table.search(query, 10)
        hits += len(set((expected + 1).tolist()) & set(ids(found)))
        assert found[0].score == pytest.approx(float(exact.max()), abs=1e-3)
    assert hits / 500 >= 0.99


def test_late_rows_are_found_and_removed_ones_are_not(few):
    data = near(3000)
    table = sketched(data)
    late = near(1, seed=77)
    table.add([9001], late)
    assert table.search(late[0], 1)[0].chunk_id == 9001
    table.remove([1, 9001, 9001, 123456])
    assert len(table) == 2999
    assert 9001 not in ids(table.search(late[0], 50))
    assert 1 not in ids(table.search(data[0], 50))
    assert [n.chunk_id for n in table.scores(late[0], [1, 2, 9001, 99999])] == [2]


def test_a_sketched_table_shrinks_when_most_is_gone(few):
    data = near(5000)
    table = sketched(data)
    table.remove(range(1, 4001))
    assert table.search(data[4500], 1)[0].chunk_id == 4501
    table.add([7001], data[:1])
    assert table.search(data[0], 1)[0].chunk_id == 7001


def test_equal_vectors_come_in_the_order_of_their_chunks():
    one = unit(1)
    for order in ([5, 3, 9, 4], [9, 4, 5, 3]):
        table = VectorTable(DIM)
        table.add(order, np.repeat(one, 4, axis=0))
        assert ids(table.search(one[0], 3)) == [3, 4, 5]


def test_many_threads_may_search_while_one_changes_the_table(few):
    data = near(4000)
    table = sketched(data[:1000])
    wrong, stop = [], threading.Event()

    def search():
        while not stop.is_set():
            found = table.search(data[10], 3)
            if found[0].chunk_id != 11:
                wrong.append(found)

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for start in range(1000, 4000, 100):
        table.add(list(range(start + 1, start + 101)), data[start : start + 100])
        table.remove(range(start - 90, start - 50))
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong


def test_half_precision_is_all_the_same_to_the_ranking():
    data, queries = near(2000), near(20, seed=4)
    small, large = VectorTable(DIM), sketched(data)
    small.add(list(range(1, 2001)), data)
    for query in queries:
        exact = {n.chunk_id: n.score for n in small.search(query, 20)}
        found = {n.chunk_id: n.score for n in large.search(query, 20)}
        assert found == {i: pytest.approx(exact.get(i, found[i]), abs=2e-3) for i in found}
        assert len(exact.keys() & found.keys()) >= 18
