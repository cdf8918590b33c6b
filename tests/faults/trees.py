"""Generated projects: deterministic, and every file carries a word of its own."""

from __future__ import annotations

import os
import random
from pathlib import Path

SUFFIXES = (".py", ".js", ".go", ".md", ".txt", ".c")
OLD = 1_600_000_000_000_000_000
"""A time, in nanoseconds, long before any test: files of that age are not racy."""


def source(marker: str, suffix: str, size: int = 3) -> str:
    """Return a small file with `size` definitions and the unique word `marker`."""
    make = {
        ".py": "def {name}(value):\n    # {marker} adds {n}\n    return value + {n}\n\n",
        ".js": "function {name}(value) {{\n  // {marker} adds {n}\n  return value + {n};\n}}\n\n",
        ".go": "func {name}(value int) int {{\n\t// {marker} adds {n}\n\treturn value\n}}\n\n",
        ".c": "int {name}(int value) {{\n  /* {marker} adds {n} */\n  return value + {n};\n}}\n\n",
        ".md": "# {name}\n\nThe {marker} adds {n}.\n\n",
    }.get(suffix, "{name} and {marker} add {n}.\n\n")
    return "".join(make.format(name=f"add_{marker}_{n}", marker=marker, n=n) for n in range(size))


def imports(suffix: str) -> str:
    """Return what a file with `suffix` imports: by relative, absolute and declared names."""
    return {
        ".py": "from . import one, two\nfrom .deep.one import add\nimport src.one\nimport docs\n",
        ".js": "import one from './one.js'\nimport '../one'\nexport * from './deep'\n",
        ".go": 'package p\n\nimport (\n\t"example.com/p"\n\t"example.com/p/src/deep"\n)\n\n',
        ".c": '#include "one.c"\n#include <deep/one.c>\n',
    }.get(suffix, "")


def grow(root: Path, count: int, seed: int, *, age: bool = False) -> list[str]:
    """Write `count` files into folders below `root`; returns their paths.

    With `age` their times lie long ago, so that an index can trust them.
    """
    choose = random.Random(seed)
    paths = []
    for number in range(count):
        suffix = choose.choice(SUFFIXES)
        folder = choose.choice(("", "src", "src/deep", "docs", "lib/a/b"))
        path = f"{folder}/file{number}{suffix}".lstrip("/")
        text = imports(suffix) + source(f"zq{seed}n{number}", suffix, choose.randint(1, 8))
        put(root, path, text, age=age)
        paths.append(path)
    return paths


def put(root: Path, path: str, content: str | bytes, *, age: bool = False) -> Path:
    """Write a file below `root`, with its folders."""
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content.encode() if isinstance(content, str) else content)
    if age:
        os.utime(target, ns=(OLD, OLD))
    return target
