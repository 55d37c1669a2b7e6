"""What a thing left behind: events about Stripe's objects, and the jobs that follow from them."""

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from storefront.inbox import StripeEvent
from storefront.jobs import Job
from storefront.payments import Payment
from storefront.reversals import Dispute, Refund
from storefront.subscriptions import Invoice, Subscription

EVENTS = 50
JOBS = 50

OF_PAYMENT = ("payment_settled", "mail_receipt", "ga4_purchase")
OF_REFUND = ("refund_made", "mail_refund", "mail_refund_failed", "ga4_refund")
OF_DISPUTE = ("mail_dispute",)
OF_INVOICE = ("invoice_paid", "mail_invoice_receipt", "ga4_purchase")
OF_SUBSCRIPTION = ("mail_subscription_cancelled",)
OF_EVENT = ("sync_subscription", "sync_invoices", "sync_reversals")
"""Kinds of jobs, by what their keys name: mail_receipt:<payment>, sync_subscription:<subscription>:
<event>."""


def events_about(session: Session, object_ids: Collection[str]) -> list[StripeEvent]:
    """Events about these objects without their payloads, the newest first."""
    query = (
        select(StripeEvent)
        .options(defer(StripeEvent.payload, raiseload=True))
        .where(StripeEvent.object_id.in_(object_ids))
        .order_by(StripeEvent.received_at.desc(), StripeEvent.id.desc())
        .limit(EVENTS)
    )
    return list(session.scalars(query)) if object_ids else []


def jobs_with(session: Session, keys: Collection[str]) -> list[Job]:
    """The jobs that there are of these keys, the newest first."""
    query = select(Job).where(Job.key.in_(keys)).order_by(Job.created_at.desc(), Job.key)
    return list(session.scalars(query.limit(JOBS))) if keys else []


Traced = Payment | Refund | Dispute | Invoice | Subscription


def keys_of(rows: Iterable[Traced]) -> list[str]:
    """The keys that jobs about these rows would have."""
    return [key for row in rows for key in _keys_of(row)]


def keys_of_event(event: StripeEvent, also: Iterable[str | None] = ()) -> list[str]:
    """The keys of jobs that an event promised: of its object, or of what else it names."""
    named = {it for it in (event.object_id, *also) if it}
    return [f"{kind}:{id}:{event.id}" for kind in OF_EVENT for id in sorted(named)]


def _keys_of(row: Traced) -> list[str]:
    if isinstance(row, Subscription):
        id, kinds = row.stripe_subscription_id, OF_SUBSCRIPTION
        end = row.trial_end and int(row.trial_end.timestamp())
        return [*_each(kinds, id), *([f"mail_trial_ending:{id}:{end}"] if end else [])]
    if isinstance(row, Invoice):
        tries = range(1, row.attempt_count + 1)
        failed = [f"mail_payment_failed:{row.id}:{number}" for number in tries]
        return [*_each(OF_INVOICE, row.id), *failed]
    kinds_of: dict[type, Sequence[str]] = {
        Payment: OF_PAYMENT, Refund: OF_REFUND, Dispute: OF_DISPUTE,
    }  # fmt: skip
    return _each(kinds_of[type(row)], row.id)


def _each(kinds: Iterable[str], id: str) -> list[str]:
    return [f"{kind}:{id}" for kind in kinds]
