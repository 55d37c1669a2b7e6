"""The testing checklist names tests that there are."""

import re

from storefront.config import ROOT

CHECKLIST = ROOT / "docs/testing-checklist.md"
LINE = re.compile(r"^\| ☑ \| (?P<what>[^|]+) \| (?P<tests>[^|]+) \|$")
TEST = re.compile(r"\[(test_\w+)\]\(([^)]+)\)")


def lines() -> list[re.Match[str]]:
    """Its rows; those that are not ticked, or written otherwise, are found missing."""
    rows = [it for it in CHECKLIST.read_text().splitlines() if it.startswith("| ")]
    matches = [(row, LINE.match(row)) for row in rows if not row.startswith("| | what |")]
    assert [row for row, match in matches if match is None] == []
    return [match for _, match in matches if match is not None]


def test_every_line_is_ticked_and_names_a_test() -> None:
    found = lines()
    assert len(found) >= 20
    assert [line["what"] for line in found if not TEST.search(line["tests"])] == []


def test_every_test_that_is_named_exists() -> None:
    named = {test for line in lines() for test in TEST.findall(line["tests"])}
    missing = {
        (name, path)
        for name, path in named
        if f"def {name}(" not in (CHECKLIST.parent / path).read_text()
    }
    assert missing == set()
