"""Amounts, intervals and dates as people in the United States write them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_currency, get_currency_precision

from ..errors import JSON


def money(amount: int, currency: str) -> str:
    """The amount (minor units) in words: 1000 usd is $10.00, 1000 jpy is ¥1,000."""
    return format_currency(_major(amount, currency), currency.upper(), locale="en_US")


def money_with_code(amount: int, currency: str) -> str:
    """The amount for print in a font without every sign: 1000 usd is USD 10.00."""
    text = format_currency(_major(amount, currency), currency.upper(), "#,##0.00", locale="en_US")
    return f"{currency.upper()} {text}"


def every(recurring: JSON | None) -> str:
    """How often a price comes round: `per month`, `every 3 months`, or nothing."""
    if recurring is None:
        return ""
    count, interval = recurring["interval_count"], recurring["interval"]
    return f"per {interval}" if count == 1 else f"every {count} {interval}s"


def price_text(price: JSON) -> str:
    """A price with its interval: `$20.00 per month`, `$49.00`."""
    return f"{money(price['unit_amount'], price['currency'])} {every(price['recurring'])}".strip()


def day(moment: int | None) -> str:
    """A moment (Unix seconds) as a day in UTC: November 20, 2026."""
    if moment is None:
        return ""
    return format_date(datetime.fromtimestamp(moment, UTC), "MMMM d, y", locale="en_US")


def short_day(moment: int | None) -> str:
    """A moment (Unix seconds) as a short day in UTC: Nov 20, 2026."""
    if moment is None:
        return ""
    return format_date(datetime.fromtimestamp(moment, UTC), "MMM d, y", locale="en_US")


def _major(amount: int, currency: str) -> Decimal:
    return Decimal(amount) / Decimal(10) ** get_currency_precision(currency.upper())
