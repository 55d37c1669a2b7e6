"""The whole catalogue: reading the file, what must hold between its entries, finding things."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

from storefront.catalog.packs import Pack, read_pack
from storefront.catalog.plan_reader import read_plan
from storefront.catalog.plans import Plan
from storefront.catalog.reader import Entry, Text
from storefront.errors import BadInput, ConfigError
from storefront.money import minor_units

T = TypeVar("T")


@dataclass(frozen=True)
class Catalog:
    packs: tuple[Pack, ...]
    plans: tuple[Plan, ...] = ()

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

    def plan(self, code: object) -> Plan:
        """The plan with this code. Raises BadInput that names the codes there are."""
        plan = self.find_plan(code)
        if plan is None:
            codes = ", ".join(plan.code for plan in self.plans) or "none"
            raise BadInput(f"There is no such plan. Plans: {codes}.")
        return plan

    def find_plan(self, code: object) -> Plan | None:
        """The plan with this code, or None: what was sold may have left the catalogue."""
        return next((plan for plan in self.plans if plan.code == code), None)

    def name_of(self, code: str) -> str:
        """The name of a pack or a plan; its code when it has left the catalogue."""
        sold: tuple[Pack | Plan, ...] = (*self.packs, *self.plans)
        return next((it.name for it in sold if it.code == code), code)

    @property
    def free_plan(self) -> Plan | None:
        """What customers have who have nothing else, if there is such a plan."""
        return next((plan for plan in self.plans if plan.billing == "free"), None)


def load(path: Path) -> Catalog:
    """Read and check the catalogue. Raises ConfigError with file, line and what is right."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name}: cannot be read ({error}).") from None
    return parse(text, path.name)


def parse(text: str, name: str = "catalog.toml") -> Catalog:
    """The catalogue in this text. Raises ConfigError as load() does."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: {error}.") from None
    for key in document:
        if key not in ("packs", "plans"):
            raise ConfigError(f"{name}:1: unknown table {key!r}; known: packs, plans.")
    source = Text(text, name)
    packs = _read(source, "packs", document, read_pack)
    if not packs:
        raise ConfigError(f"{name}:1: there are no [[packs]]; at least one is needed.")
    plans = _read(source, "plans", document, read_plan)
    _check_codes([*packs, *plans])
    _check_one_free(plans)
    _check_stripe_prices(plans)
    return Catalog(tuple(pack for _, pack in packs), tuple(plan for _, plan in plans))


def _read(
    source: Text, section: str, document: Mapping[str, Any], read: Callable[[Entry], T]
) -> list[tuple[Entry, T]]:
    given = document.get(section, [])
    if not isinstance(given, list) or not all(isinstance(values, dict) for values in given):
        raise ConfigError(
            f"{source.name}:1: {section} must be [[{section}]] tables; at least one is needed."
        )
    entries = [Entry(source, section, index, values) for index, values in enumerate(given)]
    return [(entry, read(entry)) for entry in entries]


def _check_codes(sold: list[tuple[Entry, Any]]) -> None:
    """A payment names what it is for by its code alone."""
    seen: dict[str, int] = {}
    for entry, thing in sold:
        if thing.code in seen:
            entry.fail("code", f"{thing.code!r} is taken by line {seen[thing.code]}")
        seen[thing.code] = entry.line("code")


def _check_one_free(plans: list[tuple[Entry, Plan]]) -> None:
    free = [entry for entry, plan in plans if plan.billing == "free"]
    for entry in free[1:]:
        entry.fail("billing", f"there is one free plan at most, and line {free[0].line('')} has it")


def _check_stripe_prices(plans: list[tuple[Entry, Plan]]) -> None:
    """A price id must lead back to one plan and interval."""
    seen: dict[str, str] = {}
    for entry, plan in plans:
        for mode, ids in plan.stripe.items():
            for interval, price_id in ids.prices.items():
                where = f"{plan.code}, {interval}, {mode}"
                if price_id in seen:
                    inner = entry.inner("stripe").inner(mode)
                    inner.fail(interval, f"{price_id} is the price of {seen[price_id]} already")
                seen[price_id] = where


def _price_from_json(amount: object, currency: str) -> int | None:
    """Whole units as JSON gave them (int, or a float such as 7.5) in minor units, exactly."""
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        raise BadInput("The amount must be a number, such as 10.")
    try:
        minor = Decimal(str(amount)) * minor_units(currency)
        return int(minor) if minor == minor.to_integral_value() else None
    except (InvalidOperation, OverflowError, ValueError):
        return None
