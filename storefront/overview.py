"""All that Billing shows of what a customer has: subscriptions, purchases, invoices, the
balance, and credits that the next grants pay off; read in one query, however long the history is.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from storefront.checkouts import BOUGHT
from storefront.ledger import Account, wallet_id
from storefront.payments import Payment
from storefront.subscriptions import LIVE, Invoice, PlanCredit, Subscription

INVOICES = 12
"""The newest ones; Stripe's portal has all of them."""

SUBSCRIPTIONS = 20


@dataclass(frozen=True)
class Overview:
    """Each list newest first; all purchases, the newest subscriptions and invoices. `owed` are
    credits that the next grants pay off."""

    subscriptions: list[Subscription]
    purchases: list[Payment]
    invoices: list[Invoice]
    owed: int
    balance: int

    @property
    def live(self) -> Subscription | None:
        """The subscription that can be changed; subscriptions.live() finds the same."""
        return min(
            (it for it in self.subscriptions if it.status in LIVE),
            key=lambda it: LIVE.index(it.status),
            default=None,
        )

    def subscription(self, id: str | None) -> Subscription | None:
        """The one with this id of ours."""
        return next((it for it in self.subscriptions if it.id == id), None)

    @property
    def open_invoice(self) -> Invoice | None:
        """The newest invoice that waits for money."""
        waiting = (it for it in self.invoices if it.status == "open" and it.amount_due > 0)
        return next(waiting, None)

    def owned(self) -> dict[str, int]:
        """How many of each one-time plan the customer has or is paying for; what all the
        money is back of does not count. (checkouts.owned() says the same of one plan.)"""
        owned: dict[str, int] = {}
        for it in self.purchases:
            if it.kept:
                owned[it.pack_or_plan] = owned.get(it.pack_or_plan, 0) + it.quantity
        return owned


def read(session: Session, user_id: str) -> Overview:
    """Three tables side by side: a row of the answer holds one subscription, purchase or invoice.
    (A join of the three would multiply them; three queries would be three waits.)"""
    asked = {"user_id": user_id, "wallet": wallet_id(user_id)}
    rows = session.execute(_EVERYTHING, asked).all()
    return Overview(
        subscriptions=sorted(filter(None, (row[0] for row in rows)), key=_started, reverse=True),
        purchases=sorted(filter(None, (row[1] for row in rows)), key=_made, reverse=True),
        invoices=sorted(filter(None, (row[2] for row in rows)), key=_made, reverse=True),
        owed=max(rows[0][3], 0),
        balance=rows[0][4] or 0,
    )


_USER_ID: BindParameter[str] = bindparam("user_id")
_BRANCHES = ("subscription", "purchase", "invoice")


def _everything() -> Select[Any]:
    branch = union_all(*(select(literal(name).label("name")) for name in _BRANCHES)).subquery()
    name = branch.c.name
    newest = select(Subscription.id).where(Subscription.user_id == _USER_ID)
    newest = newest.order_by(Subscription.started_at.desc()).limit(SUBSCRIPTIONS)
    shown = select(Invoice.id).where(Invoice.user_id == _USER_ID, Invoice.status != "draft")
    shown = shown.order_by(Invoice.created_at.desc()).limit(INVOICES)
    mine = and_(Payment.user_id == _USER_ID, Payment.kind == "purchase", Payment.status.in_(BOUGHT))
    balance = select(Account.balance).where(Account.id == bindparam("wallet")).scalar_subquery()
    return (
        select(Subscription, Payment, Invoice, _owed(), balance)
        .select_from(branch)
        .outerjoin(Subscription, and_(name == "subscription", Subscription.id.in_(newest)))
        .outerjoin(Payment, and_(name == "purchase", mine))
        .outerjoin(Invoice, and_(name == "invoice", Invoice.id.in_(shown)))
    )


def _owed() -> ScalarSelect[int]:
    """What was granted beyond what is earned: see PlanCredit."""
    beyond = func.coalesce(func.sum(PlanCredit.granted - PlanCredit.earned), 0)
    return select(beyond).where(PlanCredit.user_id == _USER_ID).scalar_subquery()


_EVERYTHING = _everything()
"""Put together once: that takes longer than asking it."""


def _started(subscription: Subscription) -> tuple[datetime, str]:
    return subscription.started_at, subscription.stripe_subscription_id


def _made(row: Payment | Invoice) -> tuple[datetime, str]:
    return row.created_at, row.id
