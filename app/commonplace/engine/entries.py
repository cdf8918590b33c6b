"""What one model file is: read from its header, and measured against this machine."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil  # type: ignore[import-untyped,unused-ignore]

from commonplace.engine.devices import Device, cards
from commonplace.engine.fit import memory_needed, plan
from commonplace.engine.gguf import Header, read_header
from commonplace.engine.gguf_format import read_contents
from commonplace.engine.types import LoadOptions, Wired
from commonplace.errors import CommonplaceError, ModelError

Fit = Literal["fits", "smaller", "tight", "large", "unknown"]
"""Fits as it is; with a smaller context; once other programs are closed; not at all."""

TIGHT = 0.9
"""Of all memory, what a model may take once nothing else runs."""
KEPT_HEADERS = 256

PART_NAME = re.compile(r"(?P<stem>.+)-(?P<part>\d{5})-of-(?P<parts>\d{5})\.gguf$")
_FIM_KEYS = ("tokenizer.ggml.fim_pre_token_id", "tokenizer.ggml.prefix_token_id")


@dataclass(frozen=True, slots=True)
class Place:
    """A file that may be a model: where it was found, and whose it is.

    `owner` is empty for our own folders, else the name of a program or the
    folder. `title` is how its owner calls it, if that is not the file's name.
    """

    path: Path
    owner: str = ""
    title: str = ""
    ours: bool = False


@dataclass(frozen=True, slots=True)
class LibraryEntry(Wired):
    """What is known of one model on this machine; sizes in bytes, context in tokens.

    `problem` is empty for a model that can be chosen, else it says why it
    cannot, and `remedy` what helps. `ours` may be deleted, others are only
    read. `memory` is for the context of the settings.
    """

    path: str
    title: str
    owner: str
    ours: bool
    size: int
    parts: int = 1
    problem: str = ""
    remedy: str = ""
    architecture: str = ""
    parameters: int = 0
    quantisation: str = ""
    context: int = 0
    licence: str = ""
    chat: bool = False
    fim: bool = False
    memory: int = 0
    fit: Fit = "unknown"
    fit_sentence: str = ""


def describe(place: Place, options: LoadOptions, devices: Sequence[Device] = ()) -> LibraryEntry:
    """Read the header of one model; whatever is wrong becomes its `problem`."""
    path = place.path
    files = parts_of(path)
    state = tuple(_size_and_time(file) for file in files)
    size = sum(size for size, _ in state)
    base = LibraryEntry(
        str(path), place.title or path.stem, place.owner, place.ours, size, len(files)
    )
    try:
        header, licence, fim = _read(path, state)
    except CommonplaceError as error:
        return _replaced(base, problem=error.message, remedy=error.remedy)
    fit, sentence = _fit(header, options, devices)
    context = min(options.context, header.context_length)
    return _replaced(
        base,
        size=header.file_bytes,
        architecture=header.architecture,
        parameters=header.parameters,
        quantisation=header.quantisation,
        context=header.context_length,
        licence=licence,
        chat=header.chat_template is not None,
        fim=fim,
        memory=memory_needed(header, context, header.file_bytes),
        fit=fit,
        fit_sentence=sentence,
    )


@functools.lru_cache(KEPT_HEADERS)
def _read(path: Path, _state: tuple[tuple[int, int], ...]) -> tuple[Header, str, bool]:
    """Return header, licence and whether the model fills in the middle.

    A header with a large vocabulary takes tenths of a second, and the list is
    made again and again: what was read is kept until the files change.
    """
    header = read_header(path)
    values = read_contents(path).values
    fim = any(key in values for key in _FIM_KEYS)
    return header, licence_of(path), fim


def licence_of(path: Path) -> str:
    """Return the name of a model's licence, as it says itself or its package did, or nothing."""
    said = read_contents(path).values.get("general.license", "")
    if isinstance(said, str) and said.strip():
        return " ".join(said.split())
    try:
        with licence_file(path).open(encoding="utf-8", errors="replace") as file:
            return " ".join(file.readline(200).split())
    except OSError:
        return ""


def _size_and_time(file: Path) -> tuple[int, int]:
    try:
        about = file.stat()
    except OSError:
        return 0, 0
    return about.st_size, about.st_mtime_ns


def parts_of(path: Path) -> tuple[Path, ...]:
    """Return all files of the model whose first file is `path`, there or not."""
    part = PART_NAME.match(path.name)
    if part is None or not 1 < int(part["parts"]) <= 999:
        return (path,)
    count = int(part["parts"])
    names = (f"{part['stem']}-{n:05d}-of-{count:05d}.gguf" for n in range(1, count + 1))
    return tuple(path.with_name(name) for name in names)


def licence_file(path: Path) -> Path:
    """Return where the licence that a package brought for the model at `path` is kept."""
    return path.with_name(f"{path.name}.licence.txt")


def fit_of(memory: int, card_bytes: int = 0) -> Fit:
    """Say whether a model that takes `memory` bytes fits; 0 is unknown.

    `card_bytes` is what graphics cards add to this machine's memory.
    """
    if not memory:
        return "unknown"
    here = psutil.virtual_memory()
    if memory <= here.available + card_bytes:
        return "fits"
    return "tight" if memory < here.total * TIGHT + card_bytes else "large"


def card_bytes(devices: Sequence[Device]) -> int:
    """Return the memory that is free on the graphics cards among `devices`, in bytes."""
    return sum(card.free for card in cards(devices))


def _fit(header: Header, options: LoadOptions, devices: Sequence[Device]) -> tuple[Fit, str]:
    wanted = min(options.context, header.context_length)
    try:
        chosen = plan(header, options, devices)
    except ModelError as error:
        needed = memory_needed(header, wanted, header.file_bytes)
        fit = fit_of(needed, card_bytes(devices))
        return ("tight" if fit == "fits" else fit), error.message
    return ("fits" if chosen.context >= wanted else "smaller"), chosen.sentence


def _replaced(entry: LibraryEntry, **changes: object) -> LibraryEntry:
    return LibraryEntry.from_wire({**entry.to_wire(), **changes})
