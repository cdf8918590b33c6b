"""What an adapter must not learn from: generated and vendored code, secrets, repetition.

Weights repeat what they have seen, so this is stricter than what keeps a file out of the
index. Each check returns a reason in plain words, or the empty string.
"""

from __future__ import annotations

import math
import re
from collections import Counter

from commonplace.index.secrets import refuse_secrets
from commonplace.index.text import NotTextError, decode
from commonplace.recall.demotions import kinds_of

HEAD_LINES = 30
GENERATED = re.compile(
    r"@generated\b|\b(?:auto-?generated|code generated|generated (?:by|from|with|code|file))\b"
    r"|\bdo not (?:edit|modify)\b",
    re.IGNORECASE,
)
COMMENTED = re.compile(r"^\s*(?:#|//|/\*|\*|--|;|<!--|%|\"\"\"|''')")
KNOWN_KEYS = re.compile(
    r"\bAKIA[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{36,}"
    r"|\bgithub_pat_[A-Za-z0-9_]{50,}"
    r"|\bglpat-[A-Za-z0-9_-]{20,}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|\bsk-[A-Za-z0-9_-]{32,}"
    r"|\b[rs]k_live_[A-Za-z0-9]{20,}"
    r"|\bAIza[0-9A-Za-z_-]{35}"
    r"|\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{15,}"
    r"|-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY"
)
ASSIGNED = re.compile(
    r"(?:pass(?:word|wd)|secret|token|api_?key|access_?key|private_?key|credential)\w*[\"']?"
    r"\s*[:=]>?\s*[\"']([A-Za-z0-9+/=_\-.]{16,})[\"']",
    re.IGNORECASE,
)
SECRET_BITS = 3.5
"""Bits a character from which an assigned text looks drawn by lot rather than written."""
MEANINGFUL = 4
"""Characters of a line from which its repetition says something."""
FEWEST_DISTINCT = 0.4


def text_of(path: str, data: bytes) -> tuple[str, str]:
    """Return (text, reason why it must not be learned from); the reason may be empty."""
    try:
        text = decode(data)
        refuse_secrets(path, text)
    except NotTextError as error:
        return "", f"it is left out of the index: {error}"
    return text, reason_against(path, text)


def reason_against(path: str, text: str) -> str:
    """Return why the text of the file at `path` must not be learned from, or nothing."""
    if "generated" in kinds_of(path):
        return "it is generated or vendored code"
    if looks_generated(text):
        return "its first lines say that it is generated"
    line = secret_line(text)
    if line:
        return f"line {line} looks like a password or a key"
    if is_repetitive(text):
        return "most of its lines repeat each other"
    return ""


def looks_generated(text: str) -> bool:
    """Whether a comment among the first lines says that a program wrote the file."""
    return any(
        COMMENTED.match(line) and GENERATED.search(line) for line in text.split("\n")[:HEAD_LINES]
    )


def secret_line(text: str) -> int:
    """Return the first line, from 1, that looks as if it held a secret; 0 if none does."""
    for number, line in enumerate(text.split("\n"), start=1):
        if KNOWN_KEYS.search(line):
            return number
        if any(_drawn_by_lot(found) for found in ASSIGNED.findall(line)):
            return number
    return 0


def is_repetitive(text: str) -> bool:
    """Whether most lines that say something have been said before."""
    lines = [line.strip() for line in text.split("\n") if len(line.strip()) >= MEANINGFUL]
    return len(lines) >= 10 and len(set(lines)) < FEWEST_DISTINCT * len(lines)


def _drawn_by_lot(value: str) -> bool:
    """Whether a text has letters and digits mixed as no word has."""
    classes = sum(bool(re.search(kind, value)) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    counts = Counter(value)
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    return classes >= 2 and bool(re.search("[0-9]", value)) and bits >= SECRET_BITS
