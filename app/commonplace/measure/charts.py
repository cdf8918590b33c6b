"""Charts as SVG text: bars with intervals, saves over time, a curve of training.

Colours are CSS variables (`--ink`, `--faint`, `--line`, `--good`, `--bad`, `--plain`,
`--paper`), which the page around them sets for light and for dark; `standalone` sets
them for a file by itself. Every chart has a title that is read aloud, and says the
figures that it draws, so nothing depends on seeing colours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from commonplace.measure.results import Estimate, Point, Touch

Tone = Literal["good", "bad", "plain"]
WIDTH = 720
LABEL, VALUE, ROW, TOP, FOOT = 140, 210, 30, 8, 26
"""Pixels: the labels' column, the values' column, a row, and the margins."""
PLOT = WIDTH - LABEL - VALUE
SIDE = 80
TEXT = 'font-family="system-ui, sans-serif" font-size="13"'
COLOURS = (
    "--ink:#1d2329;--faint:#5c6773;--line:#d5dbe1;--good:#2c7a4b;--bad:#b3402a;"
    "--plain:#3f6b9e;--paper:#ffffff"
)
DARK_COLOURS = (
    "--ink:#e6e9ed;--faint:#9aa5b1;--line:#3b444d;--good:#5fbf86;--bad:#ef8a72;"
    "--plain:#86b1e6;--paper:#171b1f"
)


@dataclass(frozen=True, slots=True)
class Bar:
    """A labelled value with its interval; `shown` is what stands beside it."""

    label: str
    value: Estimate
    shown: str
    tone: Tone = "plain"


def safe(text: str) -> str:
    """Return text from a project as text of a page: escaped, and all of it characters."""
    shown = text.encode("utf-8", "replace").decode()
    printable = "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in shown)
    return escape(printable, quote=True)


def bars(title: str, rows: Sequence[Bar], *, unit: str = "") -> str:
    """Return horizontal bars from zero; a thin line over each is its 95 % interval."""
    ends = [edge for bar in rows for edge in (bar.value.low, bar.value.high, bar.value.value)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    scale = _Scale(low, high, LABEL, LABEL + PLOT)
    height = TOP + ROW * len(rows) + FOOT
    parts = [_grid(scale, TOP, TOP + ROW * len(rows), unit)]
    for number, bar in enumerate(rows):
        middle = TOP + ROW * number + ROW / 2
        parts.append(_bar(bar, scale, middle))
    return _svg(title, height, "".join(parts))


def saves(title: str, touches: Sequence[Touch]) -> str:
    """Return the time that each save took to be found, over the time it was made."""
    last = max((t.at for t in touches), default=0.0) or 1.0
    longest = max((t.waited for t in touches), default=0.0) or 1.0
    across = _Scale(0.0, last, SIDE, WIDTH - 30)
    height = 200
    up = _Scale(0.0, longest, height - 36, 16)
    parts = [_grid_up(up, SIDE, WIDTH - 30, "s")]
    for touch in touches:
        x, y = across.at(touch.at), up.at(touch.waited)
        tone = "plain" if touch.found else "bad"
        said = f"{touch.action}, found after {touch.waited:.2f} s"
        if not touch.found:
            said = f"{touch.action}, not found in {touch.waited:.0f} s"
        parts.append(
            f'<g><title>{safe(said)}</title><line x1="{x:.1f}" y1="{up.at(0):.1f}" x2="{x:.1f}" '
            f'y2="{y:.1f}" stroke="var(--{tone})" stroke-width="2"/>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="var(--{tone})"/></g>'
        )
    parts.append(_text(SIDE, height - 6, "saved, seconds from the start", "faint", "start"))
    parts.append(_text(WIDTH - 30, height - 6, f"{last:.0f} s", "faint", "end"))
    return _svg(title, height, "".join(parts))


def curve(title: str, points: Sequence[Point]) -> str:
    """Return the losses of a training over its steps: on what it reads, and held out."""
    losses = [(p.step, p.loss) for p in points]
    heldout = [(p.step, p.heldout) for p in points if p.heldout is not None]
    values = [value for _, value in (*losses, *heldout)]
    height = 220
    across = _Scale(0, max(p.step for p in points) or 1, SIDE, WIDTH - 120)
    up = _Scale(min(values), max(values), height - 36, 16)
    parts = [_grid_up(up, SIDE, WIDTH - 120, "nats")]
    for name, line, tone, dash in (
        ("training", losses, "plain", ""),
        ("held out", heldout, "good", ' stroke-dasharray="6 4"'),
    ):
        if not line:
            continue
        path = " ".join(f"{across.at(x):.1f},{up.at(y):.1f}" for x, y in line)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="var(--{tone})" stroke-width="2"{dash}/>'
        )
        parts.append(_text(WIDTH - 112, up.at(line[-1][1]) + 4, name, tone, "start"))
    parts.append(_text(SIDE, height - 6, "step", "faint", "start"))
    return _svg(title, height, "".join(parts))


def standalone(svg: str) -> str:
    """Return a chart as a file by itself, which follows the light or dark of its reader."""
    style = (
        f"<style>svg{{{COLOURS};background:var(--paper)}}"
        f"@media(prefers-color-scheme:dark){{svg{{{DARK_COLOURS}}}}}</style>"
    )
    head, mark, rest = svg.partition(">")
    return f"{head}{mark}{style}{rest}\n"


class _Scale:
    """Places values between two pixels."""

    def __init__(self, low: float, high: float, first: float, last: float) -> None:
        if high <= low:
            high = low + 1
        self.step = _step(high - low)
        self.low = math.floor(low / self.step + 1e-9) * self.step
        self.high = math.ceil(high / self.step - 1e-9) * self.step
        self._first, self._last = first, last

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self._first + share * (self._last - self._first)

    def ticks(self) -> list[float]:
        count = round((self.high - self.low) / self.step)
        return [self.low + number * self.step for number in range(count + 1)]


def _step(span: float) -> float:
    """Return a round distance between grid lines: about four of them."""
    rough = span / 4
    power = float(10 ** math.floor(math.log10(rough)))
    return next(power * size for size in (1, 2, 2.5, 5, 10) if power * size >= rough * 0.999)


def _bar(bar: Bar, scale: _Scale, middle: float) -> str:
    zero, end = scale.at(0), scale.at(bar.value.value)
    low, high = scale.at(bar.value.low), scale.at(bar.value.high)
    left, width = min(zero, end), max(abs(end - zero), 1)
    return (
        f"<g><title>{safe(f'{bar.label}: {bar.shown}')}</title>"
        + _text(LABEL - 10, middle + 4.5, bar.label, "ink", "end")
        + f'<rect x="{left:.1f}" y="{middle - 8:.1f}" width="{width:.1f}" height="16" rx="2" '
        f'fill="var(--{bar.tone})" fill-opacity="0.55"/>'
        f'<path d="M{low:.1f} {middle:.1f}H{high:.1f}M{low:.1f} {middle - 5:.1f}v10'
        f'M{high:.1f} {middle - 5:.1f}v10" stroke="var(--ink)" stroke-width="1.5" fill="none"/>'
        + _text(WIDTH - VALUE + 14, middle + 4.5, bar.shown, "ink", "start")
        + "</g>"
    )


def _grid(scale: _Scale, top: float, bottom: float, unit: str) -> str:
    parts = []
    for tick in scale.ticks():
        x = scale.at(tick)
        strong = "--faint" if abs(tick) < scale.step / 1e6 else "--line"
        parts.append(
            f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}" stroke="var({strong})"/>'
        )
        parts.append(_text(x, bottom + 17, f"{_short(tick)}{unit}", "faint", "middle"))
    return "".join(parts)


def _grid_up(scale: _Scale, left: float, right: float, unit: str) -> str:
    parts = []
    for tick in scale.ticks():
        y = scale.at(tick)
        parts.append(
            f'<line x1="{left:.1f}" y1="{y:.1f}" x2="{right:.1f}" y2="{y:.1f}" '
            'stroke="var(--line)"/>'
        )
        parts.append(_text(left - 8, y + 4, f"{_short(tick)} {unit}", "faint", "end"))
    return "".join(parts)


def _short(value: float) -> str:
    return f"{value:.6g}" if abs(value) > 1e-9 else "0"


def _text(x: float, y: float, text: str, tone: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {TEXT} fill="var(--{tone})">'
        f"{safe(text)}</text>"
    )


def _svg(title: str, height: float, inside: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'role="img" aria-label="{safe(title)}"><title>{safe(title)}</title>{inside}</svg>'
    )
