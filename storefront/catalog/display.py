"""What the shop computes for showing, in whole numbers: shares, savings, the words of buttons."""

from dataclasses import dataclass
from string import Formatter
from typing import Literal

CtaState = Literal["current", "purchased", "upgrade", "switch"]
PER = {"monthly": "/month", "yearly": "/year", "one_time": ""}
PLACEHOLDERS = ("name", "interval", "price")


@dataclass(frozen=True)
class Cta:
    """The words of a plan's button by the customer's state: it is theirs now; they bought it; they
    can get it; they can change to another interval of it. {name}, {interval} and {price} are
    filled in."""

    current: str
    purchased: str
    upgrade: str
    switch: str

    def text(self, state: CtaState, name: str, interval: str, price: str) -> str:
        words: str = getattr(self, state)
        return words.format(name=name, interval=interval.replace("_", "-"), price=price)


DEFAULT_UPGRADES = {
    "free": "Get started free",
    "one_time": "Buy for {price}",
    "subscription": "Choose {name} {interval}",
}


def default_cta(billing: str) -> Cta:
    return Cta("Current plan", "Purchased", DEFAULT_UPGRADES[billing], "Switch to {interval}")


def unknown_placeholder(words: str) -> str | None:
    """What stands in braces and is not to be filled in; None when all is well."""
    try:
        fields = list(Formatter().parse(words))
    except ValueError:
        return words
    for _, name, form, conversion in fields:
        if name is not None and (name not in PLACEHOLDERS or form or conversion):
            return name or "{}"
    return None


def shared_out(amount: int, parts: int) -> int:
    """One part of an amount of money, to the nearest minor unit, halves up."""
    return (2 * amount + parts) // (2 * parts)


def percent_less(amount: int, than: int) -> int:
    """By how many percent `amount` is less than `than`, to the nearest whole one; at least 0."""
    return max(0, (200 * (than - amount) + than) // (2 * than))


def is_percent(percent: int, amount: int, than: int) -> bool:
    """Whether `amount` is less by exactly so many percent."""
    return 100 * (than - amount) == percent * than
