"""The guides: their examples import what there is, every test card and every address is told of."""

import ast
import re
from importlib import import_module

import pytest
from flask import Flask
from werkzeug.routing import Rule

from storefront.config import ROOT
from storefront.fakestripe.cards import CARDS

GUIDES = sorted((ROOT / "docs").rglob("*.md"))
CODE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
ROUTES = re.compile(r"^\| `([A-Z]+) ([^`]+)` \| (\w[^|]*) \| \S", re.MULTILINE)


def examples() -> list[tuple[str, str]]:
    return [(guide.name, code) for guide in GUIDES for code in CODE.findall(guide.read_text())]


def test_examples_are_python_and_import_what_there_is() -> None:
    assert len(examples()) >= 4
    for guide, code in examples():
        for node in ast.walk(ast.parse(code, guide)):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("storefront"):
                module = import_module(str(node.module))
                missing = [it.name for it in node.names if not _has(module.__name__, it.name)]
                assert missing == [], f"{guide}: {node.module} has no {missing}"


def _has(module: str, name: str) -> bool:
    if hasattr(import_module(module), name):
        return True
    return bool(import_module(f"{module}.{name}"))


def test_every_test_card_is_in_the_guide_to_testing() -> None:
    listed = re.findall(r"^\| ([0-9 ]{15,}) \| \S", (ROOT / "docs/testing.md").read_text(), re.M)
    assert {it.replace(" ", "") for it in listed} == {it.number for it in CARDS if it.number}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_address_is_in_the_list_of_routes(app: Flask) -> None:
    """| `METHOD /path` | who may | what |"""
    listed = {(method, path) for method, path, _ in ROUTES.findall(_routes())}
    served = {(method, rule.rule) for rule in app.url_map.iter_rules() for method in _methods(rule)}
    assert listed == {it for it in served if not it[1].startswith(("/static/", "/bootstrap/"))}


def _routes() -> str:
    return (ROOT / "docs/routes.md").read_text()


def _methods(rule: Rule) -> set[str]:
    return set(rule.methods or ()) - {"HEAD", "OPTIONS"}
