"""docs/performance.md from the results: the words by hand in performance.in.md, the tables and
plots from benchmarks/results. The same results make the same page.

    python -m benchmarks.page       writes it anew, after a change of the words; bin/bench does, too
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import plots

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS = HERE / "results"
PAGE = ROOT / "docs/performance.md"
IMAGES = "images/performance-{}.svg"
"""Where a plot lies, seen from the page."""

NAMES = ("webhook", "pages", "history", "burst", "scale", "cold", "lighthouse", "admin")
"""All benchmarks, in the order of the page."""

NOT_YET = "*Not measured yet: `bin/bench {}`.*"
NOTHING_YET = "*Not measured yet: `bin/bench`.*"
WORDS_OF_THE_MACHINE = {
    "memory_gib": "memory, GiB",
    "sync_microseconds": "a sync to disk, µs (median of 300)",
    "slowest_sync_microseconds": "the slowest of them, µs",
    "ten_million_loops_seconds": "ten million empty loops of Python, s",
    "postgresql": "PostgreSQL",
    "sqlite": "SQLite",
    "sqlalchemy": "SQLAlchemy",
    "flask": "Flask",
    "python": "Python",
}
Result = Mapping[str, Any]


def write(results: Path, page: Path) -> None:
    """Write the page and its plots from all results of the folder."""
    for path, text in made(results, page).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def made(results: Path, page: Path) -> dict[Path, str]:
    """The text of the page and of each plot, by their files."""
    found = {name: _read(results / f"{name}.json") for name in NAMES}
    there = {name: result for name, result in found.items() if result is not None}
    files = {}
    for name, result in there.items():
        for file, plot in _plots(name, result):
            files[page.parent / file] = plots.drawn(plot)
    files[page] = _page(there)
    return files


def _read(path: Path) -> Result | None:
    return json.loads(path.read_text()) if path.exists() else None


def _page(results: Mapping[str, Result]) -> str:
    parts = {
        "goals": _goals(results),
        "machine": _machine(results),
        "tried": (HERE / "tried.md").read_text().strip(),
        **{name: _section(name, results.get(name)) for name in NAMES},
    }
    template = (HERE / "performance.in.md").read_text()
    return re.sub(r"\{\{ (\w+) \}\}", lambda found: parts[found[1]], template)


def _goals(results: Mapping[str, Result]) -> str:
    rows = [
        {
            "": name,
            "what": ratio["name"],
            "goal": f"{'≥' if ratio['at_least'] else '≤'} {_with_unit(ratio['goal'], ratio)}",
            "measured": f"**{_with_unit(ratio['value'], ratio)}**",
            "met": "yes" if ratio["met"] else "**no**",
        }
        for name, result in results.items()
        for ratio in result["ratios"]
    ]
    return _table(rows) if rows else NOTHING_YET


def _with_unit(value: float, ratio: Mapping[str, Any]) -> str:
    return f"{plots.number(value)} {ratio['unit']}".strip()


def _machine(results: Mapping[str, Result]) -> str:
    if not results:
        return NOTHING_YET
    newest = max(results.values(), key=lambda result: str(result["date"]))
    rows = [
        {"": WORDS_OF_THE_MACHINE.get(name, name), "of the newest run": value}
        for name, value in newest["machine"].items()
    ]
    return _table(rows)


def _section(name: str, result: Result | None) -> str:
    if result is None:
        return NOT_YET.format(name)
    parts = [_provenance(name, result), *_tables(result["figures"])]
    parts += [f"![{plot.title}]({file})" for file, plot in _plots(name, result)]
    if result["notes"]:
        parts.append("\n".join(f"* {note}" for note in result["notes"]))
    return "\n\n".join(parts)


def _provenance(name: str, result: Result) -> str:
    machine = result["machine"]
    loads = [each["foreign_percent"] for each in result["load"]]
    foreign = f"; before it others took up to {max(loads):.0f} % of the processors" if loads else ""
    return (
        f"`bin/bench {name}` at {result['commit']} on {result['date'][:10]}, rounds: "
        f"{result['rounds']}, {result['seconds']} s. A sync took "
        f"{machine['sync_microseconds']} µs, "
        f"ten million loops {machine['ten_million_loops_seconds']} s{foreign}."
    )


def _plots(name: str, result: Result) -> list[tuple[str, plots.Plot]]:
    return [
        (IMAGES.format(f"{name}-{place}"), plots.restored(facts))
        for place, facts in enumerate(result["plots"], start=1)
    ]


def _tables(figures: Mapping[str, Any]) -> list[str]:
    """A table for each list or dict of dicts; one for all single figures."""
    single = [{"": _words(k), "measured": v} for k, v in figures.items() if not _is_many(v)]
    tables = [_table(single)] if single else []
    for name, value in figures.items():
        if name != "raw" and _is_many(value):
            tables.append(f"**{_words(name).capitalize()}**\n\n{_table(_rows(value))}")
    return tables


def _is_many(value: Any) -> bool:
    return isinstance(value, list | dict)


def _rows(value: Any) -> Sequence[Mapping[str, Any]]:
    if isinstance(value, list):
        return value
    if all(isinstance(it, dict) for it in value.values()):
        return [{"": key, **it} for key, it in value.items()]
    return [{"": _words(key), "measured": it} for key, it in value.items()]


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Columns in the order in which rows first name them; what a row lacks stays empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    lines = [
        "| " + " | ".join(_words(name) for name in columns) + " |",
        "|" + "|".join("---" for _ in columns) + "|",
    ]
    lines += ["| " + " | ".join(_cell(row.get(name)) for name in columns) + " |" for row in rows]
    return "\n".join(lines)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return plots.number(value) if isinstance(value, int | float) else str(value).replace("|", "\\|")


if __name__ == "__main__":
    write(RESULTS, PAGE)
