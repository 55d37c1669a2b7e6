"""Lots of credits that expire, and jobs

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

from storefront.db import Utc, Whole

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_lots()
    _create_lot_uses()
    _create_jobs()
    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))


def downgrade() -> None:
    for statement in CHANGEABLE[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))
    for table in ("jobs", "ledger_lot_uses", "ledger_lots"):
        op.drop_table(table)


def _create_lots() -> None:
    op.create_table(
        "ledger_lots",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("wallet", sa.Text(), nullable=False),
        sa.Column("credits", Whole, nullable=False),
        sa.Column("remaining", Whole, nullable=False),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.CheckConstraint("credits > 0", name="lot_credits_positive"),
        sa.CheckConstraint("remaining >= 0 AND remaining <= credits", name="remaining_is_a_part"),
        sa.ForeignKeyConstraint(["id"], ["ledger_transfers.id"]),
        sa.ForeignKeyConstraint(["wallet"], ["ledger_accounts.id"]),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    for name, columns in (
        ("ix_ledger_lots_wallet", ["wallet", "expires_at"]),
        ("ix_ledger_lots_expires_at", ["expires_at"]),
    ):
        op.create_index(
            name,
            "ledger_lots",
            columns,
            postgresql_where=sa.text("remaining > 0"),
            sqlite_where=sa.text("remaining > 0"),
        )


def _create_lot_uses() -> None:
    op.create_table(
        "ledger_lot_uses",
        sa.Column("transfer_id", sa.Text(), nullable=False),
        sa.Column("lot_id", sa.Text(), nullable=False),
        sa.Column("credits", Whole, nullable=False),
        sa.CheckConstraint("credits > 0", name="use_credits_positive"),
        sa.ForeignKeyConstraint(["transfer_id"], ["ledger_transfers.id"]),
        sa.ForeignKeyConstraint(["lot_id"], ["ledger_lots.id"]),
        sa.PrimaryKeyConstraint("transfer_id", "lot_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_ledger_lot_uses_lot", "ledger_lot_uses", ["lot_id"])


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("args", sa.Text(), nullable=False),
        sa.Column("run_at", Utc(), nullable=False),
        sa.Column("locked_until", Utc(), nullable=True),
        sa.Column("attempts", Whole, nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("done_at", Utc(), nullable=True),
        sa.Column("given_up_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_jobs_open",
        "jobs",
        ["run_at"],
        postgresql_where=sa.text("done_at IS NULL AND given_up_at IS NULL"),
        sqlite_where=sa.text("done_at IS NULL AND given_up_at IS NULL"),
    )


# As transfers: what was used of a lot is never changed.
APPEND_ONLY = {
    "sqlite": (
        """
        CREATE TRIGGER ledger_lot_uses_no_update BEFORE UPDATE ON ledger_lot_uses
        BEGIN SELECT RAISE(ABORT, 'ledger lot uses are append-only'); END
        """,
        """
        CREATE TRIGGER ledger_lot_uses_no_delete BEFORE DELETE ON ledger_lot_uses
        BEGIN SELECT RAISE(ABORT, 'ledger lot uses are append-only'); END
        """,
    ),
    "postgresql": (
        """
        CREATE TRIGGER ledger_lot_uses_no_change
        BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_lot_uses
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change()
        """,
    ),
}

CHANGEABLE = {
    "sqlite": (
        "DROP TRIGGER ledger_lot_uses_no_update",
        "DROP TRIGGER ledger_lot_uses_no_delete",
    ),
    "postgresql": ("DROP TRIGGER ledger_lot_uses_no_change ON ledger_lot_uses",),
}
