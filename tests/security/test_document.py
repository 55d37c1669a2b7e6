"""docs/security.md names every attack, and tests that there are."""

import re
from pathlib import Path

from storefront.config import ROOT

DOCUMENT = ROOT / "docs/security.md"
ATTACKS = [f"S{number}" for number in range(1, 41)]
ROW = re.compile(r"^\| (S\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
TEST = re.compile(r"\[(test_\w+)\]\(([^)]+)\)")


def rows() -> list[tuple[str, str, str, str]]:
    return ROW.findall(DOCUMENT.read_text())


def test_every_attack_is_answered_by_tests_or_by_a_reason() -> None:
    assert [row[0] for row in rows()] == ATTACKS
    without = [row[0] for row in rows() if not TEST.search(row[3])]
    reasons = [row[0] for row in rows() if row[2].startswith("does not apply: ")]
    assert without == reasons


def test_every_test_that_it_names_is_there() -> None:
    for _, _, _, tests in rows():
        for name, path in TEST.findall(tests):
            assert f"def {name}(" in (DOCUMENT.parent / path).read_text(), name


def test_it_names_every_attack_that_is_tried_here() -> None:
    named = set(TEST.findall(DOCUMENT.read_text()))
    for file in Path(__file__).parent.glob("test_*.py"):
        if file == Path(__file__):
            continue
        for name in re.findall(r"^def (test_\w+)\(", file.read_text(), re.MULTILINE):
            assert (name, f"../tests/security/{file.name}") in named, name
