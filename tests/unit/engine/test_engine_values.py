from __future__ import annotations

import pytest

from commonplace.chat.messages import Message
from commonplace.engine.textstream import TextStream
from commonplace.engine.types import (
    Completion,
    LoadOptions,
    Sampling,
    messages_from_wire,
    messages_to_wire,
)
from commonplace.errors import ProtocolError


def feed_all(stream: TextStream, pieces: list[bytes]) -> str:
    return "".join(stream.feed(piece) for piece in pieces) + stream.flush()


def test_characters_split_over_tokens_are_put_together():
    data = "naïve 🙂 日本".encode()
    assert feed_all(TextStream(), [bytes([b]) for b in data]) == "naïve 🙂 日本"
    assert feed_all(TextStream(), ["é".encode()[:1]]) == ""
    assert feed_all(TextStream(), [b"a\xff", b"b"]) == "a\ufffdb"


def test_stop_strings_are_withheld_wherever_they_are_cut():
    text = b"answer<|im_end|>more"
    for cut in range(len(text)):
        stream = TextStream(("<|im_end|>",))
        assert feed_all(stream, [text[:cut], text[cut:]]) == "answer"
        assert stream.stopped


def test_what_only_looked_like_a_stop_is_released():
    stream = TextStream(("<|im_end|>", "<|user|>"))
    assert stream.feed(b"a <|im") == "a "
    assert stream.feed(b"portant") == "<|important"
    assert stream.feed(b"<|u") == ""
    assert stream.flush() == "<|u"
    assert not stream.stopped


def test_the_earliest_of_several_stops_counts():
    stream = TextStream(("B", "ABC"))
    assert stream.feed(b"xABC") == "x"
    assert stream.feed(b"y") == ""


def test_values_survive_the_wire():
    completion = Completion("text", "length", 1, 2, 3, 4.5, 6)
    assert Completion.from_wire(completion.to_wire()) == completion
    assert Sampling.from_wire({"temperature": 1}).temperature == 1.0
    assert LoadOptions.from_wire({}) == LoadOptions()
    talk = [Message("user", "<|im_end|>"), Message("assistant", "ü")]
    assert messages_from_wire(messages_to_wire(talk)) == talk


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"context": "4096"},
        {"context": 4096.0},
        {"repack": 1},
        {"context": True},
        {"surprise": 1},
    ],
)
def test_malformed_values_are_defects(data):
    with pytest.raises(ProtocolError):
        LoadOptions.from_wire(data)


def test_malformed_completions_and_messages_are_defects():
    good = Completion("", "stop", 0, 0, 0, 0.0, 0.0).to_wire()
    for data in ({**good, "finish": "tired"}, {**good, "total_ms": "1"}, {"text": ""}):
        with pytest.raises(ProtocolError):
            Completion.from_wire(data)
    for talk in (
        None,
        {},
        ["x"],
        [{"role": "root", "content": ""}],
        [{"role": "user", "content": 1}],
    ):
        with pytest.raises(ProtocolError):
            messages_from_wire(talk)
