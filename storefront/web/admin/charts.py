"""Small charts, drawn here as SVG: no script, no library, and every number also as text."""

from collections.abc import Callable
from dataclasses import dataclass

from storefront.admin.overview import Series

WIDTH, HEIGHT = 300, 72
GAP = 2


@dataclass(frozen=True)
class Bar:
    """A day's column. `label` says the day and the value."""

    x: float
    y: float
    width: float
    height: float
    label: str


@dataclass(frozen=True)
class Chart:
    """`now` is the number to read first, `summary` the whole chart in a sentence. A flow is drawn
    as columns, a stock as an `area` (SVG path data) under columns that only carry labels."""

    title: str
    now: str
    about: str
    summary: str
    bars: tuple[Bar, ...]
    rows: tuple[tuple[str, str], ...]
    area: str | None = None
    line: str | None = None


def flow(title: str, series: Series, text: Callable[[int], str]) -> Chart:
    """What came each day: the sum is the number to read."""
    peak = max(series.values) or 1
    heights = [value / peak * (HEIGHT - 4) for value in series.values]
    span = f"{len(series.days)} days"
    summary = (
        f"{title}, the last {span}: {text(series.total)} in all, {text(max(series.values))} on the"
        f" busiest day, {text(series.last)} today."
    )
    about = f"in {span}, {text(series.last)} today"
    rows = _rows(series, text)
    return Chart(title, text(series.total), about, summary, _bars(rows, heights), rows)


def stock(title: str, series: Series, text: Callable[[int], str]) -> Chart:
    """What there was at the end of each day: the last one is the number to read."""
    low, high = min(0, *series.values), max(series.values)
    spread = (high - low) or 1
    heights = [(value - low) / spread * (HEIGHT - 4) for value in series.values]
    first, last = text(series.values[0]), text(series.last)
    span = f"{len(series.days)} days"
    summary = (
        f"{title}, the last {span}: from {first} to {last}, between {text(min(series.values))} and"
        f" {text(high)}."
    )
    step = WIDTH / (len(heights) - 1)
    points = [f"{x * step:.1f},{HEIGHT - height:.1f}" for x, height in enumerate(heights)]
    line = "M" + " L".join(points)
    area = f"{line} L{WIDTH},{HEIGHT} L0,{HEIGHT} Z"
    rows = _rows(series, text)
    change = series.last - series.values[0]
    about = f"{'+' if change > 0 else ''}{text(change)} in {span}" if change else f"as {span} ago"
    return Chart(title, last, about, summary, _bars(rows, heights), rows, area, line)


def _rows(series: Series, text: Callable[[int], str]) -> tuple[tuple[str, str], ...]:
    both = zip(series.days, series.values, strict=True)
    return tuple((f"{day:%-d %b %Y}", text(value)) for day, value in both)


def _bars(rows: tuple[tuple[str, str], ...], heights: list[float]) -> tuple[Bar, ...]:
    step = WIDTH / len(heights)
    return tuple(
        Bar(
            round(number * step + GAP / 2, 1),
            round(HEIGHT - height, 1),
            round(step - GAP, 1),
            round(height, 1),
            f"{day}: {value}",
        )
        for number, ((day, value), height) in enumerate(zip(rows, heights, strict=True))
    )
