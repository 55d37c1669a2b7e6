"""The checkouts table: what a customer went to Stripe's Checkout page for."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from storefront.db import STRICT, Base, Utc, Whole, utcnow

UNFINISHED = ("opened", "open")


STILL_OPEN = text("status IN ('opened', 'open')")
"""The same; as text, so that SQLite sees that the index is for them."""


class Checkout(Base):
    """One visit to Stripe's Checkout page. What it costs and brings is fixed here, before Stripe is
    asked: `amount_cents` is the price times `quantity` before discounts and tax, `credits` what a
    one-time plan brings at once.

    `status` is `opened` before there is a session, then Stripe's word for it: open, complete,
    expired. `attempt` counts refusals of Stripe to make the session: a changed request needs
    another idempotency key.
    """

    __tablename__ = "checkouts"
    __table_args__ = (
        CheckConstraint("mode IN ('payment', 'subscription')", name="mode_is_known"),
        CheckConstraint("amount_cents > 0 AND quantity > 0", name="checkout_amounts_positive"),
        Index("ix_checkouts_user", "user_id", "created_at"),
        Index(
            "ix_checkouts_unfinished",
            "created_at",
            "id",
            postgresql_where=STILL_OPEN,
            sqlite_where=STILL_OPEN,
        ),
        STRICT,
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    plan: Mapped[str] = mapped_column(Text)
    interval: Mapped[str] = mapped_column(Text)
    quantity: Mapped[int] = mapped_column(Whole, default=1)
    mode: Mapped[str] = mapped_column(Text)
    stripe_price_id: Mapped[str] = mapped_column(Text)
    amount_cents: Mapped[int] = mapped_column(Whole)
    currency: Mapped[str] = mapped_column(Text)
    credits: Mapped[int] = mapped_column(Whole, default=0)
    attempt: Mapped[int] = mapped_column(Whole, default=1)
    stripe_session_id: Mapped[str | None] = mapped_column(Text, unique=True)
    status: Mapped[str] = mapped_column(Text, default="opened")
    payment_status: Mapped[str | None] = mapped_column(Text)
    stripe_subscription_id: Mapped[str | None] = mapped_column(Text)
    payment_id: Mapped[str | None] = mapped_column(Text, ForeignKey("payments.id"))
    created_at: Mapped[datetime] = mapped_column(Utc, default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(Utc, default=utcnow, onupdate=utcnow)
