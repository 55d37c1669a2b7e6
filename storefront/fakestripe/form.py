"""Form bodies and query strings with nested keys: `a[b][c]=1`, `a[]=1`, `a[0][b]=1`.

Everything becomes nested dicts; a list is a dict with the keys "0", "1", … because only the
declared type of a parameter can tell a list from a hash whose keys happen to be numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl

from .errors import JSON, invalid

_KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_PART = re.compile(r"\[([^\[\]]*)\]")
_MAX_DEPTH = 12
_MAX_FIELDS = 2_000


def decode(text: str) -> JSON:
    """Return the nested dicts that a form body or a query string spells out.

    Leaves are strings. A later value for one key replaces the earlier one, as Stripe does.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except (ValueError, UnicodeDecodeError):
        raise invalid("Invalid request (the form body could not be decoded).") from None
    return nest(pairs)


def nest(pairs: Iterable[tuple[str, str]]) -> JSON:
    """Return `pairs` with their bracketed keys unfolded."""
    tree: JSON = {}
    for key, value in pairs:
        _put(tree, _path(key), value, key)
    return tree


def _path(key: str) -> list[str]:
    found = _KEY.match(key)
    if not found:
        raise invalid(f"Invalid parameter name: {key}", param=key)
    path = [found.group(1), *_PART.findall(found.group(2))]
    if len(path) > _MAX_DEPTH:
        raise invalid(f"Parameter is nested too deeply: {path[0]}", param=path[0])
    return path


def _put(tree: JSON, path: list[str], value: str, key: str) -> None:
    """Write one leaf at its path."""
    node = tree
    for name, following in zip(path, [*path[1:], None], strict=True):
        slot = _slot(node, name, following) if name == "" else name
        if following is None:
            node[slot] = value
            return
        child = node.setdefault(slot, {})
        if not isinstance(child, dict):
            raise invalid(f"Invalid object: {key} is given both as a value and as a hash", key)
        node = child


def _slot(node: JSON, name: str, following: str | None) -> str:
    """Number an `a[]`: a new item, unless `a[][b]` continues an item that has no `b` yet."""
    last = str(len(node) - 1)
    continues = following not in (None, "") and isinstance(node.get(last), dict)
    return last if continues and following not in node[last] else str(len(node))
