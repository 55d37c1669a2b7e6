"""Customers, payments, Stripe's events, the ledger, attempts

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

from storefront.db import Flag, Utc, Whole

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SYSTEM_ACCOUNTS = ("sales", "granted", "spent", "refunds", "disputes", "expired", "adjustments")


def upgrade() -> None:
    _create_users()
    _create_payments()
    _create_stripe_events()
    _create_ledger()
    _create_attempts()
    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))


def downgrade() -> None:
    for statement in CHANGEABLE[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))
    for table in (
        "attempts",
        "ledger_transfers",
        "ledger_accounts",
        "stripe_events",
        "payments",
        "users",
    ):
        op.drop_table(table)


def _create_users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("stripe_customer_id", sa.Text(), nullable=True),
        sa.Column("stripe_customer_attempt", Whole, nullable=False),
        sa.Column("is_admin", Flag(), nullable=False),
        sa.Column("session_version", Whole, nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
        sa.UniqueConstraint("stripe_customer_id"),
        sqlite_strict=True,
    )


def _create_payments() -> None:
    op.create_table(
        "payments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("pack_or_plan", sa.Text(), nullable=False),
        sa.Column("quantity", Whole, nullable=False),
        sa.Column("order_key", sa.Text(), nullable=True),
        sa.Column("attempt", Whole, nullable=False),
        sa.Column("stripe_intent_id", sa.Text(), nullable=True),
        sa.Column("checkout_session_id", sa.Text(), nullable=True),
        sa.Column("amount_cents", Whole, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("credits", Whole, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("amount_received", Whole, nullable=False),
        sa.Column("amount_refunded", Whole, nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.CheckConstraint("amount_cents > 0 AND credits >= 0", name="amounts_positive"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("stripe_intent_id"),
        sa.UniqueConstraint("checkout_session_id"),
        sa.UniqueConstraint("user_id", "order_key", "pack_or_plan", name="uq_payments_order_key"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_payments_user_pack", "payments", ["user_id", "pack_or_plan", "created_at"]
    )


def _create_stripe_events() -> None:
    op.create_table(
        "stripe_events",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("api_version", sa.Text(), nullable=True),
        sa.Column("livemode", Flag(), nullable=False),
        sa.Column("created", Utc(), nullable=False),
        sa.Column("received_at", Utc(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", Whole, nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("handled_at", Utc(), nullable=True),
        sa.CheckConstraint(
            "state IN ('handled', 'ignored', 'failed', 'parked')", name="state_is_known"
        ),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index("ix_stripe_events_state", "stripe_events", ["state", "received_at"])


def _create_ledger() -> None:
    accounts = op.create_table(
        "ledger_accounts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("balance", Whole, nullable=True),
        sa.Column("version", Whole, nullable=True),
        sa.CheckConstraint(
            "(kind = 'wallet') = (user_id IS NOT NULL)"
            " AND (kind = 'wallet') = (balance IS NOT NULL)"
            " AND (kind = 'wallet') = (version IS NOT NULL)",
            name="wallets_have_user_balance_version",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id"),
        sqlite_strict=True,
    )
    op.bulk_insert(accounts, [{"id": kind, "kind": kind} for kind in SYSTEM_ACCOUNTS])
    op.create_table(
        "ledger_transfers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("credits", Whole, nullable=False),
        sa.Column("wallet", sa.Text(), nullable=False),
        sa.Column("wallet_version", Whole, nullable=False),
        sa.Column("balance_after", Whole, nullable=False),
        sa.Column("happened_at", Utc(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint("credits > 0", name="credits_positive"),
        sa.CheckConstraint("source <> target", name="source_is_not_target"),
        sa.CheckConstraint("wallet IN (source, target)", name="wallet_is_a_side"),
        sa.ForeignKeyConstraint(["source"], ["ledger_accounts.id"]),
        sa.ForeignKeyConstraint(["target"], ["ledger_accounts.id"]),
        sa.ForeignKeyConstraint(["wallet"], ["ledger_accounts.id"]),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "wallet", "wallet_version", name="uq_ledger_transfers_wallet_version"
        ),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_ledger_transfers_payment",
        "ledger_transfers",
        ["payment_id"],
        postgresql_where=sa.text("payment_id IS NOT NULL"),
        sqlite_where=sa.text("payment_id IS NOT NULL"),
    )


def _create_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", Whole, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index("ix_attempts_subject", "attempts", ["kind", "subject", "at"])


# Transfers are never changed: the database itself refuses it, whoever asks.
APPEND_ONLY = {
    "sqlite": (
        """
        CREATE TRIGGER ledger_transfers_no_update BEFORE UPDATE ON ledger_transfers
        BEGIN SELECT RAISE(ABORT, 'ledger transfers are append-only'); END
        """,
        """
        CREATE TRIGGER ledger_transfers_no_delete BEFORE DELETE ON ledger_transfers
        BEGIN SELECT RAISE(ABORT, 'ledger transfers are append-only'); END
        """,
    ),
    "postgresql": (
        """
        CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'ledger transfers are append-only'; END $$
        """,
        """
        CREATE TRIGGER ledger_transfers_no_change
        BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transfers
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change()
        """,
    ),
}

CHANGEABLE = {
    "sqlite": (
        "DROP TRIGGER ledger_transfers_no_update",
        "DROP TRIGGER ledger_transfers_no_delete",
    ),
    "postgresql": (
        "DROP TRIGGER ledger_transfers_no_change ON ledger_transfers",
        "DROP FUNCTION refuse_ledger_change()",
    ),
}
