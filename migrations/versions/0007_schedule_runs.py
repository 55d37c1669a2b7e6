"""What became of each entry of the schedule, and indexes over what is still unpaid

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

from storefront.db import Utc, Whole

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

UNSETTLED = {
    "payments": ("ix_payments_unsettled", "status NOT IN ('succeeded', 'canceled')"),
    "checkouts": ("ix_checkouts_unfinished", "status IN ('opened', 'open')"),
}


def upgrade() -> None:
    op.create_table(
        "schedule_runs",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("started_at", Utc(), nullable=False),
        sa.Column("took_ms", Whole, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("succeeded_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
        sqlite_strict=True,
    )
    for table, (name, condition) in UNSETTLED.items():
        op.create_index(
            name,
            table,
            ["created_at", "id"],
            postgresql_where=sa.text(condition),
            sqlite_where=sa.text(condition),
        )


def downgrade() -> None:
    for table, (name, _) in UNSETTLED.items():
        op.drop_index(name, table)
    op.drop_table("schedule_runs")
