"""Packs: credits for a price."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from storefront.catalog.reader import MAXIMUM_CREDITS, Entry
from storefront.money import format_money

REQUIRED = {"code": str, "name": str, "price": int, "currency": str, "credits": int}
OPTIONAL = {"bonus": int}


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


def read_pack(entry: Entry) -> Pack:
    """One [[packs]] table. Raises ConfigError with the line of what is wrong."""
    given: Mapping[str, Any] = entry.checked(REQUIRED, OPTIONAL, what="pack")
    pack = Pack(**given)
    entry.check_code()
    entry.check_name()
    entry.check_price("price", pack.price, pack.currency)
    if not 0 < pack.credits <= MAXIMUM_CREDITS:
        entry.fail("credits", f"credits must be from 1 to {MAXIMUM_CREDITS}")
    if not 0 <= pack.bonus < pack.credits:
        entry.fail("bonus", "bonus must be a part of credits: from 0 up, and less")
    return pack
