"""What a customer asks to buy, checked against the catalogue and against what they have."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from storefront import subscriptions
from storefront.catalog import Catalog, Plan, Price
from storefront.checkouts.reading import owned
from storefront.errors import BadInput
from storefront.subscriptions import CHANGEABLE


@dataclass(frozen=True)
class Opened:
    """Where the customer goes on: kind `checkout` is Stripe's page at `url`; kind `portal` is the
    Customer Portal, there to confirm the change of their subscription to `plan` and `interval`,
    or to its home when these are None."""

    kind: Literal["checkout", "portal"]
    checkout_id: str | None = None
    url: str | None = None
    plan: str | None = None
    interval: str | None = None


@dataclass(frozen=True)
class Choice:
    """A plan in the quantity and at the price that the catalogue has for it."""

    plan: Plan
    price: Price
    quantity: int

    @property
    def mode(self) -> Literal["payment", "subscription"]:
        return "payment" if self.plan.billing == "one_time" else "subscription"

    @property
    def amount_cents(self) -> int:
        return self.price.amount * self.quantity

    @property
    def credits(self) -> int:
        """What it brings at once. A subscription's credits come with its paid invoices."""
        return self.plan.credits * self.quantity if self.mode == "payment" else 0


def choose(catalog: Catalog, plan_code: object, interval: str, quantity: int) -> Choice:
    """The choice that these name. Raises BadInput, saying what could be chosen instead."""
    plan = catalog.plan(plan_code)
    if plan.billing == "free":
        raise BadInput(f"{plan.name} costs nothing, so there is nothing to buy.")
    price = plan.price(interval)
    if price is None:
        sold = " or ".join(price.interval.replace("_", "-") for price in plan.prices)
        raise BadInput(f"{plan.name} is not sold that way. It is sold: {sold}.")
    most = plan.max_quantity if plan.billing == "one_time" else 1
    if not 1 <= quantity <= most:
        wanted = "1" if most == 1 else f"a whole number from 1 to {most}"
        raise BadInput(f"The quantity of {plan.name} must be {wanted}.")
    return Choice(plan, price, quantity)


def refuse_what_is_owned(session: Session, user_id: str, choice: Choice) -> None:
    """Raises BadInput when the customer would have more of a one-time plan than there may be."""
    if choice.mode != "payment":
        return
    plan, have = choice.plan, owned(session, user_id, choice.plan.code)
    if have + choice.quantity <= plan.max_quantity:
        return
    if plan.max_quantity == 1:
        raise BadInput(f"You have bought {plan.name} already.")
    raise BadInput(f"You may have {plan.max_quantity} of {plan.name}, and you have {have} already.")


def change_instead(session: Session, user_id: str, choice: Choice) -> Opened | None:
    """To the portal for who has a subscription already; None for who may buy one.
    Raises BadInput when it is the very same."""
    subscription = None
    if choice.mode == "subscription":
        subscription = subscriptions.live(session, user_id)
    if subscription is None:
        return None
    if subscription.status not in CHANGEABLE:
        return Opened("portal")
    if (subscription.plan, subscription.interval) != (choice.plan.code, choice.price.interval):
        return Opened("portal", plan=choice.plan.code, interval=choice.price.interval)
    if subscription.ends_at:
        return Opened("portal")  # where it can be resumed
    raise BadInput("This is your plan already.")
