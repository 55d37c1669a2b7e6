"""The table of refunds that were ordered."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storefront.db import STRICT, Base, Utc, Whole, utcnow

REASONS = {
    "requested_by_customer": "The customer asked for it",
    "duplicate": "It was paid twice",
    "fraudulent": "It looks like fraud",
}
"""Stripe's reasons. `fraudulent` also puts the card on the account's block list there."""


class RefundOrder(Base):
    """A refund that an operator wants. `id` was made with the form, so that one form is one refund;
    `attempt` counts the idempotency keys that Stripe answered with a 500."""

    __tablename__ = "refund_orders"
    __table_args__ = (
        CheckConstraint("amount > 0", name="order_amount_positive"),
        CheckConstraint("(payment_id IS NULL) <> (invoice_id IS NULL)", name="order_of_one"),
        CheckConstraint("state IN ('ordered', 'made', 'refused')", name="order_state_is_known"),
        Index("ix_refund_orders_payment", "payment_id"),
        Index("ix_refund_orders_invoice", "invoice_id"),
        STRICT,
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    payment_id: Mapped[str | None] = mapped_column(Text, ForeignKey("payments.id"))
    invoice_id: Mapped[str | None] = mapped_column(Text, ForeignKey("invoices.id"))
    stripe_intent_id: Mapped[str] = mapped_column(Text)
    amount: Mapped[int] = mapped_column(Whole)
    currency: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, default="")
    ordered_by: Mapped[str | None] = mapped_column(Text, ForeignKey("users.id"))
    state: Mapped[str] = mapped_column(Text, default="ordered")
    attempt: Mapped[int] = mapped_column(Whole, default=1)
    stripe_refund_id: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Utc, default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(Utc, default=utcnow, onupdate=utcnow)

    @property
    def subject(self) -> str:
        """The id of what is refunded."""
        subject = self.payment_id or self.invoice_id
        assert subject is not None
        return subject


def of_source(session: Session, subject: str) -> list[RefundOrder]:
    """The refunds ordered of a payment or an invoice, oldest first."""
    mine = (RefundOrder.payment_id == subject) | (RefundOrder.invoice_id == subject)
    return list(session.scalars(select(RefundOrder).where(mine).order_by(RefundOrder.created_at)))
