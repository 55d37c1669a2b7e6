"""Plots as SVG texts that read well in light and dark, and are the same for the same figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10
from typing import Any

WIDTH, MARGIN = 720, 16
LABEL_WIDTH, BAR_HEIGHT, GAP = 230, 20, 10
TITLE_HEIGHT, LINES_HEIGHT = 44, 260
AXIS_WIDTH, AXIS_HEIGHT = 64, 28
LEGEND_GAP, LETTER_WIDTH = 36, 6.6
COLOURS = ("a", "b", "c", "d")
STYLE = """<style>
  .paper { fill: #ffffff } .ink { fill: #1f2328 } .soft { fill: #59636e } .rule { stroke: #d1d9e0 }
  .a { fill: #0a58ca; stroke: #0a58ca } .b { fill: #b35900; stroke: #b35900 }
  .c { fill: #2f7d32; stroke: #2f7d32 } .d { fill: #8250df; stroke: #8250df }
  .line { fill: none; stroke-width: 2 } text { font: 13px system-ui, sans-serif }
  text.a, text.b, text.c, text.d { stroke: none; font-size: 12px }
  .title { font-weight: 600; font-size: 15px }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } .ink { fill: #f0f6fc } .soft { fill: #9198a1 }
    .rule { stroke: #3d444d }
    .a { fill: #6ea8fe; stroke: #6ea8fe } .b { fill: #ffa657; stroke: #ffa657 }
    .c { fill: #7ee787; stroke: #7ee787 } .d { fill: #d2a8ff; stroke: #d2a8ff }
  }
</style>"""


@dataclass(frozen=True)
class Bars:
    """One bar for each label; `unit` stands in the title."""

    title: str
    unit: str
    values: Mapping[str, float]


@dataclass(frozen=True)
class Lines:
    """Up to four lines of points (x, y), sharing their axes, which begin at 0."""

    title: str
    x_unit: str
    y_unit: str
    series: Mapping[str, Sequence[tuple[float, float]]]


Plot = Bars | Lines


def stored(plot: Plot) -> dict[str, Any]:
    """As a result keeps it."""
    return {"kind": type(plot).__name__, **vars(plot)}


def restored(facts: Mapping[str, Any]) -> Plot:
    kinds = {"Bars": Bars, "Lines": Lines}
    return kinds[facts["kind"]](**{name: it for name, it in facts.items() if name != "kind"})


def drawn(plot: Plot) -> str:
    """The plot as an SVG document."""
    return _bars(plot) if isinstance(plot, Bars) else _lines(plot)


def number(value: float) -> str:
    """A figure as the page shows it: three digits that mean something."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    size = abs(value)
    if size < 1:
        return f"{value:.3g}"
    return f"{value:,.{0 if size >= 100 else 1 if size >= 10 else 2}f}"


def _bars(plot: Bars) -> str:
    longest = max(plot.values.values(), default=0) or 1
    room = WIDTH - LABEL_WIDTH - 2 * MARGIN - 80
    parts = []
    for row, (label, value) in enumerate(plot.values.items()):
        top = TITLE_HEIGHT + row * (BAR_HEIGHT + GAP)
        length = max(1.0, room * value / longest)
        base = top + BAR_HEIGHT - 5
        parts += [
            _text(LABEL_WIDTH, base, label, "ink", "end"),
            f'<rect class="a" x="{LABEL_WIDTH + 10}" y="{top}" width="{length:.1f}" '
            f'height="{BAR_HEIGHT}" rx="3"/>',
            _text(LABEL_WIDTH + 18 + length, base, number(value), "soft"),
        ]
    height = TITLE_HEIGHT + len(plot.values) * (BAR_HEIGHT + GAP) + MARGIN
    return _document(f"{plot.title} ({plot.unit})", height, parts)


def _lines(plot: Lines) -> str:
    points = [point for line in plot.series.values() for point in line]
    right = max((x for x, _ in points), default=1) or 1
    high = 4 * _round_step(max((y for _, y in points), default=1) / 3.8)
    room = WIDTH - AXIS_WIDTH - 2 * MARGIN

    def at(x: float, y: float) -> tuple[float, float]:
        return AXIS_WIDTH + room * x / right, TITLE_HEIGHT + 24 + LINES_HEIGHT * (1 - y / high)

    bottom = at(0, 0)[1]
    parts = []
    for step in range(5):
        x, y = right * step / 4, high * step / 4
        parts += [
            f'<path class="rule" d="M{AXIS_WIDTH},{at(0, y)[1]:.1f}h{room}"/>',
            _text(AXIS_WIDTH - 8, at(0, y)[1] + 4, number(round(y, 1)), "soft", "end"),
            _text(at(x, 0)[0], bottom + 20, number(round(x, 1)), "soft", "middle"),
        ]
    place: float = AXIS_WIDTH
    for colour, (label, line) in zip(COLOURS, plot.series.items(), strict=False):
        path = " ".join("{:.1f},{:.1f}".format(*at(x, y)) for x, y in line)
        parts.append(f'<polyline class="line {colour}" style="fill: none" points="{path}"/>')
        parts.append(_text(place, TITLE_HEIGHT + 8, f"■ {label}", colour))
        place += LEGEND_GAP + LETTER_WIDTH * len(label)
    height = bottom + AXIS_HEIGHT + MARGIN
    return _document(f"{plot.title} ({plot.y_unit} by {plot.x_unit})", height, parts)


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 2.5, 5, 10 and their powers of ten that is no less."""
    power = 10 ** floor(log10(least)) if least > 0 else 1
    return next(each * power for each in (1, 2, 2.5, 5, 10) if each * power >= least)


def _document(title: str, height: float, parts: list[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'width="{WIDTH}" height="{height:.0f}" role="img" aria-label="{escape(title)}">'
    )
    paper = f'<rect class="paper" width="{WIDTH}" height="{height:.0f}" rx="6"/>'
    name = _text(MARGIN, 28, title, "ink title")
    return "\n".join([head, STYLE, paper, name, *parts, "</svg>", ""])


def _text(x: float, y: float, text: str, look: str, anchor: str = "start") -> str:
    return (
        f'<text class="{look}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )
