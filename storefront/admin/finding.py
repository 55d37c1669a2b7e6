"""Finding a customer by whatever somebody has: an address, the beginning of one, or an id of ours
or of Stripe's."""

import json

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from storefront import users
from storefront.admin.paging import Listing
from storefront.checkouts import Checkout
from storefront.db import is_sqlite
from storefront.inbox import StripeEvent
from storefront.payments import Payment
from storefront.reversals import Dispute, FraudWarning, Refund
from storefront.subscriptions import Invoice, PlanCredit, Subscription
from storefront.users import User

Column = InstrumentedAttribute[str] | InstrumentedAttribute[str | None]
Look = tuple[InstrumentedAttribute[str], Column]
"""The column of the customer's id, and the one to look in."""

LOOKS: dict[str, tuple[Look, ...]] = {
    "usr": ((User.id, User.id),),
    "cus": ((User.id, User.stripe_customer_id),),
    "pay": ((Payment.user_id, Payment.id),),
    "pi": (
        (Payment.user_id, Payment.stripe_intent_id),
        (Invoice.user_id, Invoice.stripe_intent_id),
    ),
    "cs": ((Checkout.user_id, Checkout.stripe_session_id),),
    "chk": ((Checkout.user_id, Checkout.id),),
    "sub": ((Subscription.user_id, Subscription.stripe_subscription_id),),
    "in": ((Invoice.user_id, Invoice.id),),
    "il": ((PlanCredit.user_id, PlanCredit.id),),
    "re": ((Refund.user_id, Refund.id),),
    "pyr": ((Refund.user_id, Refund.id),),
    "dp": ((Dispute.user_id, Dispute.id),),
    "du": ((Dispute.user_id, Dispute.id),),
    "ch": ((FraudWarning.user_id, FraudWarning.stripe_charge_id),),
    "py": ((FraudWarning.user_id, FraudWarning.stripe_charge_id),),
    "issfr": ((FraudWarning.user_id, FraudWarning.id),),
}
"""What an id begins with -> where it stands."""

MENTIONS = ("customer", "payment_intent", "invoice", "subscription", "id")
"""What of an event's object leads on to a customer, the shortest way first."""


def listed(session: Session, beginning: str | None = None) -> Listing[User]:
    """Customers: the newest first, or those whose address begins so, in alphabetical order."""
    if beginning is None:
        return Listing(select(User), (User.created_at, User.id))
    mine = select(User).where(_begins(session, beginning))
    return Listing(mine, (User.email,), newest_first=False)


def owner(session: Session, id: str) -> str | None:
    """The id of the customer whom an id of ours or of Stripe's leads to; None when nobody here has
    to do with it."""
    known = _known(session, id)
    if known is not None:
        return known
    mentioned = StripeEvent.id == id if id.startswith("evt_") else StripeEvent.object_id == id
    newest = select(StripeEvent.payload).where(mentioned)
    payload = session.scalar(newest.order_by(StripeEvent.received_at.desc()).limit(1))
    return None if payload is None else _mentioned(session, payload)


def named(session: Session, text: str) -> str | None:
    """The id of the customer with exactly this address, or whom this id leads to."""
    if "@" in text:
        found = users.find_by_email(text)
        return found.id if found else None
    return owner(session, text)


def _known(session: Session, id: str) -> str | None:
    for user_id, column in LOOKS.get(id.partition("_")[0], ()):
        found = session.scalar(select(user_id).where(column == id).limit(1))
        if found is not None:
            return found
    return None


def _mentioned(session: Session, payload: str) -> str | None:
    """The customer whom an event is about."""
    try:
        about = json.loads(payload)["data"]["object"]
        ids = [about.get(name) for name in MENTIONS]
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    found = (_known(session, id) for id in ids if isinstance(id, str))
    return next((user_id for user_id in found if user_id is not None), None)


def _begins(session: Session, beginning: str) -> ColumnElement[bool]:
    text = beginning.lower()
    if is_sqlite(session):
        return (User.email >= text) & (User.email < text + "\U0010ffff")
    escaped = "".join(f"\\{each}" if each in "\\%_" else each for each in text)
    return User.email.like(f"{escaped}%", escape="\\")
