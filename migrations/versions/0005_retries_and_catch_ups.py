"""When a failed event is tried again, and how far Stripe's list of events was walked

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from storefront.db import Flag, Utc, Whole

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stripe_events", sa.Column("next_try_at", Utc(), nullable=True))
    _create_event_walks()
    _create_catch_ups()


def downgrade() -> None:
    op.drop_table("catch_ups")
    op.drop_table("event_walks")
    op.drop_column("stripe_events", "next_try_at")


def _create_event_walks() -> None:
    op.create_table(
        "event_walks",
        sa.Column("types", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("cursor_created", Utc(), nullable=True),
        sa.Column("anchor", sa.Text(), nullable=True),
        sa.Column("anchor_created", Utc(), nullable=True),
        sa.Column("position", sa.Text(), nullable=True),
        sa.Column("covered_from", Utc(), nullable=True),
        sa.Column("covered_until", Utc(), nullable=True),
        sa.Column("swept_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("types"),
        sqlite_strict=True,
    )


def _create_catch_ups() -> None:
    op.create_table(
        "catch_ups",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("started_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("complete", Flag(), nullable=False),
        sa.Column("listed", Whole, nullable=False),
        sa.Column("known", Whole, nullable=False),
        sa.Column("missing", Whole, nullable=False),
        sa.Column("failed", Whole, nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_strict=True,
    )
    op.create_index("ix_catch_ups_started_at", "catch_ups", ["started_at"])
