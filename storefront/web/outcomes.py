"""What a payment's state means to the customer: one heading and one sentence for each."""

from dataclasses import dataclass
from datetime import timedelta

from storefront.db import utcnow
from storefront.payments import Payment

ROW_IS_TRUSTED_AFTER = timedelta(minutes=10)
"""Unasked, a row of this age is believed: whatever was on its way has arrived."""


@dataclass(frozen=True)
class Outcome:
    """`name` decides how the page looks and what it offers; `settled` ends its asking."""

    name: str
    heading: str
    message: str
    settled: bool


def of(payment: Payment, *, asked: bool) -> Outcome:
    """The outcome of a payment. `asked`: Stripe told its state just now.

    Without that, an unpaid row may merely be late (the customer confirmed, the webhook is on its
    way), so that it is neither called failed nor abandoned yet.
    """
    if payment.status == "succeeded" and not payment.kept:
        return _REFUNDED if payment.amount_disputed == 0 else _DISPUTED
    if payment.status == "succeeded":
        return _SUCCEEDED if payment.kind == "top_up" else _BOUGHT
    if payment.status == "canceled":
        return _CANCELED if payment.kind == "top_up" else _failed(payment)
    if payment.status == "processing":
        return _PROCESSING
    if not asked and utcnow() - payment.updated_at < ROW_IS_TRUSTED_AFTER:
        return _PENDING
    if payment.failed:
        return _failed(payment)
    return _UNPAID


def _failed(payment: Payment) -> Outcome:
    reason = payment.failure_message or "Your bank did not accept the payment."
    return Outcome("failed", "Payment failed", f"{reason} Nothing was charged.", settled=True)


_WAITING = "Payment processing… this can take a moment"

_SUCCEEDED = Outcome(
    "succeeded", "Payment succeeded", "Thank you. Your credits are ready to use.", settled=True
)
_BOUGHT = Outcome(
    "succeeded", "Payment succeeded", "Thank you. What you bought is yours to keep.", settled=True
)
_REFUNDED = Outcome(
    "refunded",
    "Payment refunded",
    "All of this payment was given back to you, and what it had paid for was taken back.",
    settled=True,
)
_DISPUTED = Outcome(
    "disputed",
    "Payment disputed",
    "Your bank has taken this payment back, and what it had paid for was taken back.",
    settled=True,
)
_CANCELED = Outcome(
    "canceled", "Payment canceled", "This payment was canceled. Nothing was charged.", settled=True
)
_PROCESSING = Outcome(
    "processing",
    _WAITING,
    "Your bank has not confirmed yet. As soon as it has, you have what you paid for. You can leave "
    "this page.",
    settled=False,
)
_PENDING = Outcome(
    "pending", _WAITING, "We are waiting for the confirmation of your payment.", settled=False
)
_UNPAID = Outcome(
    "unpaid",
    "Payment not completed",
    "This payment was started, but never confirmed. Nothing was charged.",
    settled=True,
)
