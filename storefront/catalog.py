"""What is for sale, read from catalog.toml into frozen dataclasses and checked at start-up."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from storefront.errors import BadInput, ConfigError
from storefront.money import MAXIMUM_AMOUNT, MINIMUM_AMOUNTS, format_money, minor_units

CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
MAXIMUM_CREDITS = 1_000_000_000_000
PACK_KEYS = {"code": str, "name": str, "price": int, "currency": str, "credits": int}
PACK_OPTIONAL_KEYS = {"bonus": int}


@dataclass(frozen=True)
class Pack:
    """Credits for a price. `price` is in minor units of `currency` (lower-case ISO code);
    `credits` is all that the buyer gets, `bonus` the part of it that is a gift."""

    code: str
    name: str
    price: int
    currency: str
    credits: int
    bonus: int = 0

    @property
    def label(self) -> str:
        """The short price, such as $10 or $7.50."""
        return format_money(self.price, self.currency, short=True)

    @property
    def price_text(self) -> str:
        """The full price, such as $10.00."""
        return format_money(self.price, self.currency)


@dataclass(frozen=True)
class Catalog:
    packs: tuple[Pack, ...]

    def pack(self, code: object) -> Pack:
        """The pack with this code. Raises BadInput that names the codes there are."""
        for pack in self.packs:
            if pack.code == code:
                return pack
        codes = ", ".join(pack.code for pack in self.packs)
        raise BadInput(f"There is no such pack. Choose one of: {codes}.")

    def pack_for_amount(self, amount: object, currency: str = "usd") -> Pack:
        """The pack that costs exactly `amount` in whole units of `currency` (10 is $10.00).

        Raises BadInput when the amount is no number or no pack has that price.
        """
        offered = [pack for pack in self.packs if pack.currency == currency]
        price = _price_from_json(amount, currency)
        for pack in offered:
            if pack.price == price:
                return pack
        amounts = ", ".join(pack.label for pack in offered) or "none"
        raise BadInput(f"This amount is not offered. Amounts on offer: {amounts}.")


def load(path: Path) -> Catalog:
    """Read and check the catalogue. Raises ConfigError with file, line and what is right."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name}: cannot be read ({error}).") from None
    return parse(text, path.name)


def parse(text: str, name: str = "catalog.toml") -> Catalog:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: {error}.") from None
    return Catalog(packs=tuple(_Reader(text, name).packs(document)))


def _price_from_json(amount: object, currency: str) -> int | None:
    """Whole units as JSON gave them (int, or a float such as 7.5) in minor units, exactly."""
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        raise BadInput("The amount must be a number, such as 10.")
    try:
        minor = Decimal(str(amount)) * minor_units(currency)
        return int(minor) if minor == minor.to_integral_value() else None
    except (InvalidOperation, OverflowError, ValueError):
        return None


class _Reader:
    """Checks a parsed catalogue, and finds the line of what is wrong in its text."""

    def __init__(self, text: str, name: str) -> None:
        self.lines = text.splitlines()
        self.name = name

    def packs(self, document: Mapping[str, Any]) -> Iterator[Pack]:
        self._refuse_unknown(document, {"packs"}, line=1, what="table")
        entries = document.get("packs")
        if not isinstance(entries, list) or not entries:
            raise ConfigError(f"{self.name}:1: there are no [[packs]]; at least one is needed.")
        seen: dict[str, int] = {}
        for index, entry in enumerate(entries):
            pack = self._pack(index, entry)
            if pack.code in seen:
                self._fail(index, "code", f"{pack.code!r} is taken by line {seen[pack.code]}")
            seen[pack.code] = self._line(index, "code")
            yield pack

    def _pack(self, index: int, entry: Mapping[str, Any]) -> Pack:
        known = PACK_KEYS | PACK_OPTIONAL_KEYS
        self._refuse_unknown(entry, known, line=self._line(index, ""), what="key", index=index)
        for key in PACK_KEYS:
            if key not in entry:
                self._fail(index, "", f"this pack has no {key}")
        for key, value in entry.items():
            if type(value) is not known[key]:
                wanted = "a whole number" if known[key] is int else "a text in quotes"
                self._fail(index, key, f"{key} must be {wanted}, not {value!r}")
        pack = Pack(**entry)
        self._check(index, pack)
        return pack

    def _check(self, index: int, pack: Pack) -> None:
        if not CODE.fullmatch(pack.code):
            self._fail(index, "code", "code must be lower-case letters, digits, _ and -")
        if not pack.name.strip():
            self._fail(index, "name", "name is empty")
        if pack.currency not in MINIMUM_AMOUNTS:
            known = ", ".join(sorted(MINIMUM_AMOUNTS))
            self._fail(index, "currency", f"unknown currency {pack.currency!r}; known: {known}")
        minimum = MINIMUM_AMOUNTS[pack.currency]
        if not minimum <= pack.price <= MAXIMUM_AMOUNT:
            least = format_money(minimum, pack.currency)
            self._fail(
                index, "price", f"price {pack.price} must be from {minimum} ({least}, the least "
                f"that Stripe charges) to {MAXIMUM_AMOUNT}; it is in minor units"
            )  # fmt: skip
        if not 0 < pack.credits <= MAXIMUM_CREDITS:
            self._fail(index, "credits", f"credits must be from 1 to {MAXIMUM_CREDITS}")
        if not 0 <= pack.bonus < pack.credits:
            self._fail(index, "bonus", "bonus must be a part of credits: from 0 up, and less")

    def _refuse_unknown(
        self,
        found: Mapping[str, Any],
        known: Iterable[str],
        *,
        line: int,
        what: str,
        index: int | None = None,
    ) -> None:
        known = list(known)
        for key in found:
            if key not in known:
                at = line if index is None else self._line(index, key)
                raise ConfigError(
                    f"{self.name}:{at}: unknown {what} {key!r}; known: {', '.join(known)}."
                )

    def _fail(self, index: int, key: str, message: str) -> None:
        raise ConfigError(f"{self.name}:{self._line(index, key)}: {message}.")

    def _line(self, index: int, key: str) -> int:
        """The line (from 1) of `key` in the index-th [[packs]] table; without it, of its head."""
        heads = [
            number
            for number, line in enumerate(self.lines)
            if re.match(r"\s*\[\[\s*packs\s*\]\]", line)
        ]
        if index >= len(heads):  # an inline array of tables: no line of its own
            return 1
        end = heads[index + 1] if index + 1 < len(heads) else len(self.lines)
        for number in range(heads[index], end):
            if key and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", self.lines[number]):
                return number + 1
        return heads[index] + 1
