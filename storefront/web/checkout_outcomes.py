"""What became of a visit to Checkout, told to the customer: one heading and one sentence each."""

from dataclasses import dataclass

from storefront import checkouts
from storefront.checkouts import Checkout
from storefront.money import format_credits
from storefront.payments import Payment
from storefront.subscriptions import Subscription
from storefront.web.outcomes import Outcome
from storefront.web.pages import format_day

RUNNING = ("active", "trialing")


@dataclass(frozen=True)
class Visit:
    """A checkout with what it led to, as far as we know. `asked`: Stripe told it just now."""

    checkout: Checkout
    standing: checkouts.Standing
    plan_name: str
    payment: Payment | None
    subscription: Subscription | None
    asked: bool


def of(visit: Visit) -> Outcome:
    """`settled` ends the page's asking: nothing will change within the next minute."""
    if visit.standing == "expired":
        return _EXPIRED
    if visit.standing == "open":
        return _OPEN if visit.asked else _PENDING
    if visit.standing == "failed":
        return _failed(visit.payment)
    if visit.standing == "processing":
        slow_bank = visit.checkout.payment_status == "unpaid"
        return _PROCESSING if slow_bank else _PENDING
    return _subscribed(visit) if visit.subscription else _bought(visit)


def _failed(payment: Payment | None) -> Outcome:
    reason = (payment and payment.failure_message) or "Your bank did not make the payment."
    return Outcome("failed", "Payment failed", f"{reason} Nothing was charged.", settled=True)


def _bought(visit: Visit) -> Outcome:
    message = f"{_what(visit)} is yours."
    if visit.checkout.credits:
        message += f" {format_credits(visit.checkout.credits)} credits are in your balance."
    return Outcome("succeeded", "Payment succeeded", message, settled=True)


def _subscribed(visit: Visit) -> Outcome:
    subscription = visit.subscription
    assert subscription is not None
    if subscription.status not in RUNNING:
        return _OVERTAKEN
    message = "Thank you. You can use all of it right away."
    if subscription.status == "trialing" and subscription.trial_end is not None:
        message = f"Your trial lasts until {format_day(subscription.trial_end)}."
    return Outcome("succeeded", f"{visit.plan_name} is active", message, settled=True)


def _what(visit: Visit) -> str:
    quantity = visit.checkout.quantity
    return visit.plan_name if quantity == 1 else f"{quantity} × {visit.plan_name}"


_EXPIRED = Outcome(
    "canceled", "This checkout has expired", "It ended without a payment. Nothing was charged.",
    settled=True,
)  # fmt: skip
_OPEN = Outcome(
    "unpaid", "Not paid yet", "This checkout was started, but not finished. Nothing was charged.",
    settled=True,
)  # fmt: skip
_PENDING = Outcome(
    "pending",
    "Payment processing… this can take a moment",
    "Stripe has taken your order; we are switching it on.",
    settled=False,
)
_PROCESSING = Outcome(
    "processing",
    "Payment processing",
    "Your bank has not confirmed yet; with some methods that takes days. We will switch it on as "
    "soon as it has. You can leave this page.",
    settled=True,
)
_OVERTAKEN = Outcome(
    "resting",
    "This order is settled",
    "It has changed since: what you have now stands below.",
    settled=True,
)
UNKNOWN = Outcome(
    "unknown",
    "We cannot find this order",
    "There is no such checkout in this account. Did you pay while signed in with another one?",
    settled=True,
)
CANCELED = Outcome(
    "canceled", "Checkout canceled", "Nothing was charged. Your choice is still here.", settled=True
)
