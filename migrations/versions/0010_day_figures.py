"""What came in, went back and was moved on each finished day

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

from storefront.db import Utc

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "day_figures",
        sa.Column("day", Utc(), nullable=False),
        sa.Column("sums", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("day_figures")
