"""From bytes to text, or to the reason why not."""

from __future__ import annotations

import codecs

MAX_LINE = 20_000
"""Characters in the longest line of a file people write; more is data or minified."""
MAX_AVERAGE = 1_000
SNIFF = 8192
EDGE = 4096
"""Characters at either end of a notebook that name its format."""
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class NotTextError(ValueError):
    """The bytes are deliberately not indexed; the message is the reason."""


def decode(data: bytes) -> str:
    """Return the text of a file; raises `NotTextError` with the reason.

    UTF-8 first, then what a byte order mark says, then Windows-1252, which
    reads every Western text. All line ends become line feeds.
    """
    text = _decode(data)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text[:SNIFF]:
        raise NotTextError("binary")
    if len(text) > MAX_LINE and _has_long_lines(text) and not is_notebook(text):
        raise NotTextError("lines too long to be written by hand (minified or data)")
    return text


def is_notebook(text: str) -> bool:
    """Whether a text is a Jupyter notebook: its outputs may hold lines longer than people write."""
    return text[:EDGE].lstrip().startswith("{") and '"nbformat"' in text[:EDGE] + text[-EDGE:]


def _has_long_lines(text: str) -> bool:
    if len(text) / (text.count("\n") + 1) > MAX_AVERAGE:
        return True
    start = 0
    while len(text) - start > MAX_LINE:
        start = text.rfind("\n", start, start + MAX_LINE + 1) + 1
        if not start:
            return True
    return False


def _decode(data: bytes) -> str:
    for mark, encoding in BOMS:
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as error:
                raise NotTextError(f"not valid {encoding.upper()}") from error
    if b"\0" in data[:SNIFF]:
        raise NotTextError("binary")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    head = data[:SNIFF]
    control = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head)
    if control > len(head) // 100:
        raise NotTextError("binary")
    return data.decode("cp1252", "replace")
