"""The payments table, and the states of a payment."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from storefront.db import STRICT, Base, Utc, Whole, utcnow
from storefront.errors import NotFound

UNPAID = ("opened", "requires_payment_method", "requires_confirmation", "requires_action")
"""States in which the customer can still (or again) pay with the same intent."""


UNSETTLED = text("status NOT IN ('succeeded', 'canceled')")
"""The payments that are not final; as text, so that SQLite sees that the index is for them."""


class Payment(Base):
    """One thing that a customer pays for. Amounts in minor units of `currency`.

    `status` is Stripe's word for the intent, or `opened` before there is one. `order_key` is the
    browser's name for one purchase: repeats of it are the same purchase. `attempt` counts
    refusals of Stripe to create the intent: a changed request needs another idempotency key.
    `amount_refunded` is what went back or is on its way, `amount_disputed` what the customer's bank
    has taken; `reversals` counts the refunds and disputes that there are, whatever became of them.
    """

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("amount_cents > 0 AND credits >= 0", name="amounts_positive"),
        UniqueConstraint("user_id", "order_key", "pack_or_plan", name="uq_payments_order_key"),
        Index("ix_payments_user_pack", "user_id", "pack_or_plan", "created_at"),
        Index("ix_payments_created_at", "created_at", "id"),  # the lists of operators
        Index("ix_payments_status", "status", "created_at", "id"),
        Index("ix_payments_kind", "kind", "created_at", "id"),
        Index("ix_payments_amount", "amount_cents", "created_at", "id"),
        Index(
            "ix_payments_unsettled",
            "created_at",
            "id",
            postgresql_where=UNSETTLED,
            sqlite_where=UNSETTLED,
        ),
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
    amount_disputed: Mapped[int] = mapped_column(Whole, default=0, server_default=text("0"))
    reversals: Mapped[int] = mapped_column(Whole, default=0, server_default=text("0"))

    @property
    def final(self) -> bool:
        return self.status in ("succeeded", "canceled")

    @property
    def kept(self) -> bool:
        """Not all of its money is back with the customer, by refunds or by a dispute. (One that
        cost nothing cannot be given back.)"""
        gone = self.amount_refunded + self.amount_disputed
        return gone == 0 or gone < self.amount_received

    @property
    def failed(self) -> bool:
        """The last attempt failed; the customer may try again with the same intent."""
        return self.status in UNPAID and self.failure_code is not None


def find(session: Session, payment_id: str, user_id: str) -> Payment:
    """The customer's own payment. Raises NotFound alike for a missing and a foreign one."""
    payment = session.get(Payment, payment_id)
    if payment is None or payment.user_id != user_id:
        raise NotFound("There is no such payment.")
    return payment
