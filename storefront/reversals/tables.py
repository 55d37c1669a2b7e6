"""The tables of money that flows back. Each row is of a payment or of an invoice of ours; ids are
Stripe's, amounts in minor units."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from storefront.db import STRICT, Base, Flag, Utc, Whole, utcnow

ACTIVE = ("pending", "succeeded")
"""States of a refund whose money is gone, or on its way."""

CLOSED = ("warning_closed", "prevented", "won", "lost")
"""States of a dispute in which nothing more is to come, unless a loss is appealed."""

_OF_ONE = "(payment_id IS NULL) <> (invoice_id IS NULL)"


class Refund(Base):
    """Money given back. `credits_taken` and `credits_returned` are what its facts moved: of
    several reversals of one payment, one may find taken already what it claims."""

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint(_OF_ONE, name="refund_of_one"),
        CheckConstraint("credits_taken >= 0 AND credits_returned >= 0", name="refund_credits"),
        Index("ix_refunds_payment", "payment_id"),
        Index("ix_refunds_invoice", "invoice_id"),
        Index("ix_refunds_user", "user_id", "created_at"),
        Index("ix_refunds_created_at", "created_at"),
        STRICT,
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    payment_id: Mapped[str | None] = mapped_column(Text, ForeignKey("payments.id"))
    invoice_id: Mapped[str | None] = mapped_column(Text, ForeignKey("invoices.id"))
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    amount: Mapped[int] = mapped_column(Whole)
    currency: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    failure_reason: Mapped[str | None] = mapped_column(Text)
    credits_taken: Mapped[int] = mapped_column(Whole, default=0)
    credits_returned: Mapped[int] = mapped_column(Whole, default=0)
    created_at: Mapped[datetime] = mapped_column(Utc)
    updated_at: Mapped[datetime] = mapped_column(Utc, default=utcnow, onupdate=utcnow)

    @property
    def claim(self) -> int:
        """How much of its payment it claims."""
        return self.amount if self.status in ACTIVE else 0


class Dispute(Base):
    """A payment that the customer's bank questions. Its `status` tells how that stands, and moves
    nothing; the money does: `withdrawn` and `reinstated` are 0 until it has moved."""

    __tablename__ = "disputes"
    __table_args__ = (
        CheckConstraint(_OF_ONE, name="dispute_of_one"),
        CheckConstraint("withdrawn >= 0 AND reinstated >= 0", name="dispute_amounts"),
        CheckConstraint("credits_taken >= 0 AND credits_returned >= 0", name="dispute_credits"),
        Index("ix_disputes_payment", "payment_id"),
        Index("ix_disputes_invoice", "invoice_id"),
        Index("ix_disputes_user", "user_id", "created_at"),
        Index(
            "ix_disputes_open",
            "created_at",
            postgresql_where=text("closed_at IS NULL"),
            sqlite_where=text("closed_at IS NULL"),
        ),
        STRICT,
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    payment_id: Mapped[str | None] = mapped_column(Text, ForeignKey("payments.id"))
    invoice_id: Mapped[str | None] = mapped_column(Text, ForeignKey("invoices.id"))
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    amount: Mapped[int] = mapped_column(Whole)
    currency: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    due_by: Mapped[datetime | None] = mapped_column(Utc)
    withdrawn: Mapped[int] = mapped_column(Whole, default=0)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Utc)
    reinstated: Mapped[int] = mapped_column(Whole, default=0)
    reinstated_at: Mapped[datetime | None] = mapped_column(Utc)
    closed_at: Mapped[datetime | None] = mapped_column(Utc)
    credits_taken: Mapped[int] = mapped_column(Whole, default=0)
    credits_returned: Mapped[int] = mapped_column(Whole, default=0)
    created_at: Mapped[datetime] = mapped_column(Utc)
    updated_at: Mapped[datetime] = mapped_column(Utc, default=utcnow, onupdate=utcnow)

    @property
    def claim(self) -> int:
        """How much of its payment it claims."""
        return max(0, self.withdrawn - self.reinstated)

    @property
    def is_inquiry(self) -> bool:
        return self.status.startswith("warning_")

    @property
    def open(self) -> bool:
        """The bank has the money, and the matter is not settled."""
        return self.claim > 0 and self.closed_at is None


class FraudWarning(Base):
    """What a card's issuer suspects of a payment before anybody disputes it. It moves nothing: an
    operator may refund the payment while it is `actionable`, and so spare the dispute."""

    __tablename__ = "fraud_warnings"
    __table_args__ = (
        CheckConstraint(_OF_ONE, name="fraud_warning_of_one"),
        Index("ix_fraud_warnings_created_at", "created_at"),
        STRICT,
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    payment_id: Mapped[str | None] = mapped_column(Text, ForeignKey("payments.id"))
    invoice_id: Mapped[str | None] = mapped_column(Text, ForeignKey("invoices.id"))
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    stripe_charge_id: Mapped[str] = mapped_column(Text)
    fraud_type: Mapped[str] = mapped_column(Text)
    actionable: Mapped[bool] = mapped_column(Flag)
    created_at: Mapped[datetime] = mapped_column(Utc)
    updated_at: Mapped[datetime] = mapped_column(Utc, default=utcnow, onupdate=utcnow)


class InvoiceClaim(Base):
    """An invoice of which money went back, and how far its grants were followed: `granted` is what
    its lines had brought when the credits were last brought in line, `follow_ups` counts the
    transfers that took their part of later installments."""

    __tablename__ = "invoice_claims"
    __table_args__ = STRICT

    invoice_id: Mapped[str] = mapped_column(Text, ForeignKey("invoices.id"), primary_key=True)
    granted: Mapped[int] = mapped_column(Whole, default=0)
    follow_ups: Mapped[int] = mapped_column(Whole, default=0)
    credits_taken: Mapped[int] = mapped_column(Whole, default=0)
