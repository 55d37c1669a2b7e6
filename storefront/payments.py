"""A payment's life: opened, then whatever Stripe says of its intent, until it is settled.

open_top_up() starts one, settle() is the one function that applies what Stripe says, called by
the webhook and by refresh() (return page). The row is committed before Stripe is called, so that
an intent always finds its row; what a payment costs and brings is fixed in that row.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from storefront import jobs, ledger, users
from storefront.catalog import Pack
from storefront.db import STRICT, Base, Utc, Whole, transaction, utcnow
from storefront.errors import NotFound, StripeFailed, StripeRefused, Unprocessable
from storefront.ids import new_id
from storefront.stripe_gateway import CustomerMissing, Intent, StripeGateway
from storefront.users import User

UNPAID = ("opened", "requires_payment_method", "requires_confirmation", "requires_action")
"""States in which the customer can still (or again) pay with the same intent."""

ADOPTION_AGE = timedelta(minutes=30)
"""An unpaid intent untouched for so long may serve another tab of the same customer."""

ASKING_INTERVAL = timedelta(seconds=2)

_RANKS = {status: rank for rank, status in enumerate((*UNPAID, "processing"))}
_FAILED_RANK, _CANCELED_RANK = 10, 11


class Payment(Base):
    """One thing that a customer pays for. Amounts in minor units of `currency`.

    `status` is Stripe's word for the intent, or `opened` before there is one. `order_key` is the
    browser's name for one purchase: repeats of it are the same purchase. `attempt` counts
    refusals of Stripe to create the intent: a changed request needs another idempotency key.
    """

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("amount_cents > 0 AND credits >= 0", name="amounts_positive"),
        UniqueConstraint("user_id", "order_key", "pack_or_plan", name="uq_payments_order_key"),
        Index("ix_payments_user_pack", "user_id", "pack_or_plan", "created_at"),
        STRICT,
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    kind: Mapped[str] = mapped_column(Text, default="top_up")
    pack_or_plan: Mapped[str] = mapped_column(Text)
    quantity: Mapped[int] = mapped_column(Whole, default=1)
    order_key: Mapped[str | None] = mapped_column(Text)
    attempt: Mapped[int] = mapped_column(Whole, default=1)
    stripe_intent_id: Mapped[str | None] = mapped_column(Text, unique=True)
    checkout_session_id: Mapped[str | None] = mapped_column(Text, unique=True)
    amount_cents: Mapped[int] = mapped_column(Whole)
    currency: Mapped[str] = mapped_column(Text)
    credits: Mapped[int] = mapped_column(Whole)
    status: Mapped[str] = mapped_column(Text, default="opened")
    amount_received: Mapped[int] = mapped_column(Whole, default=0)
    amount_refunded: Mapped[int] = mapped_column(Whole, default=0)
    failure_code: Mapped[str | None] = mapped_column(Text)
    failure_message: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Utc, default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(Utc, default=utcnow, onupdate=utcnow)

    @property
    def final(self) -> bool:
        return self.status in ("succeeded", "canceled")

    @property
    def failed(self) -> bool:
        """The last attempt failed; the customer may try again with the same intent."""
        return self.status in UNPAID and self.failure_code is not None


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
    try:
        payment, intent = _open_once(gateway, user, pack, order_key)
    except CustomerMissing as error:
        users.replace_stripe_customer(gateway, user, error.customer_id)
        payment, intent = _open_once(gateway, user, pack, order_key)
    if intent is None or intent.status == "canceled" or _paid_without_key(intent, order_key):
        payment, intent = _open_once(gateway, user, pack, order_key)
    if intent is None or intent.client_secret is None:
        raise StripeRefused("The payment service lost the payment. Nothing was charged; try again.")
    return Opened(
        payment_id=payment.id,
        intent_id=intent.id,
        client_secret=intent.client_secret,
        amount=payment.amount_cents,
        currency=payment.currency,
        status=intent.status,
    )


def _paid_without_key(intent: Intent, order_key: str | None) -> bool:
    """Our row was behind: this intent is paid (or being paid), so a new purchase needs another."""
    return order_key is None and intent.status in ("processing", "succeeded", "requires_capture")


def refresh(gateway: StripeGateway, payment: Payment) -> None:
    """Ask Stripe what is true of an open payment, and apply it as a webhook would; at most once
    in ASKING_INTERVAL, so that a polling page cannot become a load on Stripe.

    Raises the gateway's errors, and Unprocessable as settle() does.
    """
    idle = utcnow() - payment.updated_at
    if payment.final or payment.stripe_intent_id is None or idle < ASKING_INTERVAL:
        return
    intent = gateway.retrieve_payment_intent(payment.stripe_intent_id)
    with transaction() as session:
        settle(session, intent, asked=True)
        payment.updated_at = utcnow()


def find(session: Session, payment_id: str, user_id: str) -> Payment:
    """The customer's own payment. Raises NotFound alike for a missing and a foreign one."""
    payment = session.get(Payment, payment_id)
    if payment is None or payment.user_id != user_id:
        raise NotFound("There is no such payment.")
    return payment


def settle(
    session: Session, intent: Intent, *, asked: bool = False, happened_at: datetime | None = None
) -> Payment | None:
    """Apply what Stripe says of an intent to its payment: the one function for this effect.

    A success credits the pack, once, by the transfer id `payment:<id>`, and promises a receipt by
    mail. Nothing undoes a success.
    Among unpaid states an event only ever moves the row forward, so that any order of delivery
    ends alike; `asked` means that Stripe was asked just now, and then its word simply stands.
    Returns None for an intent that is not ours, or that no payment goes on with.
    Raises Unprocessable when money came in that contradicts our row; nothing is changed then.
    """
    payment = _row_of(session, intent)
    if payment is None:
        return None
    if intent.status == "succeeded":
        _credit(session, payment, intent, happened_at)
    elif payment.status != "succeeded" and (asked or _stage(intent) > _stage(payment)):
        payment.status = intent.status
        payment.failure_code = intent.failure_code
        payment.failure_message = intent.failure_message
    session.flush()
    return payment


def _credit(
    session: Session, payment: Payment, intent: Intent, happened_at: datetime | None
) -> None:
    if intent.amount_received != payment.amount_cents:
        raise Unprocessable(
            f"{intent.id}: received {intent.amount_received} {intent.currency}, "
            f"but payment {payment.id} costs {payment.amount_cents} {payment.currency}."
        )
    payment.status = "succeeded"
    payment.amount_received = intent.amount_received
    payment.failure_code = payment.failure_message = None
    if ledger.find_transfer(session, f"payment:{payment.id}"):
        return
    ledger.transfer(
        session,
        ledger.Order(
            id=f"payment:{payment.id}",
            code="top_up",
            user_id=payment.user_id,
            credits=payment.credits,
            happened_at=happened_at,
            payment_id=payment.id,
        ),
    )
    about, key = {"payment_id": payment.id}, f"mail_receipt:{payment.id}"
    jobs.promise(session, "mail_receipt", about, key=key)  # as the hot path does


def _row_of(session: Session, intent: Intent) -> Payment | None:
    """The intent's payment, locked. A row that does not know its intent yet (we died, or are
    still, between the call and its answer) is found by our id in the metadata, and linked."""
    payment = _locked(session, Payment.stripe_intent_id == intent.id)
    if payment is None and intent.payment_id is None:
        return None
    if payment is None:
        payment = _locked(session, Payment.id == intent.payment_id)
    contradiction = _contradiction(session, payment, intent)
    if payment is None or contradiction:
        if intent.status == "succeeded":
            raise Unprocessable(f"{intent.id}: {contradiction}")
        return None  # an intent whose creation was answered with a 500, and given up
    payment.stripe_intent_id = intent.id
    return payment


def _locked(session: Session, condition: ColumnElement[bool]) -> Payment | None:
    query = select(Payment).where(condition).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def _contradiction(session: Session, payment: Payment | None, intent: Intent) -> str | None:
    """What of the intent does not fit its payment, in one sentence; None when all of it fits."""
    if payment is None:
        return f"its payment {intent.payment_id} is unknown here."
    customer_id = session.scalar(select(User.stripe_customer_id).where(User.id == payment.user_id))
    theirs = (intent.id, intent.amount, intent.currency, intent.customer_id)
    known_id = payment.stripe_intent_id or intent.id
    ours = (known_id, payment.amount_cents, payment.currency, customer_id)
    if theirs == ours:
        return None
    return f"{_facts(theirs)} does not fit payment {payment.id}: {_facts(ours)}."


def _facts(values: tuple[str, int, str, str | None]) -> str:
    intent_id, amount, currency, customer_id = values
    return f"{intent_id} of {amount} {currency} for customer {customer_id}"


def _stage(it: Payment | Intent) -> tuple[int, str, str]:
    """How far a payment has come, as a total order: whichever event comes last, the highest
    stands. A failed attempt ranks above the states that led to it."""
    if it.status == "canceled":
        rank = _CANCELED_RANK
    elif it.failure_code is not None:
        rank = _FAILED_RANK
    else:
        rank = _RANKS.get(it.status, 0)
    return rank, it.failure_code or "", it.failure_message or ""


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


def _take_up(session: Session, user_id: str, pack: Pack, order_key: str | None) -> Payment | None:
    """The payment to continue with, under a lock on the customer, so that of two requests for
    the same purchase one opens it and the other finds it."""
    session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))
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
