"""Vectors: exact below the threshold, nearly so above, never trusting a file."""

import json

import numpy as np
import pytest

from commonplace.index.vectors import GRAPH_FILE, LABEL_FILE, VectorTable

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


def test_the_graph_finds_what_exact_search_finds():
    table, data = filled(2000, threshold=100)
    assert table.wants_graph
    table.build_graph()
    assert not table.wants_graph
    hits = 0
    for query in unit(50, seed=3):
        exact = set((np.argsort(-(data @ query))[:10] + 1).tolist())
        hits += len(exact & set(ids(table.search(query, 10))))
    assert hits / 500 >= 0.98


def test_rows_after_the_graph_are_found_and_removed_ones_are_not():
    table, data = filled(500, threshold=100)
    table.build_graph()
    late = unit(1, seed=77)
    table.add([9001], late)
    assert table.search(late[0], 1)[0].chunk_id == 9001
    table.remove([1, 9001])
    assert 9001 not in ids(table.search(late[0], 50))
    assert 1 not in ids(table.search(data[0], 50))


def test_a_saved_graph_serves_the_next_start_whatever_the_order(tmp_path):
    table, data = filled(500, threshold=100)
    table.build_graph()
    table.save_graph(tmp_path, "e")
    again = VectorTable(DIM, threshold=100)
    order = np.random.default_rng(5).permutation(500)[:-20]  # some chunks went meanwhile
    again.add([int(i) + 1 for i in order], data[order])
    again.add([7001], unit(1, seed=8))
    assert again.load_graph(tmp_path, "e")
    assert not again.wants_graph
    row = int(order[0])
    assert again.search(data[row], 1)[0].chunk_id == row + 1
    assert again.search(unit(1, seed=8)[0], 1)[0].chunk_id == 7001
    gone = set(range(500)) - set(order.tolist())
    assert not {g + 1 for g in gone} & set(ids(again.search(data[min(gone)], 50)))


@pytest.mark.parametrize("damage", ["flip", "truncate", "label", "embedder", "missing"])
def test_a_graph_that_does_not_match_its_label_is_not_loaded(tmp_path, damage):
    table, _ = filled(300, threshold=100)
    table.build_graph()
    table.save_graph(tmp_path, "e")
    graph = tmp_path / GRAPH_FILE
    data = bytearray(graph.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 0xFF
        graph.write_bytes(data)
    elif damage == "truncate":
        graph.write_bytes(data[: len(data) // 2])
    elif damage == "label":
        (tmp_path / LABEL_FILE).write_text(json.dumps(["not", "a", "label"]))
    elif damage == "missing":
        graph.unlink()
    assert not table.load_graph(tmp_path, "other" if damage == "embedder" else "e")
