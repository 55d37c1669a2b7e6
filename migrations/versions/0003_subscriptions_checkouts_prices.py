"""Subscriptions and their invoices, checkouts, prices at Stripe, consent to analytics

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

from storefront.db import Flag, Utc, Whole

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_subscriptions()
    _create_invoices()
    _create_plan_credits()
    _create_checkouts()
    _create_stripe_prices()
    _create_stripe_objects()
    op.add_column("users", sa.Column("analytics_consent", Flag(), nullable=True))
    op.add_column("users", sa.Column("analytics_client_id", sa.Text(), nullable=True))


def downgrade() -> None:
    for column in ("analytics_client_id", "analytics_consent"):
        op.drop_column("users", column)
    for table in (
        "stripe_objects",
        "stripe_prices",
        "checkouts",
        "plan_credits",
        "invoices",
        "subscriptions",
    ):
        op.drop_table(table)


def _create_subscriptions() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("stripe_subscription_id", sa.Text(), nullable=False),
        sa.Column("stripe_item_id", sa.Text(), nullable=False),
        sa.Column("stripe_price_id", sa.Text(), nullable=False),
        sa.Column("stripe_product_id", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("interval", sa.Text(), nullable=True),
        sa.Column("quantity", Whole, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("current_period_start", Utc(), nullable=False),
        sa.Column("current_period_end", Utc(), nullable=False),
        sa.Column("cancel_at_period_end", Flag(), nullable=False),
        sa.Column("cancel_at", Utc(), nullable=True),
        sa.Column("trial_start", Utc(), nullable=True),
        sa.Column("trial_end", Utc(), nullable=True),
        sa.Column("past_due_since", Utc(), nullable=True),
        sa.Column("started_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("version", Whole, nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("stripe_subscription_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_subscriptions_user", "subscriptions", ["user_id", "created_at"])


def _create_invoices() -> None:
    op.create_table(
        "invoices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("stripe_subscription_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("billing_reason", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("total", Whole, nullable=False),
        sa.Column("amount_due", Whole, nullable=False),
        sa.Column("amount_paid", Whole, nullable=False),
        sa.Column("attempt_count", Whole, nullable=False),
        sa.Column("next_payment_attempt", Utc(), nullable=True),
        sa.Column("stripe_intent_id", sa.Text(), nullable=True),
        sa.Column("hosted_invoice_url", sa.Text(), nullable=True),
        sa.Column("invoice_pdf", sa.Text(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("paid_at", Utc(), nullable=True),
        sa.Column("credited_at", Utc(), nullable=True),
        sa.Column("version", Whole, nullable=False),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index("ix_invoices_user", "invoices", ["user_id", "created_at"])
    op.create_index("ix_invoices_intent", "invoices", ["stripe_intent_id"])


def _create_plan_credits() -> None:
    op.create_table(
        "plan_credits",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("stripe_subscription_id", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("interval", sa.Text(), nullable=False),
        sa.Column("whole_start", Utc(), nullable=False),
        sa.Column("period_start", Utc(), nullable=False),
        sa.Column("period_end", Utc(), nullable=False),
        sa.Column("credits", Whole, nullable=False),
        sa.Column("credits_expire", sa.Text(), nullable=False),
        sa.Column("installments", Whole, nullable=False),
        sa.Column("done", Whole, nullable=False),
        sa.Column("next_at", Utc(), nullable=True),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("earned", Whole, nullable=False),
        sa.Column("granted", Whole, nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.CheckConstraint("installments >= 1 AND done >= 0", name="installments_count"),
        sa.CheckConstraint("done <= installments", name="done_is_a_part"),
        sa.CheckConstraint("granted >= 0", name="grants_are_positive"),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"]),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_plan_credits_next_at",
        "plan_credits",
        ["next_at"],
        postgresql_where=sa.text("next_at IS NOT NULL"),
        sqlite_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_index("ix_plan_credits_user", "plan_credits", ["user_id"])


def _create_checkouts() -> None:
    op.create_table(
        "checkouts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("interval", sa.Text(), nullable=False),
        sa.Column("quantity", Whole, nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("stripe_price_id", sa.Text(), nullable=False),
        sa.Column("amount_cents", Whole, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("credits", Whole, nullable=False),
        sa.Column("attempt", Whole, nullable=False),
        sa.Column("stripe_session_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("payment_status", sa.Text(), nullable=True),
        sa.Column("stripe_subscription_id", sa.Text(), nullable=True),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.CheckConstraint("mode IN ('payment', 'subscription')", name="mode_is_known"),
        sa.CheckConstraint("amount_cents > 0 AND quantity > 0", name="checkout_amounts_positive"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("stripe_session_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_checkouts_user", "checkouts", ["user_id", "created_at"])


def _create_stripe_prices() -> None:
    op.create_table(
        "stripe_prices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("interval", sa.Text(), nullable=False),
        sa.Column("amount", Whole, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("current", Flag(), nullable=False),
        sa.Column("seen_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )


def _create_stripe_objects() -> None:
    op.create_table(
        "stripe_objects",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("stripe_id", sa.Text(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_strict=True,
    )
