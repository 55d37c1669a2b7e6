"""Coming back from Checkout: whose checkout was it, and what became of it?"""

import re
from dataclasses import dataclass

from flask import request

from storefront import checkouts, subscriptions
from storefront.checkouts import Checkout
from storefront.db import db
from storefront.errors import NotFound, StorefrontError
from storefront.payments import Payment
from storefront.subscriptions import Subscription
from storefront.web import checkout_outcomes, current
from storefront.web.checkout_outcomes import Visit
from storefront.web.outcomes import Outcome

SESSION_ID = re.compile(r"cs_[A-Za-z0-9_]{1,250}")
"""What Stripe's names for sessions look like; nothing else is looked for."""


@dataclass(frozen=True)
class Returned:
    """A customer who came back; `checkout` is None where there is none of theirs."""

    outcome: Outcome
    checkout: Checkout | None = None


def from_address() -> Returned | None:
    """What the address says of a visit to Checkout, checked; None when it says nothing. A foreign
    checkout and one that never was are told alike."""
    match request.args.get("checkout_status"):
        case "success":
            return _from_success(request.args.get("session_id", ""))
        case "canceled":
            return Returned(checkout_outcomes.CANCELED)
    return None


def _from_success(session_id: str) -> Returned:
    if not SESSION_ID.fullmatch(session_id):
        return Returned(checkout_outcomes.UNKNOWN)
    try:
        checkout = checkouts.find_by_session(db.session(), session_id, current.user().id)
    except NotFound:
        return Returned(checkout_outcomes.UNKNOWN)
    return Returned(outcome_of(checkout), checkout)


def outcome_of(checkout: Checkout) -> Outcome:
    """Asks Stripe where something may still come, by the functions that webhook and worker use."""
    asked = _refresh(checkout)
    session = db.session()
    visit = Visit(
        checkout=checkout,
        standing=checkouts.standing(session, checkout),
        plan_name=current.catalog().name_of(checkout.plan),
        payment=session.get(Payment, checkout.payment_id) if checkout.payment_id else None,
        subscription=_subscription(checkout),
        asked=asked,
    )
    return checkout_outcomes.of(visit)


def _refresh(checkout: Checkout) -> bool:
    """False when Stripe was not asked, or does not answer: what we know is shown then, and the
    webhook will come."""
    known = checkout.updated_at
    settings = current.settings()
    try:
        checkouts.refresh(current.gateway(), current.catalog(), settings.livemode, checkout)
    except StorefrontError:
        db.session.rollback()
        return False
    return checkout.updated_at != known


def _subscription(checkout: Checkout) -> Subscription | None:
    id = checkout.stripe_subscription_id
    return subscriptions.find(db.session(), id) if id else None
