"""LoRA adapters that llama.cpp holds beside a model's weights, at most one of them in use.

Loading an adapter, with all its checks, takes ten times as long as choosing one
that is loaded. So those that were used last stay until others take their place.
"""

from __future__ import annotations

import ctypes
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as C  # noqa: N812 - the C interface

from commonplace.errors import ModelError

HELD = 3
HELD_BYTES = 256 << 20
"""At most so many adapters, of at most so many bytes together, stay beside the one in use."""

_REMEDY = "Discard it, and adapt to the file again."


@dataclass(frozen=True, slots=True)
class _Held:
    adapter: Any
    bytes: int


class Adapters:
    """The adapters loaded for one model and its context, each by the checksum of its file."""

    def __init__(self, model: Any, context: Any) -> None:
        self._model = model
        self._context = context
        self._held: dict[str, _Held] = {}  # the one used last comes last
        self.used: str | None = None

    def __contains__(self, sha256: object) -> bool:
        """Whether the adapter with this checksum is loaded."""
        return sha256 in self._held

    def load(self, sha256: str, name: str, data: bytes) -> None:
        """Load the adapter whose file has the bytes `data`, which were checked.

        Raises `ModelError` when llama.cpp refuses it.
        """
        adapter = (_from_memory if _LIBC else _from_copy)(self._model, name, data)
        if not adapter:
            raise ModelError(f"llama.cpp cannot load the adapter {name}.", _REMEDY)
        self._held[sha256] = _Held(adapter, len(data))

    def use(self, sha256: str | None, scale: float) -> None:
        """Compute with a loaded adapter, or with None; what was read before is stale then."""
        chosen = [] if sha256 is None else [self._held[sha256].adapter]
        count = len(chosen)
        pointers = (C.llama_adapter_lora_p_ctypes * count)(
            *(ctypes.cast(adapter, C.llama_adapter_lora_p_ctypes) for adapter in chosen)
        )
        scales = (ctypes.c_float * count)(*[scale] * count)
        if C.llama_set_adapters_lora(self._context, pointers, count, scales):
            raise ModelError("llama.cpp does not use the adapter.", "Discard it.")
        self.used = sha256
        if sha256 is not None:
            self._held[sha256] = self._held.pop(sha256)
            self._make_room()

    def drop(self, sha256: str) -> None:
        """Free an adapter that is not in use, if it is loaded."""
        held = self._held.pop(sha256, None)
        if held is not None:
            C.llama_adapter_lora_free(held.adapter)

    def close(self) -> None:
        """Free all adapters; the context is not used again."""
        if self.used is not None:
            self.use(None, 0.0)
        for sha256 in list(self._held):
            self.drop(sha256)

    def _make_room(self) -> None:
        *others, _used = self._held
        taken = sum(self._held[sha256].bytes for sha256 in others)
        for number, sha256 in enumerate(others):
            if len(others) - number <= HELD and taken <= HELD_BYTES:
                break
            taken -= self._held[sha256].bytes
            self.drop(sha256)


def _c_library() -> Any:
    """Return the C library if it can read memory as a file and llama.cpp can use that; else None.

    On Windows llama.cpp asks the system for each file's handle, and memory has none.
    """
    if os.name != "posix":
        return None
    library = ctypes.CDLL(None)
    if not hasattr(library, "fmemopen"):
        return None
    library.fmemopen.restype = ctypes.c_void_p
    library.fmemopen.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p]
    library.fclose.argtypes = [ctypes.c_void_p]
    return library


_LIBC = _c_library()


def _from_memory(model: Any, _name: str, data: bytes) -> Any:
    """Load an adapter from the very bytes that were checked; nobody else can reach them."""
    file = _LIBC.fmemopen(data, len(data), b"rb")
    if not file:
        return None
    try:
        return C.llama_adapter_lora_init_from_file_ptr(model, file)
    finally:
        _LIBC.fclose(file)


def _from_copy(model: Any, name: str, data: bytes) -> Any:
    """Load an adapter from a copy of its bytes in a folder that is the user's alone."""
    with tempfile.TemporaryDirectory(prefix="commonplace-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "adapter.gguf"
        try:
            copy.write_bytes(data)
        except OSError as error:
            raise ModelError(
                f"{name} cannot be copied to {folder}: {error.strerror}.", "Free some space."
            ) from error
        return C.llama_adapter_lora_init(model, os.fsencode(copy))
