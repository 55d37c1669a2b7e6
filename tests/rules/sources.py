"""The shop's own source files, parsed, for rules that are read off them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
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

    def imports(self) -> Iterator[str]:
        """Every imported name in full, wherever the import stands: storefront.db.transaction."""
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


def all_sources() -> list[Source]:
    files = sorted(PACKAGE.rglob("*.py"))
    return [Source(path, ast.parse(path.read_text())) for path in files]
