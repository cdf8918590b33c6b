"""A small project and what it takes to adapt a tiny model to a file of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from commonplace.adapt.adaptation import Adaptation, Outcome
from commonplace.adapt.material import Order
from commonplace.adapt.measuring import Asking
from commonplace.adapt.training import Recipe
from commonplace.engine.session import EngineSession
from commonplace.paths import StatePaths

RECIPE = Recipe(rank=4, rate=1e-2, epochs=1, window=256, replay=64, penalty=0.2)
NOUNS = (
    "apple basket candle door engine feather garden hammer island jacket kettle ladder "
    "mirror needle orange pencil quilt ribbon saddle table"
).split()


def function(number: int, noun: str) -> str:
    """Return a small function that resembles its neighbours as those of a real file do."""
    return (
        f"def count_{noun}(items):\n"
        f'    """Count each {noun} of the items."""\n'
        f"    return sum(i.amount * {number} for i in items if i.kind == '{noun}')\n\n\n"
    )


def make_project(root: Path) -> Path:
    """Write a project of a few files and return its folder."""
    files = {
        "stock.py": "import helpers\n\n\n" + "".join(map(function, range(20), NOUNS)),
        "helpers.py": "".join(
            f"def helper_{n}(value):\n    # {noun}\n    return value * {n} - len('{noun}')\n\n\n"
            for n, noun in enumerate(NOUNS[:10])
        ),
        "README.md": "# Stock\n\nCounts what is in store.\n",
    }
    root.mkdir(parents=True)
    for name, text in files.items():
        (root / name).write_text(text, encoding="utf-8")
    return root


def adapted(
    order: Order,
    state: StatePaths,
    engine: EngineSession,
    on_report: Callable[[dict[str, Any]], None] = lambda _data: None,
    stop: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Adapt in this process with the tiny recipe."""
    info = engine.load(order.model)
    asking = Asking(engine, info)
    return Adaptation(order, state, asking, on_report, stop, RECIPE).run()
