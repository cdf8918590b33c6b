"""Makes characters visible that would hide or reorder text.

Model output and file contents may hold bidirectional overrides, zero-width
characters and control codes; shown raw they can make text read differently
from what it is.
"""

from __future__ import annotations

import html
import re

HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff9-\ufffc"
    "\U000e0000-\U000e0fff\ud800-\udfff]"
)


def visible(text: str) -> str:
    """Return `text` with every hidden character written as ``⟨U+202E⟩``.

    Tabs and line feeds stay; carriage returns are dropped.
    """
    text = text.replace("\r", "")
    return HIDDEN.sub(lambda match: f"⟨U+{ord(match.group()):04X}⟩", text)


def one_line(text: str) -> str:
    """Return `text` on one line, with hidden characters visible: for names and labels."""
    return " ".join(visible(text).split())


def tooltip(text: str) -> str:
    """Return `text` for a tooltip, which would otherwise take it for HTML if it looks like it."""
    lines = html.escape(visible(text)).replace("\n", "<br>")
    return f"<p style='white-space:pre-wrap'>{lines}</p>" if lines else ""
