"""Money as people read it and as Stripe counts it: whole minor units, never floats."""

from decimal import Decimal
from functools import lru_cache

from babel.numbers import format_currency

LOCALE = "en_US"
MAXIMUM_AMOUNT = 99_999_999
"""Stripe takes at most eight digits (docs.stripe.com/currencies)."""

ZERO_DECIMAL = frozenset(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF".lower().split()
)
"""Currencies whose smallest unit is the unit itself (docs.stripe.com/currencies)."""

MINIMUM_AMOUNTS = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500,
    "dkk": 250, "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000,
    "myr": 200, "nok": 300, "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip
"""The least that Stripe charges, in minor units
(docs.stripe.com/currencies#minimum-and-maximum-charge-amounts). Only
currencies with a published minimum are offered."""


def minor_units(currency: str) -> int:
    """How many minor units make one unit: 100 for USD, 1 for JPY."""
    return 1 if currency in ZERO_DECIMAL else 100


@lru_cache(maxsize=4096)  # a page shows a dozen, and each takes Babel longer than a query takes
def format_money(amount: int, currency: str, *, short: bool = False) -> str:
    """`amount` in minor units as text: $10.00; short leaves out empty cents: $10."""
    units = Decimal(amount) / minor_units(currency)
    whole = short and units == units.to_integral_value()
    text: str = format_currency(
        units,
        currency.upper(),
        format="¤#,##0" if whole else None,
        locale=LOCALE,
        currency_digits=not whole,
    )
    return text


def format_credits(credits: int) -> str:
    """1,000, and −250 with a true minus sign."""
    return f"{credits:,}".replace("-", "−")


def format_signed(credits: int) -> str:
    """+1,000 or −250."""
    return ("+" if credits > 0 else "") + format_credits(credits)
