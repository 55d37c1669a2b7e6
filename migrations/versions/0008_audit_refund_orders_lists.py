"""The audit log, the refunds that operators order, and indexes for their lists

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from storefront.db import Utc, Whole

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_payments_created_at", "payments", ["created_at", "id"]),
    ("ix_payments_status", "payments", ["status", "created_at", "id"]),
    ("ix_payments_kind", "payments", ["kind", "created_at", "id"]),
    ("ix_payments_amount", "payments", ["amount_cents", "created_at", "id"]),
    ("ix_ledger_transfers_created_at", "ledger_transfers", ["created_at", "id"]),
    ("ix_ledger_transfers_code", "ledger_transfers", ["code", "created_at", "id"]),
    ("ix_stripe_events_received_at", "stripe_events", ["received_at", "id"]),
    ("ix_stripe_events_type", "stripe_events", ["type", "received_at", "id"]),
    ("ix_users_created_at", "users", ["created_at", "id"]),
    ("ix_refunds_created_at", "refunds", ["created_at"]),
    ("ix_invoices_paid_at", "invoices", ["paid_at"]),
)

DONE = sa.text("done_at IS NOT NULL")
GIVEN_UP = sa.text("given_up_at IS NOT NULL AND done_at IS NULL")


def upgrade() -> None:
    _create_audit_entries()
    _create_refund_orders()
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns)
    op.create_index(
        "ix_users_email_prefix", "users", ["email"], postgresql_ops={"email": "text_pattern_ops"}
    )
    op.create_index(
        "ix_jobs_done", "jobs", ["done_at", "key"], postgresql_where=DONE, sqlite_where=DONE
    )
    op.create_index(
        "ix_jobs_given_up",
        "jobs",
        ["given_up_at", "key"],
        postgresql_where=GIVEN_UP,
        sqlite_where=GIVEN_UP,
    )
    for statement in FROZEN[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    for statement in CHANGEABLE[op.get_bind().dialect.name]:
        op.execute(statement)
    op.drop_index("ix_jobs_given_up", "jobs")
    op.drop_index("ix_jobs_done", "jobs")
    op.drop_index("ix_users_email_prefix", "users")
    for name, table, _ in reversed(INDEXES):
        op.drop_index(name, table)
    op.drop_table("refund_orders")
    op.drop_table("audit_entries")


def _create_audit_entries() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", Whole, autoincrement=True, nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("user_id", sa.Text(), sa.ForeignKey("users.id"), nullable=True),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index("ix_audit_entries_subject", "audit_entries", ["subject", "id"])
    op.create_index("ix_audit_entries_action", "audit_entries", ["action", "id"])


def _create_refund_orders() -> None:
    op.create_table(
        "refund_orders",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Text(), sa.ForeignKey("payments.id"), nullable=True),
        sa.Column("invoice_id", sa.Text(), sa.ForeignKey("invoices.id"), nullable=True),
        sa.Column("stripe_intent_id", sa.Text(), nullable=False),
        sa.Column("amount", Whole, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("ordered_by", sa.Text(), sa.ForeignKey("users.id"), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt", Whole, nullable=False),
        sa.Column("stripe_refund_id", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.CheckConstraint("amount > 0", name="order_amount_positive"),
        sa.CheckConstraint("(payment_id IS NULL) <> (invoice_id IS NULL)", name="order_of_one"),
        sa.CheckConstraint(
            "state IN ('ordered', 'made', 'refused')", name="order_state_is_known"
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index("ix_refund_orders_payment", "refund_orders", ["payment_id"])
    op.create_index("ix_refund_orders_invoice", "refund_orders", ["invoice_id"])


# Nobody rewrites what was written down, whoever has the database's password.
FROZEN = {
    "sqlite": (
        """
        CREATE TRIGGER audit_entries_no_update BEFORE UPDATE ON audit_entries
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
        """,
        """
        CREATE TRIGGER audit_entries_no_delete BEFORE DELETE ON audit_entries
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
        """,
    ),
    "postgresql": (
        """
        CREATE TRIGGER audit_entries_no_change
        BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_with('the audit log is append-only')
        """,
    ),
}

CHANGEABLE = {
    "sqlite": (
        "DROP TRIGGER audit_entries_no_update",
        "DROP TRIGGER audit_entries_no_delete",
    ),
    "postgresql": ("DROP TRIGGER audit_entries_no_change ON audit_entries",),
}
