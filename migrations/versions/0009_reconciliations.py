"""What each comparison with Stripe found

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from storefront.db import Flag, Utc, Whole

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

COUNTS = (
    "compared", "foreign_objects", "moving", "differences", "repaired", "remaining",
    "money_remaining",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "reconciliations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("livemode", Flag(), nullable=False),
        sa.Column("since", Utc(), nullable=True),
        sa.Column("until", Utc(), nullable=False),
        sa.Column("started_at", Utc(), nullable=False),
        sa.Column("finished_at", Utc(), nullable=True),
        *(sa.Column(name, Whole, nullable=False) for name in COUNTS),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("counts", "examples", "fees")),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index("ix_reconciliations_started_at", "reconciliations", ["started_at"])


def downgrade() -> None:
    op.drop_table("reconciliations")
