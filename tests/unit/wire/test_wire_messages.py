from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonplace.errors import ProtocolError
from commonplace.wire import messages
from commonplace.wire.messages import LineBuffer, decode, encode

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), PLAIN, max_size=5))
def test_a_message_is_one_line_and_comes_back(message):
    line = encode(message)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode(line) == message


def test_a_lone_surrogate_does_not_stop_the_line():
    assert decode(encode({"path": "a\udcffb"})) == {"path": "a?b"}


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[1]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"a": 1}{"b": 2}']
)
def test_anything_else_is_refused(line):
    with pytest.raises(ProtocolError):
        decode(line)


@given(st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"")), max_size=8), st.data())
def test_lines_are_the_same_however_they_are_cut(lines, data):
    stream = b"".join(line + b"\n" for line in lines)
    buffer, found, at = LineBuffer(), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, len(stream) - at))
        found += buffer.feed(stream[at : at + size])
        at += size
    assert found == lines


def test_a_line_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(messages, "MAX_LINE", 10)
    buffer = LineBuffer()
    buffer.feed(b"12345678")
    with pytest.raises(ProtocolError):
        buffer.feed(b"9abc")
