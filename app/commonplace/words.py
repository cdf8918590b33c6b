"""Texts for people that come from rooms without Qt.

The window shows reasons and states that another room, often another process, put
into words. Such a text is marked where it is written, and looked up in the user's
language where it is shown (`desktop.languages.told`), so that no room but the
desktop has to know that there are languages.
"""

from __future__ import annotations


def said(text: str) -> str:
    """Mark `text`, a literal or an f-string, as one that the window shows; returns it as it is.

    `scripts/translations.py` collects what is marked.
    """
    return text
