"""Sessions that were ended by signing out

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

from storefront.db import Utc

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ended_sessions",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_strict=True,
    )
    op.create_index("ix_ended_sessions_ended_at", "ended_sessions", ["ended_at"])


def downgrade() -> None:
    op.drop_table("ended_sessions")
