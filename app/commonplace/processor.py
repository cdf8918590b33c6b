"""Whether this processor can run the program, asked before anything is loaded that it may not.

The libraries that read, count and paint are built for x86-64-v2, which every 64-bit
processor of Intel and AMD since about 2010 has. llama.cpp brings a library for each
generation and takes the best one by itself, so nothing newer is needed; without AVX2
answers are slower.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
NEEDED = ("cx16", "popcnt", "sse4_1", "sse4_2", "ssse3")
"""What x86-64-v2 adds to the first 64-bit processors, as Linux calls it."""
FAST = "avx2"
SPINS = "2000"
"""Rounds of GNU's OpenMP. Ten times as many are little faster, and halt a busy machine."""


def features(cpuinfo: Path = CPUINFO) -> frozenset[str]:
    """Return what the processor can do, as Linux says it; empty where nobody tells."""
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return frozenset()
    try:
        with cpuinfo.open(encoding="ascii", errors="replace") as file:
            for line in file:
                name, _, value = line.partition(":")
                if name.strip() == "flags":
                    return frozenset(value.split())
    except OSError:
        pass
    return frozenset()


def refusal(found: frozenset[str]) -> str:
    """Say why the program cannot run on a processor with the features `found`, or nothing."""
    missing = [name for name in NEEDED if name not in found]
    if not found or not missing:
        return ""
    return (
        f"This processor lacks what Commonplace needs: {', '.join(missing)}. Every x86-64 "
        "processor since about 2010 has it; a virtual machine may hide it."
    )


def remark(found: frozenset[str]) -> str:
    """Say what is slower for want of a feature, or nothing."""
    if not found or FAST in found:
        return ""
    return "This processor has no AVX2: everything works, and answers come several times slower."


def spin_briefly() -> None:
    """Let the threads of OpenMP wait awake for some microseconds only, then sleep.

    By default they spin for long. On a machine whose processors have other work, such as
    indexing, a thread that is not running is then spun for: with two threads on two busy
    cores 4 tokens a second became 40 to 60 when they slept at once. To sleep at once costs
    an idle machine half of its speed, for each waking takes as long as a small layer.
    Read by the library when it is loaded, so before that; the user's own word wins.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # of any OpenMP, where the next is unknown
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
