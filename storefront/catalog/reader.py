"""Checking one table of the catalogue, and finding the line of what is wrong in its text."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from storefront.errors import ConfigError
from storefront.money import MAXIMUM_AMOUNT, MINIMUM_AMOUNTS, format_money

CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
MAXIMUM_CREDITS = 1_000_000_000_000
HEAD = re.compile(r"\s*\[\[\s*([A-Za-z0-9_-]+)\s*\]\]")
WORDS = {
    str: "a text in quotes",
    int: "a whole number",
    bool: "true or false",
    list: "a list in [ ]",
    dict: "a table in { }",
}

Types = Mapping[str, type]


class Text:
    """The catalogue's text, for finding lines; `name` is the file's name in messages."""

    def __init__(self, text: str, name: str) -> None:
        self.lines = text.splitlines()
        self.name = name

    def fail(self, line: int, message: str) -> NoReturn:
        raise ConfigError(f"{self.name}:{line}: {message}.")

    def extent(self, section: str, index: int) -> tuple[int, int] | None:
        """Where the index-th [[section]] begins, and where the next table of a list does (as
        indexes of lines); None for inline arrays of tables, which have no line of their own."""
        heads = [
            (at, match[1]) for at, line in enumerate(self.lines) if (match := HEAD.match(line))
        ]
        mine = [position for position, (_, name) in enumerate(heads) if name == section]
        if index >= len(mine):
            return None
        position = mine[index]
        end = heads[position + 1][0] if position + 1 < len(heads) else len(self.lines)
        return heads[position][0], end


class Entry:
    """One table: `values` as TOML gave them, with the place where it stands. `path` leads to a
    table inside of it, such as stripe.test."""

    def __init__(
        self, text: Text, section: str, index: int, values: Mapping[str, Any], path: str = ""
    ) -> None:
        self.text = text
        self.section = section
        self.index = index
        self.values = values
        self.path = path

    def inner(self, key: str) -> "Entry":
        """The table under `key`; an empty one if there is none."""
        values = self.values.get(key, {})
        if not isinstance(values, dict):
            self.fail(key, f"{key} must be {WORDS[dict]}, not {values!r}")
        path = f"{self.path}.{key}" if self.path else key
        return Entry(self.text, self.section, self.index, values, path)

    def checked(self, required: Types, optional: Types, *, what: str) -> Mapping[str, Any]:
        """The values, once all keys are known, none is missing, and each is of its type."""
        known = {**required, **optional}
        self.refuse_unknown(known)
        for key in required:
            if key not in self.values:
                self.fail("", f"this {what} has no {key}")
        for key, value in self.values.items():
            if type(value) is not known[key]:
                self.fail(key, f"{key} must be {WORDS[known[key]]}, not {value!r}")
        return self.values

    def refuse_unknown(self, known: Iterable[str]) -> None:
        known = list(known)
        for key in self.values:
            if key not in known:
                self.fail(key, f"unknown key {key!r}; known: {', '.join(known)}")

    def check_code(self) -> None:
        if not CODE.fullmatch(self.values["code"]):
            self.fail("code", "code must be lower-case letters, digits, _ and -")

    def check_name(self) -> None:
        if not self.values["name"].strip():
            self.fail("name", "name is empty")

    def check_currency(self, currency: str) -> None:
        if currency not in MINIMUM_AMOUNTS:
            known = ", ".join(sorted(MINIMUM_AMOUNTS))
            self.fail("currency", f"unknown currency {currency!r}; known: {known}")

    def check_price(self, key: str, price: int, currency: str) -> None:
        self.check_currency(currency)
        minimum = MINIMUM_AMOUNTS[currency]
        if not minimum <= price <= MAXIMUM_AMOUNT:
            least = format_money(minimum, currency)
            self.fail(
                key, f"{key} {price} must be from {minimum} ({least}, the least "
                f"that Stripe charges) to {MAXIMUM_AMOUNT}; it is in minor units"
            )  # fmt: skip

    def fail(self, key: str, message: str) -> NoReturn:
        self.text.fail(self.line(key), message)

    def line(self, key: str) -> int:
        """The line (from 1) of `key`; the table's first line without one, or for a key that
        stands inside an inline table."""
        extent = self.text.extent(self.section, self.index)
        if extent is None:
            return 1
        first, end = extent
        if self.path:
            first, end = self._inner_extent(first, end)
        for number in range(first, end):
            if key and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", self.text.lines[number]):
                return number + 1
        for number in range(first, end):
            if key and self._opens(number, f"{self.path}.{key}" if self.path else key):
                return number + 1
        return first + 1

    def _inner_extent(self, first: int, end: int) -> tuple[int, int]:
        """From the line of [section.path], or of `path = {`, to the next head."""
        for number in range(first, end):
            if self._opens(number, self.path):
                stop = (n for n in range(number + 1, end) if self.text.lines[n].lstrip()[:1] == "[")
                return number, next(stop, end)
        key = self.path.split(".")[0]
        for number in range(first, end):
            if re.match(rf"\s*{re.escape(key)}\s*[.=]", self.text.lines[number]):
                return number, number + 1
        return first, end

    def _opens(self, number: int, path: str) -> bool:
        """Whether this line is the head [section.path]."""
        head = r"\s*\.\s*".join(map(re.escape, f"{self.section}.{path}".split(".")))
        return re.match(rf"\s*\[\s*{head}\s*\]", self.text.lines[number]) is not None
