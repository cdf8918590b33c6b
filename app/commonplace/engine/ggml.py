"""The devices and features of the ggml that was built here, through its C interface."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Any

import llama_cpp
import llama_cpp.llama_cpp as C  # noqa: N812 - the C interface
from llama_cpp import _ggml

from commonplace.engine.devices import Device, read_devices


def library(symbol: str) -> Any:
    """Return the ggml that llama.cpp computes with.

    A wheel cannot hold links, so ``libggml.so`` may be a second copy of it, with a list of
    devices of its own. What llama.cpp was linked to is found through llama.cpp.
    """
    llama = C._lib  # noqa: SLF001 - nothing else leads to it
    return llama if hasattr(llama, symbol) else _ggml.libggml


class GgmlLibrary:
    """ggml_backend_dev_*; see `commonplace.engine.devices.Library`."""

    def __init__(self) -> None:
        ggml = library("ggml_backend_dev_count")
        self._count = ggml.ggml_backend_dev_count
        self._count.restype = ctypes.c_size_t
        self._get = ggml.ggml_backend_dev_get
        self._get.argtypes, self._get.restype = [ctypes.c_size_t], ctypes.c_void_p
        self._name = ggml.ggml_backend_dev_name
        self._name.argtypes, self._name.restype = [ctypes.c_void_p], ctypes.c_char_p
        self._description = ggml.ggml_backend_dev_description
        self._description.argtypes = [ctypes.c_void_p]
        self._description.restype = ctypes.c_char_p
        self._kind = ggml.ggml_backend_dev_type
        self._kind.argtypes, self._kind.restype = [ctypes.c_void_p], ctypes.c_int
        self._memory = ggml.ggml_backend_dev_memory
        sizes = ctypes.POINTER(ctypes.c_size_t)
        self._memory.argtypes, self._memory.restype = [ctypes.c_void_p, sizes, sizes], None

    def count(self) -> int:
        """Return how many devices there are."""
        return int(self._count())

    def name(self, index: int) -> str:
        """Return the short name of a device."""
        return (self._name(self._get(index)) or b"").decode("utf-8", "replace")

    def description(self, index: int) -> str:
        """Return the name its maker gave a device."""
        return (self._description(self._get(index)) or b"").decode("utf-8", "replace")

    def kind(self, index: int) -> int:
        """Return the number of a device's kind."""
        return int(self._kind(self._get(index)))

    def memory(self, index: int) -> tuple[int, int]:
        """Return the bytes of a device that are free, and all."""
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        self._memory(self._get(index), ctypes.byref(free), ctypes.byref(total))
        return int(free.value), int(total.value)


def built_devices() -> tuple[Device, ...]:
    """Return the devices that this build can compute on."""
    return read_devices(GgmlLibrary())


def features() -> str:
    """Return what the build uses of the processor: ``"AVX2, FMA, REPACK"``."""
    text = C.llama_print_system_info().decode("utf-8", "replace")
    pairs = [item.partition("=") for item in text.split(":", 1)[-1].split("|")]
    return ", ".join(name.strip() for name, _, value in pairs if value.strip() == "1")


def load_backends() -> None:
    """Load the parts of ggml that were built as libraries of their own.

    A build for many processors has one library per generation; the best that this
    machine can run is taken, from beside llama.cpp and from nowhere else: left to
    itself, ggml would look in the folder it was started in, which is somebody's project.
    Where the processor's part is linked in, nothing is left to load.
    """
    ggml = library("ggml_backend_reg_count")
    ggml.ggml_backend_reg_count.restype = ctypes.c_size_t
    if ggml.ggml_backend_reg_count():
        return
    load = ggml.ggml_backend_load_all_from_path
    load.argtypes, load.restype = [ctypes.c_char_p], None
    load(os.fsencode(Path(llama_cpp.__file__).parent / "lib"))
