"""A LoRA adapter put into a loaded model and taken out again, never merged into it.

An adapter is a file that changes every answer, so it is trusted less than a
model: it is read once, and the checksum, the header, the shape and the numbers
of every tensor are checked on what was read. llama.cpp is given these very bytes
(see `lora`), which nobody can exchange in between. Then one token is evaluated,
so that weights that make no sense are found here. Whatever is wrong ends in
`ModelError`, and the model goes on without an adapter.

Format: https://github.com/ggml-org/llama.cpp/blob/master/convert_lora_to_gguf.py
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from commonplace.engine.gguf_format import Contents, Tensor, contents_of
from commonplace.errors import ModelError

MAX_BYTES = 1 << 30
MAX_RANK = 256
MAX_SCALE = 2.0
BASE_KEY = "commonplace.base"
"""Where a file says which model it was made for; checked if it is there."""

_REMEDY = "Discard it, and adapt to the file again."
_KINDS = {0: ("<u4", 0x7F80_0000), 1: ("<u2", 0x7C00), 30: ("<u2", 0x7F80)}
"""ggml's F32, F16 and BF16, what weights that were trained come in: the type of their bits,
and those of the exponent, which are all set in infinity and in what is not a number."""
_TARGET = re.compile(r"(?:blk\.\d{1,4}\.[a-z_]{1,40}|output)\.weight")


@dataclass(frozen=True, slots=True)
class Use:
    """An adapter that is in place: the checksum of its file and the scale of its effect."""

    sha256: str
    scale: float


def checked_scale(scale: float) -> float:
    """Return `scale`, or raise `ModelError` for one that makes no sense."""
    if not math.isfinite(scale) or not 0 < scale <= MAX_SCALE:
        raise ModelError(
            f"An adapter cannot be used at {scale:g} times its effect.",
            f"Choose a scale above 0 and up to {MAX_SCALE:g}.",
        )
    return scale


def check_base(name: str, base: str, model: str) -> None:
    """Raise `ModelError` unless `base` and `model` are the same identity."""
    if base != model:
        raise ModelError(
            f"{name} was made for another model than the one that is loaded.",
            "Load the model it was made for, or adapt to the file again.",
        )


def verified_bytes(path: Path, sha256: str) -> bytes:
    """Return the bytes of the file at `path` if their checksum is `sha256`.

    Raises `ModelError` for a file that is missing, no plain file, too large, or
    not the one that was kept.
    """
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):  # opening a pipe would wait for ever
            raise ModelError(f"{path} is not a file.", _REMEDY)
        with path.open("rb") as file:  # asking for much more than there is takes time
            data = file.read(min(os.fstat(file.fileno()).st_size, MAX_BYTES) + 1)
    except FileNotFoundError:
        raise ModelError(f"There is no adapter {path}.", "Adapt to the file again.") from None
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read: {error.strerror}.", _REMEDY) from error
    if len(data) > MAX_BYTES:
        raise ModelError(f"{path.name} is too large for an adapter.", _REMEDY)
    if hashlib.sha256(data).hexdigest() != sha256.lower():
        raise ModelError(
            f"{path.name} is not the file that was kept: its checksum differs.", _REMEDY
        )
    return data


def check_bytes(
    data: bytes, name: str, architecture: str, model: str, tensors: Mapping[str, Tensor]
) -> None:
    """Raise `ModelError` unless `data` is an adapter of sound numbers; see `check_adapter`."""
    try:
        contents = contents_of(data, name)
    except ModelError as error:
        raise ModelError(error.message, _REMEDY) from error
    check_adapter(contents, name, architecture, model, tensors)
    _check_numbers(contents, name, data)


def check_adapter(
    contents: Contents, name: str, architecture: str, model: str, tensors: Mapping[str, Tensor]
) -> None:
    """Raise `ModelError` unless `contents` is a LoRA adapter that fits the model.

    `model` is the model's identity and `tensors` are its own, by name.
    """
    values = contents.values
    if values.get("general.type") != "adapter" or values.get("adapter.type") != "lora":
        raise ModelError(f"{name} is not a LoRA adapter.", _REMEDY)
    if values.get("general.architecture") != architecture:
        said = str(values.get("general.architecture"))[:40]
        raise ModelError(
            f"{name} is for models of the kind {said}, and this one is {architecture}.",
            "Load the model it was made for, or adapt to the file again.",
        )
    if BASE_KEY in values:
        check_base(name, str(values[BASE_KEY]), model)
    alpha = values.get("adapter.lora.alpha")
    if not isinstance(alpha, float) or not math.isfinite(alpha) or not 0 < alpha <= MAX_RANK * 16:
        _damaged(name, "has no usable alpha")
    if any(key.startswith("adapter.alora") for key in (*values, *contents.lengths)):
        _damaged(name, "is switched on by the text it reads, which is not supported")
    if not contents.named or len(contents.named) != contents.tensors:
        _damaged(name, "has no tensors, or one twice")
    for key, tensor in contents.named.items():
        _check_tensor(name, key, tensor, contents.named, tensors)


def _check_tensor(
    name: str,
    key: str,
    tensor: Tensor,
    ours: Mapping[str, Tensor],
    models: Mapping[str, Tensor],
) -> None:
    """Check one tensor against its other half and the weight that it changes.

    For a weight of (in, out) the halves are (in, rank) and (rank, out), the
    fastest size first.
    """
    target, dot, half = key.rpartition(".")
    shown = key[:60]
    weight = models.get(target)
    if not dot or half not in {"lora_a", "lora_b"} or not _TARGET.fullmatch(target):
        _damaged(name, f"has a tensor {shown!r}, which no adapter has")
    if weight is None or len(weight.shape) != 2:
        _damaged(name, f"changes {target[:60]!r}, which this model does not have")
    if tensor.kind not in _KINDS:
        _damaged(name, f"keeps {shown!r} in a form that adapters do not have")
    first, second = ours.get(f"{target}.lora_a"), ours.get(f"{target}.lora_b")
    if first is None or second is None:
        _damaged(name, f"lacks the other half of {shown!r}")
    width, height = weight.shape
    rank = first.shape[-1] if first.shape else 0
    fits = first.shape == (width, rank) and second.shape == (rank, height)
    if not fits or not 1 <= rank <= MAX_RANK:
        _damaged(name, f"has a tensor {shown!r} that does not fit this model")


def _check_numbers(contents: Contents, name: str, data: bytes) -> None:
    """Raise `ModelError` if a weight is infinite or not a number."""
    import numpy as np  # only the engine process has it loaded anyway

    view = memoryview(data)
    for tensor in contents.named.values():
        bits, exponent = _KINDS[tensor.kind]
        start = contents.data_start + tensor.offset
        numbers = np.frombuffer(view[start : start + tensor.bytes], bits)
        if (numbers & exponent).max() == exponent:
            raise ModelError(f"{name} has weights that are not numbers.", _REMEDY)


def _damaged(name: str, what: str) -> NoReturn:
    raise ModelError(f"{name} {what}.", _REMEDY)
