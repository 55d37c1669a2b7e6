"""Everything about one customer, on one page: a dozen queries, each by an index."""

from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from storefront import ledger, statements, users
from storefront.admin import traces
from storefront.auditing import AuditEntry
from storefront.inbox import StripeEvent
from storefront.jobs import Job
from storefront.ledger import Lot
from storefront.payments import Payment
from storefront.reversals import Dispute, FraudWarning, Refund
from storefront.statements import Line
from storefront.subscriptions import Invoice, Subscription
from storefront.users import User

SHOWN = 20
"""Of each kind, the newest; lists have the rest."""

T = TypeVar("T", Payment, Subscription, Invoice, Refund, Dispute, FraudWarning)


@dataclass(frozen=True)
class Customer:
    """Lists newest first, at most SHOWN of each kind; lots by when they expire."""

    user: User
    balance: int
    lots: list[Lot]
    movements: list[Line]
    payments: list[Payment]
    subscriptions: list[Subscription]
    invoices: list[Invoice]
    refunds: list[Refund]
    disputes: list[Dispute]
    warnings: list[FraudWarning]
    events: list[StripeEvent]
    jobs: list[Job]
    deeds: list[AuditEntry]

    @property
    def lasting(self) -> int:
        """Credits that never expire."""
        return max(0, self.balance - sum(lot.remaining for lot in self.lots))


def read(session: Session, user_id: str) -> Customer:
    """Raises NotFound."""
    user = users.find(user_id)
    payments = _newest(session, Payment, Payment.created_at, user_id)
    subscriptions = _newest(session, Subscription, Subscription.created_at, user_id)
    invoices = _newest(session, Invoice, Invoice.created_at, user_id)
    refunds = _newest(session, Refund, Refund.created_at, user_id)
    disputes = _newest(session, Dispute, Dispute.created_at, user_id)
    rows: list[traces.Traced] = [*payments, *subscriptions, *invoices, *refunds, *disputes]
    events = traces.events_about(session, _objects(user, rows))
    also = [user.stripe_customer_id]
    keys = traces.keys_of(rows)
    keys += [key for event in events for key in traces.keys_of_event(event, also)]
    return Customer(
        user=user,
        balance=ledger.balance(session, user_id),
        lots=ledger.expiring(session, user_id),
        movements=statements.page(session, user_id, size=SHOWN).lines,
        payments=payments,
        subscriptions=subscriptions,
        invoices=invoices,
        refunds=refunds,
        disputes=disputes,
        warnings=_warnings(session, rows),
        events=events,
        jobs=traces.jobs_with(session, keys),
        deeds=deeds_about(session, [user_id, *(row.id for row in rows)]),
    )


def deeds_about(session: Session, subjects: list[str]) -> list[AuditEntry]:
    """What operators did to these, the newest first."""
    mine = select(AuditEntry).where(AuditEntry.subject.in_(subjects))
    return list(session.scalars(mine.order_by(AuditEntry.id.desc()).limit(SHOWN)))


def _newest(
    session: Session, table: type[T], at: InstrumentedAttribute[Any], user_id: str
) -> list[T]:
    mine = select(table).where(table.user_id == user_id)
    return list(session.scalars(mine.order_by(at.desc(), table.id.desc()).limit(SHOWN)))


def _warnings(session: Session, rows: list[traces.Traced]) -> list[FraudWarning]:
    """Of the payments and invoices that are shown."""
    ids = [row.id for row in rows if isinstance(row, Payment | Invoice)]
    mine = or_(FraudWarning.payment_id.in_(ids), FraudWarning.invoice_id.in_(ids))
    return list(session.scalars(select(FraudWarning).where(mine).limit(SHOWN))) if ids else []


def _objects(user: User, rows: list[traces.Traced]) -> set[str]:
    """Ids of Stripe's objects that events may be about."""
    found: set[str | None] = {user.stripe_customer_id}
    for row in rows:
        found |= {row.id} if isinstance(row, Refund | Dispute | Invoice) else set()
        names = ("stripe_intent_id", "checkout_session_id", "stripe_subscription_id")
        found |= {getattr(row, name, None) for name in names}
    return {id for id in found if id}
