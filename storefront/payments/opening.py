"""Opening a payment, or taking up an unpaid one again, in three phases: our row, Stripe, what
Stripe said. No phase waits for the network."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from storefront import users
from storefront.catalog import Pack
from storefront.db import transaction, utcnow
from storefront.errors import NotFound, StripeFailed, StripeRefused
from storefront.ids import new_id
from storefront.payments.settling import settle
from storefront.payments.tables import UNPAID, Payment
from storefront.stripe_gateway import CustomerMissing, Intent, StripeGateway
from storefront.users import User

ADOPTION_AGE = timedelta(minutes=30)
"""An unpaid intent untouched for so long may serve another tab of the same customer."""

OPENING_TRIES = 3
"""At the worst: the known customer is gone, the known intent is gone, a new one of each."""


@dataclass(frozen=True)
class Opened:
    """What the Payment Element needs to confirm a payment; `amount` in minor units."""

    payment_id: str
    intent_id: str
    client_secret: str
    amount: int
    currency: str
    status: str


def open_top_up(
    gateway: StripeGateway, user: User, pack: Pack, order_key: str | None = None
) -> Opened:
    """Open a payment for a pack, or take up again the customer's unpaid one for the same pack.

    With an `order_key`, the same key is the same purchase, even after it was paid: the answer's
    status then says so. Raises StripeUnavailable or StripeRefused; what is left behind counts
    for nothing and the next call takes it up.
    """
    for _ in range(OPENING_TRIES):
        try:
            payment, intent = _open_once(gateway, user, pack, order_key)
        except CustomerMissing as error:
            users.replace_stripe_customer(gateway, user, error.customer_id)
            continue
        if intent is None or _is_of_no_use(intent, order_key):
            continue
        assert intent.client_secret is not None, "Stripe gives it to the secret key"
        return _opened(payment, intent, intent.client_secret)
    raise StripeRefused("The payment could not be opened. Nothing was charged; try again.")


def _opened(payment: Payment, intent: Intent, client_secret: str) -> Opened:
    return Opened(
        payment_id=payment.id,
        intent_id=intent.id,
        client_secret=client_secret,
        amount=payment.amount_cents,
        currency=payment.currency,
        status=intent.status,
    )


def _is_of_no_use(intent: Intent, order_key: str | None) -> bool:
    """Our row was behind: this intent is canceled, or (for a caller who does not name the
    purchase) paid or being paid, so a new purchase needs another."""
    if intent.status == "canceled":
        return True
    return order_key is None and intent.status in ("processing", "succeeded", "requires_capture")


def _open_once(
    gateway: StripeGateway, user: User, pack: Pack, order_key: str | None
) -> tuple[Payment, Intent | None]:
    """Three phases: our row; Stripe; what Stripe said. None when the known intent is gone."""
    user_id = user.id
    customer_id = users.ensure_stripe_customer(gateway, user)
    with transaction() as session:
        payment = _take_up(session, user_id, pack, order_key) or _new(
            session, user_id, pack, order_key
        )
    intent = _intent_for(gateway, payment, customer_id)
    with transaction() as session:
        if intent is None:
            payment.status = "canceled"
        elif settle(session, intent, asked=True) is None:  # nobody may pay what we cannot settle
            raise StripeRefused("The payment could not be opened. Nothing was charged; try again.")
        payment.updated_at = utcnow()  # its customer is at it: it is not stale, however old
    return payment, intent


def _intent_for(gateway: StripeGateway, payment: Payment, customer_id: str) -> Intent | None:
    if payment.stripe_intent_id is None:
        return _create_intent(gateway, payment, customer_id)
    try:
        return gateway.retrieve_payment_intent(payment.stripe_intent_id)
    except NotFound:
        return None


def _create_intent(gateway: StripeGateway, payment: Payment, customer_id: str) -> Intent:
    try:
        return gateway.create_payment_intent(
            idempotency_key=f"{payment.id}:{payment.attempt}",
            amount=payment.amount_cents,
            currency=payment.currency,
            customer_id=customer_id,
            description=f"{payment.credits:,} credits",
            metadata={
                "user_id": payment.user_id,
                "payment_id": payment.id,
                "pack": payment.pack_or_plan,
            },
        )
    except (StripeRefused, StripeFailed, CustomerMissing):
        with transaction() as session:
            session.execute(
                update(Payment).where(Payment.id == payment.id).values(attempt=Payment.attempt + 1)
            )
        raise


def _take_up(
    session: Session, user_id: str, pack: Pack, order_key: str | None
) -> Payment | None:  # fmt: skip
    """The payment to continue with, under a lock on the customer, so that of two requests for
    the same purchase one opens it and the other finds it."""
    users.lock(session, user_id)
    mine = select(Payment).where(
        Payment.user_id == user_id,
        Payment.pack_or_plan == pack.code,
        Payment.amount_cents == pack.price,
        Payment.currency == pack.currency,
        Payment.credits == pack.credits,
    )
    unpaid = mine.where(Payment.status.in_(UNPAID)).order_by(Payment.created_at.desc()).limit(1)
    if order_key is None:
        return session.scalar(unpaid.where(Payment.order_key.is_(None)))
    named = session.scalar(mine.where(Payment.order_key == order_key))
    if named is not None and named.status != "canceled":
        return named
    if named is not None:
        named.order_key = None
        session.flush()
    idle = session.scalar(unpaid.where(Payment.updated_at < utcnow() - ADOPTION_AGE))
    if idle is not None:
        idle.order_key = order_key
    return idle


def _new(session: Session, user_id: str, pack: Pack, order_key: str | None) -> Payment:
    payment = Payment(
        id=new_id("pay"),
        user_id=user_id,
        pack_or_plan=pack.code,
        order_key=order_key,
        amount_cents=pack.price,
        currency=pack.currency,
        credits=pack.credits,
    )
    session.add(payment)
    return payment
