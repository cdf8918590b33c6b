"""What kinds of code are called in the window: a function is a Funktion in German.

The index, prompts and stored answers keep the English word; it changes where it is painted.
"""

from __future__ import annotations

from commonplace.desktop.languages import told
from commonplace.words import said

ASIDE = " (kind of code)"
"""Sets these words apart for translators, and from a file that is called ``test``."""
KINDS = {
    "block": said("block (kind of code)"),
    "cell": said("cell (kind of code)"),
    "class": said("class (kind of code)"),
    "constant": said("constant (kind of code)"),
    "enum": said("enum (kind of code)"),
    "function": said("function (kind of code)"),
    "impl": said("impl (kind of code)"),
    "instance": said("instance (kind of code)"),
    "interface": said("interface (kind of code)"),
    "macro": said("macro (kind of code)"),
    "method": said("method (kind of code)"),
    "module": said("module (kind of code)"),
    "namespace": said("namespace (kind of code)"),
    "object": said("object (kind of code)"),
    "property": said("property (kind of code)"),
    "protocol": said("protocol (kind of code)"),
    "rule": said("rule (kind of code)"),
    "section": said("section (kind of code)"),
    "statement": said("statement (kind of code)"),
    "struct": said("struct (kind of code)"),
    "test": said("test (kind of code)"),
    "trait": said("trait (kind of code)"),
    "type": said("type (kind of code)"),
}


def kind_words(kind: str) -> str:
    """Return what the index calls `kind` in the language of the window."""
    return told(KINDS[kind]).removesuffix(ASIDE) if kind in KINDS else kind
