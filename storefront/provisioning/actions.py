"""What there is to do at Stripe, one frozen fact each: a verb, an object, a line for people."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from storefront.catalog import Plan, Price
from storefront.money import format_money
from storefront.stripe_gateway import NewPrice, PriceFacts

Verb = Literal["create", "change", "archive", "nothing", "problem"]
Kind = Literal["product", "price"]
Pairs = tuple[tuple[str, str], ...]

EACH = {"monthly": " each month", "yearly": " each year", "one_time": " once", None: " otherwise"}


@dataclass(frozen=True)
class Action:
    """`name` is the plan's code for a product, the lookup key or Stripe's id for a price; `text`
    says the rest."""

    verb: ClassVar[Verb] = "nothing"
    kind: Kind
    name: str
    text: str

    @property
    def line(self) -> str:
        return f"{self.verb} {self.kind} {self.name}: {self.text}"

    @property
    def to_do(self) -> bool:
        """Whether apply() can and must do something about it."""
        return self.verb in ("create", "change", "archive")


@dataclass(frozen=True)
class Nothing(Action):
    """All is as the catalogue says."""


@dataclass(frozen=True)
class Problem(Action):
    """The catalogue and Stripe contradict each other in a way that only a person can settle."""

    verb: ClassVar[Verb] = "problem"


@dataclass(frozen=True)
class CreateProduct(Action):
    verb: ClassVar[Verb] = "create"
    product_id: str
    plan: Plan


@dataclass(frozen=True)
class ChangeProduct(Action):
    verb: ClassVar[Verb] = "change"
    product_id: str
    plan: Plan


@dataclass(frozen=True)
class CreatePrice(Action):
    """A price's amount never changes: another price takes over its lookup key. `replaces` is the
    price that has the key now."""

    verb: ClassVar[Verb] = "create"
    new: NewPrice
    replaces: str | None


@dataclass(frozen=True)
class ChangePrice(Action):
    """Put a price on sale under its lookup key, with our metadata."""

    verb: ClassVar[Verb] = "change"
    price_id: str
    lookup_key: str
    metadata: Pairs


@dataclass(frozen=True)
class ArchivePrice(Action):
    """Nobody can buy it any more; running subscriptions keep it."""

    verb: ClassVar[Verb] = "archive"
    price_id: str


def is_for(price: Price, facts: PriceFacts) -> bool:
    """Whether Stripe's price is for what the catalogue says; being on sale is another matter."""
    wanted = (price.amount, price.currency, price.interval)
    return (facts.unit_amount, facts.currency, facts.interval) == wanted


def wanted_text(price: Price) -> str:
    """Such as $49.00 each month."""
    return _text(price.amount, price.currency, price.interval)


def found_text(facts: PriceFacts) -> str:
    return _text(facts.unit_amount, facts.currency, facts.interval)


def _text(amount: int | None, currency: str, interval: str | None) -> str:
    money = "an amount in parts" if amount is None else format_money(amount, currency)
    return money + EACH.get(interval, EACH[None])
