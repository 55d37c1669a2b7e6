"""Payments: the list, and one payment's whole story."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from storefront import reversals, users
from storefront.admin import traces
from storefront.admin.customers import deeds_about
from storefront.admin.paging import Listing
from storefront.auditing import AuditEntry
from storefront.errors import NotFound
from storefront.inbox import StripeEvent
from storefront.jobs import Job
from storefront.ledger import MOVEMENTS, Transfer
from storefront.money import format_money
from storefront.payments import Payment
from storefront.refunding import RefundOrder, of_source
from storefront.reversals import Dispute, FraudWarning, Refund
from storefront.users import User

STATUSES = (
    "opened", "requires_payment_method", "requires_confirmation", "requires_action", "processing",
    "succeeded", "canceled",
)  # fmt: skip
KINDS = ("top_up", "purchase", "auto_recharge")

Tone = Literal["good", "bad", "plain"]


def listed(*conditions: ColumnElement[bool]) -> Listing[tuple[Payment, str]]:
    """Payments with their customer's address, the newest first."""
    query: Select[*tuple[Any, ...]] = (
        select(Payment, User.email).join(User, User.id == Payment.user_id).where(*conditions)
    )
    return Listing(query, (Payment.created_at, Payment.id))


@dataclass(frozen=True)
class Step:
    """Something that happened to a payment. `event_id`, `job_key`: where to read on."""

    at: datetime
    title: str
    detail: str = ""
    tone: Tone = "plain"
    event_id: str | None = None
    job_key: str | None = None


@dataclass(frozen=True)
class Story:
    """A payment, its customer, what became of its money, and each step, the oldest first."""

    payment: Payment
    user: User
    refunds: list[Refund]
    disputes: list[Dispute]
    orders: list[RefundOrder]
    steps: list[Step]


def story(session: Session, payment_id: str) -> Story:
    """Raises NotFound."""
    payment = session.get(Payment, payment_id, populate_existing=True)
    if payment is None:
        raise NotFound("There is no such payment.")
    back = reversals.of_payment(session, payment_id)
    orders = of_source(session, payment_id)
    ids = {payment.stripe_intent_id, payment.checkout_session_id, *(it.id for it in back)}
    events = traces.events_about(session, {id for id in ids if id})
    keys = traces.keys_of([payment, *back.refunds, *back.disputes])
    keys += [f"make_refund:{order.id}" for order in orders]
    also = [payment.stripe_intent_id]
    keys += [key for event in events for key in traces.keys_of_event(event, also)]
    steps = [
        *_of_payment(payment),
        *map(_of_event, reversed(events)),
        *map(_of_transfer, _transfers(session, payment_id)),
        *map(_of_refund, back.refunds),
        *map(_of_dispute, back.disputes),
        *map(_of_warning, _warnings(session, payment_id)),
        *map(_of_job, traces.jobs_with(session, keys)),
        *map(_of_deed, deeds_about(session, [payment_id])),
    ]
    user = users.find(payment.user_id)
    return Story(payment, user, back.refunds, back.disputes, orders, sorted(steps, key=_moment))


def _moment(step: Step) -> datetime:
    """Stripe's times are whole seconds: what it did in one of them, we did not hear before."""
    return step.at if step.at.microsecond else step.at.replace(microsecond=999_999)


def _transfers(session: Session, payment_id: str) -> list[Transfer]:
    return list(session.scalars(select(Transfer).where(Transfer.payment_id == payment_id)))


def _warnings(session: Session, payment_id: str) -> list[FraudWarning]:
    return list(session.scalars(select(FraudWarning).where(FraudWarning.payment_id == payment_id)))


def _of_payment(payment: Payment) -> list[Step]:
    money = format_money(payment.amount_cents, payment.currency)
    begun = Step(payment.created_at, "Begun", f"{payment.pack_or_plan} for {money}")
    if payment.status == "canceled":
        said = payment.failure_message or "Nothing was paid."
        return [begun, Step(payment.updated_at, "Closed", said)]
    if payment.failed:
        said = payment.failure_message or payment.failure_code or ""
        return [begun, Step(payment.updated_at, "The last try failed", said, "bad")]
    return [begun]


def _of_transfer(it: Transfer) -> Step:
    credits = f"{it.signed_credits:+,} credits, balance {it.balance_after:,}".replace("-", "−")
    tone: Tone = "good" if it.signed_credits > 0 else "bad"
    return Step(it.created_at, MOVEMENTS[it.code].says, f"{credits}; transfer {it.id}", tone)


def _of_refund(it: Refund) -> Step:
    money = format_money(it.amount, it.currency)
    failed = f", {it.failure_reason}" if it.failure_reason else ""
    tone: Tone = "plain" if it.claim else "bad"
    return Step(it.created_at, f"Refund of {money}", f"{it.id}: {it.status}{failed}", tone)


def _of_dispute(it: Dispute) -> Step:
    money = format_money(it.amount, it.currency)
    what = "Inquiry about" if it.is_inquiry else "Dispute of"
    return Step(it.created_at, f"{what} {money}", f"{it.id}: {it.status}, {it.reason}", "bad")


def _of_warning(it: FraudWarning) -> Step:
    return Step(it.created_at, "Early fraud warning", f"{it.id}: {it.fraud_type}", "bad")


def _of_event(it: StripeEvent) -> Step:
    tone: Tone = "bad" if it.state in ("failed", "parked") else "plain"
    return Step(it.received_at, it.type, f"{it.id}: {it.state}", tone, event_id=it.id)


def _of_job(it: Job) -> Step:
    state = "done" if it.done_at else "given up" if it.given_up_at else "waiting"
    tone: Tone = "bad" if state == "given up" else "plain"
    said = f"{state}: {it.last_error}" if it.last_error else state
    return Step(it.done_at or it.created_at, f"Job {it.kind}", said, tone, job_key=it.key)


def _of_deed(it: AuditEntry) -> Step:
    return Step(it.at, it.says, f"by {it.who}: {it.reason}" if it.reason else f"by {it.who}")
