"""The shop's own source files, parsed, for rules that are read off them."""

import ast
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from storefront.config import ROOT

PACKAGE = ROOT / "storefront"


@dataclass(frozen=True)
class Source:
    """One file. `noun` is its room: `payments`, `ledger`, `web`, `fakestripe`, `__init__` …"""

    path: Path
    tree: ast.Module

    @property
    def noun(self) -> str:
        first = self.path.relative_to(PACKAGE).parts[0]
        return first.removesuffix(".py")

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def module(self) -> str:
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cache  # noqa: B019 - there are as many as files, for the time of the run
    def imports(self) -> frozenset[str]:
        """Every imported name in full, wherever the import stands: storefront.db.transaction."""
        return frozenset(self._imports())

    def _imports(self) -> Iterator[str]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute(node)
                yield from (f"{base}.{alias.name}" for alias in node.names)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        is_package = self.path.name == "__init__.py"
        parts = self.module.split(".")
        base = parts[: len(parts) - node.level + (1 if is_package else 0)]
        return ".".join([*base, *([node.module] if node.module else [])])


@cache
def all_sources() -> tuple[Source, ...]:
    files = sorted(PACKAGE.rglob("*.py"))
    return tuple(Source(path, ast.parse(path.read_text())) for path in files)


Rule = Callable[[Source], None]


def held_by_all(rule: Rule) -> Callable[[], None]:
    """A test that every file of the shop's keeps this rule, which raises AssertionError when a file
    breaks it. (One test for all of them: there are hundreds of files.)"""
    return _test(rule, lambda _source: True)


def held_in(rooms: Collection[str]) -> Callable[[Rule], Callable[[], None]]:
    """The same for the files of some rooms."""
    return lambda rule: _test(rule, lambda source: source.noun in rooms)


def _test(rule: Rule, concerns: Callable[[Source], bool]) -> Callable[[], None]:
    def holds() -> None:
        broken = []
        for source in filter(concerns, all_sources()):
            try:
                rule(source)
            except AssertionError as error:
                broken.append(f"{source.name}: {error}")
        assert not broken, "\n".join(broken)

    holds.__name__, holds.__doc__ = rule.__name__, rule.__doc__
    return holds
