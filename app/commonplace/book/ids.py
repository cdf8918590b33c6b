"""Names of notes: their ids, and file names that every system can hold."""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata

ALPHABET = "23456789abcdfghjkmnpqrstvwxyz"
"""No letter that looks like a digit, and no ``e``: YAML must not read a number."""
LENGTH = 8
MAX_STEM = 60
RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
OTHER = re.compile(r"[^\w]+|_+", re.UNICODE)


def new_id() -> str:
    """Return a new id: short, and unlike any other (40 bits of chance)."""
    first = secrets.choice(ALPHABET[8:])
    return first + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))


def path_id(shelf: str, file: str) -> str:
    """Return the id of a note that carries none: it follows from its path."""
    digest = hashlib.blake2b(f"{shelf}/{file}".encode("utf-8", "surrogatepass"), digest_size=8)
    number, text = int.from_bytes(digest.digest()), ""
    for _ in range(LENGTH):
        number, rest = divmod(number, len(ALPHABET))
        text += ALPHABET[rest]
    return f"f-{text}"


def file_stem(title: str) -> str:
    """Return a file name, without its suffix, that says `title` on any system."""
    text = unicodedata.normalize("NFC", title).lower()
    stem = OTHER.sub("-", text).strip("-")
    while len(stem) > MAX_STEM or len(stem.encode("utf-8", "replace")) > 2 * MAX_STEM:
        stem = stem[:-1]
    stem = stem.encode("utf-8", "ignore").decode().strip("-")
    if not stem or RESERVED.fullmatch(stem):
        stem = f"note-{stem}".rstrip("-")
    return stem
