"""fakestripe is a program of its own: what it may import, held as a rule."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakestripe.harness import ROOT

PACKAGE = ROOT / "storefront" / "fakestripe"
# Types, classes of resources, and the version: never the HTTP client.
FROM_STRIPE = {"stripe", "stripe.params", "stripe.params.billing_portal",
               "stripe.params.checkout", "stripe.params.radar", "stripe._api_version",
               "stripe._request_options", "stripe._stripe_object"}  # fmt: skip
FILES = sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Yield the absolute names of the modules that a file imports."""
    here = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level] if node.level else ()
            yield ".".join((*base, *(node.module or "").split("."))).rstrip(".")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_it_imports_nothing_of_the_shop_and_no_client(path: Path) -> None:
    for name in imports(path):
        if name.split(".")[0] == "storefront":
            assert name.startswith("storefront.fakestripe"), name
        if name.split(".")[0] == "stripe":
            assert name in FROM_STRIPE, name


def test_starting_it_loads_nothing_of_the_shop() -> None:
    code = (
        "import sys, storefront.fakestripe.__main__\n"
        "print([m for m in sys.modules if m.startswith('storefront.')"
        " and not m.startswith('storefront.fakestripe')])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
