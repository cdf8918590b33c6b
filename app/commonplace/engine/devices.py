"""What llama.cpp, as it was built here, can compute on.

`Library` is ggml's own interface to its devices, as far as it is needed: the
real one is in `llama`, and a fake of it stands for machines with a graphics
card in tests. No llama.cpp is loaded here, so that anybody may use the values.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from commonplace.engine.types import Wired

DeviceKind = Literal["cpu", "gpu", "igpu", "accel"]
KINDS: dict[int, DeviceKind] = {0: "cpu", 1: "gpu", 2: "igpu", 3: "accel"}
"""ggml_backend_dev_type, in its order."""
MAX_DEVICES = 64


@dataclass(frozen=True, slots=True)
class Device(Wired):
    """One device; `free` and `total` are bytes of its memory, 0 if it does not say."""

    name: str
    description: str
    kind: DeviceKind
    free: int
    total: int

    @property
    def offloads(self) -> bool:
        """Whether layers can be placed on it."""
        return self.kind in {"gpu", "igpu"}


class Library(Protocol):
    """ggml_backend_dev_*: devices by index."""

    def count(self) -> int:
        """Return how many devices there are."""

    def name(self, index: int) -> str:
        """Return the short name, such as ``CUDA0``."""

    def description(self, index: int) -> str:
        """Return the name its maker gave it."""

    def kind(self, index: int) -> int:
        """Return the number of its kind."""

    def memory(self, index: int) -> tuple[int, int]:
        """Return the bytes that are free, and all."""


def read_devices(library: Library) -> tuple[Device, ...]:
    """Return the devices that `library` offers; those of unknown kinds are left out."""
    found = []
    for index in range(min(library.count(), MAX_DEVICES)):
        kind = KINDS.get(library.kind(index))
        if kind is None:
            continue
        free, total = library.memory(index)
        name, description = library.name(index), library.description(index)
        found.append(Device(name, description.strip(), kind, min(free, total), total))
    return tuple(found)


def cards(devices: Sequence[Device]) -> tuple[Device, ...]:
    """Return the graphics cards, or those that share the machine's memory if none is there.

    llama.cpp uses integrated ones only where there is no other.
    """
    own = tuple(device for device in devices if device.kind == "gpu")
    return own or tuple(device for device in devices if device.kind == "igpu")


def backend_words(devices: Sequence[Device]) -> str:
    """Return in words what this build computes on: ``"CUDA (NVIDIA H200), processor"``."""
    kinds = [f"{_backend(d.name)} ({d.description})" for d in devices if d.offloads]
    kinds += [_backend(d.name) for d in devices if d.kind == "accel"]
    return ", ".join([*kinds, "processor"])


def better_build(
    devices: Sequence[Device],
    *,
    system: str = "",
    exists: Callable[[str], bool] = lambda path: Path(path).exists(),
    has_program: Callable[[str], bool] = lambda name: shutil.which(name) is not None,
) -> str:
    """Return which other build would use more of this machine, or nothing.

    Looks for what a card's driver leaves in the system, since a build without
    support for a card cannot see it.
    """
    if any(device.offloads for device in devices):
        return ""
    system = system or platform.system()
    if system == "Darwin":
        return _hint("this Mac's graphics card", "GGML_METAL")
    if exists("/dev/nvidia0") or exists("/proc/driver/nvidia") or has_program("nvidia-smi"):
        return _hint("the NVIDIA card", "GGML_CUDA")
    if exists("/dev/kfd"):
        return _hint("the AMD card", "GGML_HIP")
    if exists("/dev/dri/renderD128"):
        return _hint("the graphics card", "GGML_VULKAN")
    return ""


def _hint(what: str, flag: str) -> str:
    return f'A build with CMAKE_ARGS="-D{flag}=ON" (then make run) would use {what}.'


def _backend(name: str) -> str:
    return name.rstrip("0123456789") or name
