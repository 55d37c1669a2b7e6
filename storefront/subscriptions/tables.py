"""Our mirror of Stripe's subscriptions and their invoices, and what their paid lines bring."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from storefront.db import STRICT, Base, Flag, Utc, Whole, utcnow

LIVE = ("active", "trialing", "past_due", "paused", "unpaid", "incomplete")
"""Statuses of a subscription that is not over: a customer who has one does not buy another. Of
several, the customer means the one that works best; here it stands first."""

CHANGEABLE = ("active", "trialing", "past_due")
"""What the portal moves to another price. A subscription in another live state must be put right
first, at the portal's home."""

OVER = ("canceled", "incomplete_expired")


class Subscription(Base):
    """A subscription as Stripe had it when we last asked. `plan` and `interval` are None when its
    price is none of the catalogue's. `version` counts what was stored, so that an older answer of
    Stripe's never overwrites a newer one; `past_due_since` is when we first saw it past due."""

    __tablename__ = "subscriptions"
    __table_args__ = (Index("ix_subscriptions_user", "user_id", "created_at"), STRICT)

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    stripe_subscription_id: Mapped[str] = mapped_column(Text, unique=True)
    stripe_item_id: Mapped[str] = mapped_column(Text)
    stripe_price_id: Mapped[str] = mapped_column(Text)
    stripe_product_id: Mapped[str] = mapped_column(Text)
    plan: Mapped[str | None] = mapped_column(Text)
    interval: Mapped[str | None] = mapped_column(Text)
    quantity: Mapped[int] = mapped_column(Whole, default=1)
    status: Mapped[str] = mapped_column(Text)
    current_period_start: Mapped[datetime] = mapped_column(Utc)
    current_period_end: Mapped[datetime] = mapped_column(Utc)
    cancel_at_period_end: Mapped[bool] = mapped_column(Flag, default=False)
    cancel_at: Mapped[datetime | None] = mapped_column(Utc)
    trial_start: Mapped[datetime | None] = mapped_column(Utc)
    trial_end: Mapped[datetime | None] = mapped_column(Utc)
    past_due_since: Mapped[datetime | None] = mapped_column(Utc)
    started_at: Mapped[datetime] = mapped_column(Utc)
    ended_at: Mapped[datetime | None] = mapped_column(Utc)
    version: Mapped[int] = mapped_column(Whole, default=1)
    created_at: Mapped[datetime] = mapped_column(Utc, default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(Utc, default=utcnow, onupdate=utcnow)

    @property
    def ends_at(self) -> datetime | None:
        """When an announced cancellation comes into effect: Stripe says it in one of two ways."""
        if self.cancel_at is not None:
            return self.cancel_at
        return self.current_period_end if self.cancel_at_period_end else None


class Invoice(Base):
    """An invoice of a subscription, `id` being Stripe's. Amounts in minor units; `total` may be
    negative (a plan change that gives money back). `credited_at` is when its lines were turned
    into plan credits, once and for ever; `stripe_intent_id` is what paid it."""

    __tablename__ = "invoices"
    __table_args__ = (
        Index("ix_invoices_user", "user_id", "created_at"),
        Index("ix_invoices_intent", "stripe_intent_id"),
        Index("ix_invoices_paid_at", "paid_at"),
        STRICT,
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    stripe_subscription_id: Mapped[str] = mapped_column(Text)
    number: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    billing_reason: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, default="")
    currency: Mapped[str] = mapped_column(Text)
    total: Mapped[int] = mapped_column(Whole)
    amount_due: Mapped[int] = mapped_column(Whole)
    amount_paid: Mapped[int] = mapped_column(Whole)
    attempt_count: Mapped[int] = mapped_column(Whole, default=0)
    next_payment_attempt: Mapped[datetime | None] = mapped_column(Utc)
    stripe_intent_id: Mapped[str | None] = mapped_column(Text)
    hosted_invoice_url: Mapped[str | None] = mapped_column(Text)
    invoice_pdf: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Utc)
    paid_at: Mapped[datetime | None] = mapped_column(Utc)
    credited_at: Mapped[datetime | None] = mapped_column(Utc)
    version: Mapped[int] = mapped_column(Whole, default=1)
    updated_at: Mapped[datetime] = mapped_column(Utc, default=utcnow, onupdate=utcnow)


class PlanCredit(Base):
    """What one paid invoice line brings: `credits` in each of `installments` (a yearly plan with
    monthly credits has up to twelve); `done` of them are past, the next one is due at `next_at`.
    The line is for the time from `period_start` to `period_end`; the whole period, of which a
    proration is a part, began at `whole_start`. At `ended_at` the plan was given up: what would
    have begun then or later never comes.

    A line for unused time has a row of its own, a return: `credits` is what it gave back, below
    zero or zero, and `done` is 0 until the row is there whose time it ends.

    `earned` is what has come due so far (negative for a return), `granted` what went into the
    wallet: over all rows of a customer, granted less earned is what the next grants pay off.
    """

    __tablename__ = "plan_credits"
    __table_args__ = (
        CheckConstraint("installments >= 1 AND done >= 0", name="installments_count"),
        CheckConstraint("done <= installments", name="done_is_a_part"),
        CheckConstraint("granted >= 0", name="grants_are_positive"),
        Index(
            "ix_plan_credits_next_at",
            "next_at",
            postgresql_where=text("next_at IS NOT NULL"),
            sqlite_where=text("next_at IS NOT NULL"),
        ),
        Index("ix_plan_credits_user", "user_id"),
        STRICT,
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    invoice_id: Mapped[str] = mapped_column(Text, ForeignKey("invoices.id"))
    user_id: Mapped[str] = mapped_column(Text, ForeignKey("users.id"))
    stripe_subscription_id: Mapped[str] = mapped_column(Text)
    plan: Mapped[str] = mapped_column(Text)
    interval: Mapped[str] = mapped_column(Text)
    whole_start: Mapped[datetime] = mapped_column(Utc)
    period_start: Mapped[datetime] = mapped_column(Utc)
    period_end: Mapped[datetime] = mapped_column(Utc)
    credits: Mapped[int] = mapped_column(Whole)
    credits_expire: Mapped[str] = mapped_column(Text)
    installments: Mapped[int] = mapped_column(Whole, default=1)
    done: Mapped[int] = mapped_column(Whole, default=0)
    next_at: Mapped[datetime | None] = mapped_column(Utc)
    ended_at: Mapped[datetime | None] = mapped_column(Utc)
    earned: Mapped[int] = mapped_column(Whole, default=0)
    granted: Mapped[int] = mapped_column(Whole, default=0)
    created_at: Mapped[datetime] = mapped_column(Utc, default=utcnow)
