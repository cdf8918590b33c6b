"""The GGUF container, read within hard limits and with the standard library only.

A model file comes from strangers, and llama.cpp may abort on a crafted one.
Everything here is bounded: counts, lengths, nesting, and the number of bytes
and strings walked in total. Large arrays (the vocabulary) are passed over, not
built. Whatever is wrong ends in `ModelError`.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import io
import math
import os
import re
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NoReturn

from commonplace.errors import ModelError

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MAX_ENTRIES = 4096
MAX_TENSORS = 65_536
MAX_KEY = 1024
MAX_TENSOR_NAME = 256
MAX_STRING = 8 << 20
MAX_KEPT_ARRAY = 4096
"""Arrays of at most this many numbers are kept; longer ones only counted."""
MAX_ARRAY = 16 << 20
MAX_STRINGS = 4 << 20
"""Strings passed over in one file; each costs about half a microsecond."""
MAX_HEADER = 512 << 20
MAX_KEPT = 32 << 20
"""Bytes of strings and numbers kept from one file."""
MAX_DIMENSIONS = 4
_SIZES = [struct.Struct(f"<{count}Q") for count in range(MAX_DIMENSIONS + 1)]
_KIND_AND_OFFSET = struct.Struct("<IQ")
MAX_ELEMENTS = 1 << 50
MAX_ALIGNMENT = 1 << 20

_DAMAGED = "Download the file again, or choose another model."

_SCALARS = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
_STRING = 8
_ARRAY = 9
_U32 = _SCALARS[4]
_U64 = _SCALARS[10]

BLOCKS: dict[int, tuple[int, int]] = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    9: (32, 36), 10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
    15: (256, 292), 16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18),
    21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4),
    27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66),
    39: (32, 17), 40: (64, 36), 41: (128, 18), 42: (64, 18),
}  # fmt: skip
"""ggml tensor type → (elements per block, bytes per block)."""

_LAYER = re.compile(r"blk\.(\d{1,4})\.")

Value = int | float | bool | str | tuple[int | float | bool, ...]


@dataclass(frozen=True, slots=True)
class Tensor:
    """What a header says of one tensor: ggml's type, and its sizes, the fastest first.

    `offset` counts from `Contents.data_start`; `bytes` is what the tensor takes.
    """

    kind: int
    shape: tuple[int, ...]
    offset: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Contents:
    """What one GGUF file says about itself.

    `lengths` has the number of elements of every array, kept or passed over;
    `data_end` is the offset in bytes at which the last tensor ends;
    `layer_bytes` is what the tensors of each layer take, by the layer's number.
    `data_start` is where tensor data begins.
    `named` has each tensor by its name: fewer than `tensors` if a name is there twice.
    """

    values: dict[str, Value]
    lengths: dict[str, int]
    tensors: int
    parameters: int
    data_end: int
    size: int
    layer_bytes: dict[int, int]
    named: dict[str, Tensor] = field(default_factory=dict)
    data_start: int = 0


def read_contents(path: Path) -> Contents:
    """Read the header of the GGUF file at `path`.

    Raises `ModelError` when there is no such file, it is not a GGUF file of a
    version we know, or it is damaged or shorter than its header says.
    """
    with _opened(path) as (file, size):
        return _walked(path.name, file, size)


def contents_of(data: bytes, name: str) -> Contents:
    """Read the header of a GGUF file whose bytes are `data`; `name` is for errors.

    Raises `ModelError` as `read_contents` does.
    """
    return _walked(name, io.BytesIO(data), len(data))


def _walked(name: str, file: BinaryIO, size: int) -> Contents:
    try:
        contents = _Walker(name, file, size).contents()
    except (OSError, ValueError, OverflowError) as error:
        raise ModelError(f"{name} cannot be read: {error}.", _DAMAGED) from error
    if contents.data_end > size:
        raise ModelError(
            f"{name} is truncated: {size:,} of {contents.data_end:,} bytes.",
            "The download was not finished; download it again.",
        )
    return contents


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):  # opening a pipe would wait for ever
            raise ModelError(f"{path} is not a file.", "Choose a file that ends in .gguf.")
        file = path.open("rb")
    except FileNotFoundError:
        raise ModelError(
            f"There is no model file {path}.", "Choose another model in the settings."
        ) from None
    except OSError as error:
        raise ModelError(
            f"Cannot open {path}: {error.strerror}.", "Mend the file's permissions."
        ) from error
    with file:
        yield file, os.fstat(file.fileno()).st_size


class _Walker:
    """Walks one header from its first byte to its last."""

    def __init__(self, name: str, file: BinaryIO, size: int) -> None:
        self._name = name
        self._file = file
        self._size = size
        self._at = 0
        self._strings = 0
        self._kept = 0

    def contents(self) -> Contents:
        """Read everything up to the tensor data."""
        self._check_start()
        tensors = self._count(MAX_TENSORS, "tensors")
        entries = self._count(MAX_ENTRIES, "entries")
        values: dict[str, Value] = {}
        lengths: dict[str, int] = {}
        for _ in range(entries):
            key = self._string(MAX_KEY)
            kind = self._u32()
            if kind == _ARRAY:
                value, lengths[key] = self._array()
            else:
                value = self._value(kind)
            if value is not None:
                values[key] = value
        layers: dict[int, int] = {}
        named: dict[str, Tensor] = {}
        parameters, extent = self._tensors(tensors, layers, named)
        start = self._aligned(values.get("general.alignment", 32))
        data_end = start + extent if tensors else self._at
        return Contents(
            values, lengths, tensors, parameters, data_end, self._size, layers, named, start
        )

    def _check_start(self) -> None:
        if self._size == 0:
            raise ModelError(f"{self._name} is empty.", _DAMAGED)
        if self._size < 4 or self._read(4) != MAGIC:
            raise ModelError(
                f"{self._name} is not a GGUF file.", "Choose a model in the GGUF format."
            )
        version = self._u32()
        if version not in VERSIONS:
            swapped = int.from_bytes(version.to_bytes(4, "little"), "big")
            what = "is big-endian" if swapped in VERSIONS else f"has GGUF version {version}"
            raise ModelError(
                f"{self._name} {what}; versions 2 and 3 can be read.",
                "Choose a file made for this kind of machine by a current converter.",
            )

    def _array(self) -> tuple[Value | None, int]:
        kind, length = self._u32(), self._count(MAX_ARRAY, "array elements")
        if kind == _STRING:
            self._skip_strings(length)
            return None, length
        scalar = _SCALARS.get(kind)
        if scalar is None:
            self._damaged(f"an array of type {kind}")
        if length > MAX_KEPT_ARRAY:
            self._skip(scalar.size * length)
            return None, length
        self._keep(scalar.size * length)
        data = self._read(scalar.size * length)
        return tuple(item[0] for item in scalar.iter_unpack(data)), length

    def _value(self, kind: int) -> Value:
        if kind == _STRING:
            return self._string(MAX_STRING)
        scalar = _SCALARS.get(kind)
        if scalar is None:
            self._damaged(f"a value of type {kind}")
        value: Value = scalar.unpack(self._read(scalar.size))[0]
        return value

    def _tensors(
        self, count: int, layers: dict[int, int], named: dict[str, Tensor]
    ) -> tuple[int, int]:
        """Return (elements in all tensors, bytes of tensor data); fill `layers` and `named`."""
        parameters = extent = 0
        for _ in range(count):
            name = self._string(MAX_TENSOR_NAME)
            layer = _LAYER.match(name)
            dimensions = self._u32()
            if dimensions > MAX_DIMENSIONS:
                self._damaged(f"a tensor of {dimensions} dimensions")
            shape: tuple[int, ...] = _SIZES[dimensions].unpack(self._read(8 * dimensions))
            elements = math.prod(shape)
            kind, offset = _KIND_AND_OFFSET.unpack(self._read(_KIND_AND_OFFSET.size))
            if kind not in BLOCKS:
                raise ModelError(
                    f"{self._name} stores weights in a form ({kind}) this version does not know.",
                    "Choose another quantisation of the model, such as Q4_K_M or Q8_0.",
                )
            per_block, block_bytes = BLOCKS[kind]
            if elements > MAX_ELEMENTS or offset > MAX_ELEMENTS or elements % per_block:
                self._damaged("a tensor of an impossible size")
            size = elements // per_block * block_bytes
            if layer is not None:
                layers[int(layer[1])] = layers.get(int(layer[1]), 0) + size
            named[name] = Tensor(kind, shape, offset, size)
            parameters += elements
            extent = max(extent, offset + size)
        return parameters, extent

    def _aligned(self, alignment: Value) -> int:
        usable = isinstance(alignment, int) and 0 < alignment <= MAX_ALIGNMENT
        if not usable or alignment & (alignment - 1):  # type: ignore[operator]
            self._damaged(f"an alignment of {alignment!r}")
        assert isinstance(alignment, int)
        return -(-self._at // alignment) * alignment

    def _skip_strings(self, count: int) -> None:
        self._strings += count
        if self._strings > MAX_STRINGS or count * 8 > self._size - self._at:
            self._damaged(f"an array of {count:,} strings")
        for _ in range(count):
            self._skip_string(MAX_STRING)

    def _skip_string(self, limit: int) -> None:
        length = self._u64()
        if length > limit:
            self._damaged(f"a string of {length:,} bytes")
        if length > 256:
            self._skip(length)
        else:  # reading from the buffer is quicker than seeking, which may drop it
            self._read(length)

    def _string(self, limit: int) -> str:
        length = self._u64()
        if length > limit:
            self._damaged(f"a string of {length:,} bytes")
        self._keep(length)
        return self._read(length).decode("utf-8", "replace")

    def _count(self, limit: int, what: str) -> int:
        count = self._u64()
        if count > limit:
            self._damaged(f"{count:,} {what}")
        return count

    def _u32(self) -> int:
        value: int = _U32.unpack(self._read(4))[0]
        return value

    def _u64(self) -> int:
        value: int = _U64.unpack(self._read(8))[0]
        return value

    def _read(self, count: int) -> bytes:
        self._advance(count)
        data = self._file.read(count)
        if len(data) != count:  # the file became shorter while it was read
            self._truncated(self._at)
        return data

    def _skip(self, count: int) -> None:
        self._advance(count)
        self._file.seek(count, os.SEEK_CUR)

    def _advance(self, count: int) -> None:
        self._at += count
        if self._at > self._size:
            self._truncated(self._at)
        if self._at > MAX_HEADER:
            self._damaged(f"more than {MAX_HEADER:,} bytes of header")

    def _keep(self, count: int) -> None:
        self._kept += count
        if self._kept > MAX_KEPT:
            self._damaged(f"more than {MAX_KEPT:,} bytes of text")

    def _truncated(self, needed: int) -> NoReturn:
        raise ModelError(
            f"{self._name} ends inside its header: {self._size:,} bytes of at least {needed:,}.",
            "The download was not finished; download it again.",
        )

    def _damaged(self, found: str) -> NoReturn:
        raise ModelError(f"{self._name} is damaged: its header claims {found}.", _DAMAGED)
