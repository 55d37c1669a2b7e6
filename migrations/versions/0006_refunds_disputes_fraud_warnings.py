"""Refunds, disputes, early fraud warnings, and invoices of which money went back

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from storefront.db import Flag, Utc, Whole

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

OF_ONE = "(payment_id IS NULL) <> (invoice_id IS NULL)"


def upgrade() -> None:
    for name in ("amount_disputed", "reversals"):
        zero = sa.Column(name, Whole, nullable=False, server_default=sa.text("0"))
        op.add_column("payments", zero)
    _create_refunds()
    _create_disputes()
    _create_fraud_warnings()
    _create_invoice_claims()


def downgrade() -> None:
    op.drop_table("invoice_claims")
    op.drop_table("fraud_warnings")
    op.drop_table("disputes")
    op.drop_table("refunds")
    op.drop_column("payments", "reversals")
    op.drop_column("payments", "amount_disputed")


def _of_what() -> list[sa.Column[str]]:
    """What it is of, and whose."""
    return [
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), sa.ForeignKey("payments.id"), nullable=True),
        sa.Column("invoice_id", sa.Text(), sa.ForeignKey("invoices.id"), nullable=True),
        sa.Column("user_id", sa.Text(), sa.ForeignKey("users.id"), nullable=False),
    ]


def _create_refunds() -> None:
    op.create_table(
        "refunds",
        *_of_what(),
        sa.Column("amount", Whole, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("credits_taken", Whole, nullable=False),
        sa.Column("credits_returned", Whole, nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.CheckConstraint(OF_ONE, name="refund_of_one"),
        sa.CheckConstraint("credits_taken >= 0 AND credits_returned >= 0", name="refund_credits"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index("ix_refunds_payment", "refunds", ["payment_id"])
    op.create_index("ix_refunds_invoice", "refunds", ["invoice_id"])
    op.create_index("ix_refunds_user", "refunds", ["user_id", "created_at"])


def _create_disputes() -> None:
    op.create_table(
        "disputes",
        *_of_what(),
        sa.Column("amount", Whole, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("due_by", Utc(), nullable=True),
        sa.Column("withdrawn", Whole, nullable=False),
        sa.Column("withdrawn_at", Utc(), nullable=True),
        sa.Column("reinstated", Whole, nullable=False),
        sa.Column("reinstated_at", Utc(), nullable=True),
        sa.Column("closed_at", Utc(), nullable=True),
        sa.Column("credits_taken", Whole, nullable=False),
        sa.Column("credits_returned", Whole, nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.CheckConstraint(OF_ONE, name="dispute_of_one"),
        sa.CheckConstraint("withdrawn >= 0 AND reinstated >= 0", name="dispute_amounts"),
        sa.CheckConstraint("credits_taken >= 0 AND credits_returned >= 0", name="dispute_credits"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index("ix_disputes_payment", "disputes", ["payment_id"])
    op.create_index("ix_disputes_invoice", "disputes", ["invoice_id"])
    op.create_index("ix_disputes_user", "disputes", ["user_id", "created_at"])
    unsettled = sa.text("closed_at IS NULL")
    op.create_index(
        "ix_disputes_open",
        "disputes",
        ["created_at"],
        postgresql_where=unsettled,
        sqlite_where=unsettled,
    )


def _create_fraud_warnings() -> None:
    op.create_table(
        "fraud_warnings",
        *_of_what(),
        sa.Column("stripe_charge_id", sa.Text(), nullable=False),
        sa.Column("fraud_type", sa.Text(), nullable=False),
        sa.Column("actionable", Flag(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.CheckConstraint(OF_ONE, name="fraud_warning_of_one"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index("ix_fraud_warnings_created_at", "fraud_warnings", ["created_at"])


def _create_invoice_claims() -> None:
    op.create_table(
        "invoice_claims",
        sa.Column("invoice_id", sa.Text(), sa.ForeignKey("invoices.id"), nullable=False),
        sa.Column("granted", Whole, nullable=False),
        sa.Column("follow_ups", Whole, nullable=False),
        sa.Column("credits_taken", Whole, nullable=False),
        sa.PrimaryKeyConstraint("invoice_id"),
        sqlite_strict=True,
    )
