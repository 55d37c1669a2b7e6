"""What there is to do at Stripe, one frozen fact each: a verb, an object, a line for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from storefront.catalog import Plan, Price
from storefront.money import format_money
from storefront.stripe_gateway import NewPrice, PriceFacts

Verb = Literal["create", "change", "archive", "nothing", "note", "problem"]
Kind = Literal["product", "price", "portal configuration", "webhook endpoint"]
Pairs = tuple[tuple[str, str], ...]

EACH = {"monthly": " each month", "yearly": " each year", "one_time": " once", None: " otherwise"}


@dataclass(frozen=True)
class Action:
    """`name` is the plan's code for a product, the lookup key or Stripe's id for a price, what it
    is for or Stripe's id for the rest; `text` says what is to be known of it."""

    verb: ClassVar[Verb] = "nothing"
    kind: Kind
    name: str
    text: str

    @property
    def line(self) -> str:
        return f"{self.verb} {self.kind} {self.name}: {self.text}"

    @property
    def differs(self) -> bool:
        """Whether catalogue and account are not alike in this."""
        return self.verb not in ("nothing", "note")

    @property
    def to_do(self) -> bool:
        """Whether apply() can and must do something about it."""
        return self.verb in ("create", "change", "archive")


@dataclass(frozen=True)
class Nothing(Action):
    """All is as the catalogue says."""


@dataclass(frozen=True)
class Note(Action):
    """Something that a person should know, and no difference between catalogue and account."""

    verb: ClassVar[Verb] = "note"


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
class ArchiveProduct(Action):
    """A plan of ours left the catalogue."""

    verb: ClassVar[Verb] = "archive"
    product_id: str


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
    product_id: str


@dataclass(frozen=True)
class CreateConfiguration(Action):
    """What customers may do in the portal; `instead_of` is one that cannot be used any more."""

    verb: ClassVar[Verb] = "create"
    content: Mapping[str, Any]
    instead_of: str | None


@dataclass(frozen=True)
class ChangeConfiguration(Action):
    """Somebody else changed it: put our content there again."""

    verb: ClassVar[Verb] = "change"
    configuration_id: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class ArchiveConfiguration(Action):
    """What it offers is no longer for sale."""

    verb: ClassVar[Verb] = "archive"
    configuration_id: str


@dataclass(frozen=True)
class CreateEndpoint(Action):
    """Its secret is told once. `key` makes the creation one, however often it is tried; `replaces`
    tells that another one has sent events here until now."""

    verb: ClassVar[Verb] = "create"
    url: str
    events: tuple[str, ...]
    key: str
    replaces: bool


@dataclass(frozen=True)
class ChangeEndpoint(Action):
    """Another address, other events, or switched on again; its secret stays."""

    verb: ClassVar[Verb] = "change"
    endpoint_id: str
    url: str
    events: tuple[str, ...]


@dataclass(frozen=True)
class DeleteEndpoint(Action):
    """Another one sends the same events to the same address."""

    verb: ClassVar[Verb] = "archive"
    endpoint_id: str


LAST = (ArchivePrice, ArchiveProduct, ArchiveConfiguration, DeleteEndpoint)
"""What is taken away when what takes its place is there."""


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
