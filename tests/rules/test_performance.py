"""docs/performance.md says what the results of the benchmarks say."""

import json
from pathlib import Path

import pytest

from benchmarks import page

RESULT = {
    "name": "webhook",
    "date": "2026-11-21T12:00:00+00:00",
    "commit": "0123456789",
    "rounds": 3,
    "seconds": 300,
    "machine": {"cores": 2, "sync_microseconds": 90, "ten_million_loops_seconds": 0.3},
    "load": [{"foreign_percent": 1.6}, {"foreign_percent": 0.2}],
    "figures": {"shops": {"ours": {"per_second": 2031.4}}, "events": 6000, "raw": {"no": "table"}},
    "ratios": [{"name": "of hello", "value": 0.3691, "goal": 0.37, "at_least": True, "unit": "",
                "met": False}],
    "notes": ["Each was credited once."],
    "plots": [{"kind": "Bars", "title": "Rates", "unit": "per second", "values": {"ours": 2031}}],
}  # fmt: skip


def test_the_page_and_its_plots_are_what_the_results_make() -> None:
    for path, text in page.made(page.RESULTS, page.PAGE).items():
        assert path.read_text() == text, (
            f"{path.name} is not of these results: python -m benchmarks.page"
        )


def test_a_result_becomes_tables_goals_and_a_plot(tmp_path: Path) -> None:
    (tmp_path / "webhook.json").write_text(json.dumps(RESULT))
    made = page.made(tmp_path, tmp_path / "performance.md")
    text = made[tmp_path / "performance.md"]
    assert "| webhook | of hello | ≥ 0.37 | **0.369** | **no** |" in text
    assert "| ours | 2,031 |" in text
    assert "| events | 6,000 |" in text
    assert "no table" not in text and "raw" not in text
    assert "* Each was credited once." in text
    assert "others took up to 2 % of the processors" in text
    assert "*Not measured yet: `bin/bench pages`.*" in text
    assert "2,031</text>" in made[tmp_path / "images/performance-webhook-1.svg"]


@pytest.mark.parametrize("name", page.NAMES)
def test_every_benchmark_has_its_place_in_the_page(name: str) -> None:
    assert f"{{{{ {name} }}}}" in (page.HERE / "performance.in.md").read_text()
    assert (page.HERE / f"{name}.py").exists()
