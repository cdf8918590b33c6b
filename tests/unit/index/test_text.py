import codecs

import pytest

from commonplace.index.text import MAX_LINE, NotTextError, decode


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        ("naïve ünïcode 漢字".encode(), "naïve ünïcode 漢字"),
        (codecs.BOM_UTF8 + b"bom", "bom"),
        ("wide é".encode("utf-16"), "wide é"),
        (codecs.BOM_UTF16_BE + "wide".encode("utf-16-be"), "wide"),
        ("caf\xe9".encode("latin-1"), "café"),
        (b"a\r\nb\rc\n", "a\nb\nc\n"),
        (b"tab\tand\x1b[0m escape", "tab\tand\x1b[0m escape"),
    ],
)
def test_text_is_read_in_the_encoding_it_has(data, text):
    assert decode(data) == text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x00\x01\x02", "binary"),
        (bytes(range(256)) * 4, "binary"),
        (b"\xff\x01\x02\x03\x04\x05\x06\x07", "binary"),
        (codecs.BOM_UTF16_LE + b"odd", "UTF-16"),
        (b"x" * (MAX_LINE + 1), "minified"),
        (b"short\n" + b"y" * 5_000_000, "minified"),
    ],
)
def test_what_is_not_text_says_why(data, reason):
    with pytest.raises(NotTextError, match=reason):
        decode(data)
