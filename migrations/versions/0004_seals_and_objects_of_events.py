"""Seals of transfers, objects of events, and what of lots and accounts may never change

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from storefront.db import Whole

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_seals()
    op.add_column("stripe_events", sa.Column("object_id", sa.Text(), nullable=True))
    for statement in OBJECTS_OF_EVENTS[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))
    op.create_index("ix_stripe_events_object", "stripe_events", ["object_id"])
    for statement in FROZEN[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))


def downgrade() -> None:
    for statement in CHANGEABLE[op.get_bind().dialect.name]:
        op.execute(sa.text(statement))
    op.drop_index("ix_stripe_events_object", "stripe_events")
    op.drop_column("stripe_events", "object_id")
    op.drop_table("ledger_seals")


def _create_seals() -> None:
    """No foreign key: a seal is there to outlive its transfer, and so to show that it is gone."""
    op.create_table(
        "ledger_seals",
        sa.Column("wallet", sa.Text(), nullable=False),
        sa.Column("wallet_version", Whole, nullable=False),
        sa.Column("transfer_id", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("wallet", "wallet_version"),
        sqlite_strict=True,
    )


# The id of data.object, out of the payload. A payload that cannot be read (deeper or stranger than
# the database's JSON allows) has none, and does not stop the migration.
OBJECTS_OF_EVENTS = {
    "sqlite": (
        """
        UPDATE stripe_events SET object_id =
            CASE WHEN json_valid(payload) AND json_type(payload, '$.data.object.id') = 'text'
                  AND length(json_extract(payload, '$.data.object.id')) <= 255
                 THEN json_extract(payload, '$.data.object.id') END
        """,
    ),
    "postgresql": (
        """
        CREATE FUNCTION pg_temp.object_of(payload text) RETURNS text LANGUAGE plpgsql AS $$
        BEGIN
            IF json_typeof(payload::json #> '{data,object,id}') = 'string'
                AND length(payload::json #>> '{data,object,id}') <= 255
            THEN
                RETURN payload::json #>> '{data,object,id}';
            END IF;
            RETURN NULL;
        EXCEPTION WHEN OTHERS THEN
            RETURN NULL;
        END $$
        """,
        "UPDATE stripe_events SET object_id = pg_temp.object_of(payload)",
        "DROP FUNCTION pg_temp.object_of(text)",
    ),
}

# Of a lot only `remaining` moves, of an account only balance and version; no lot and no account
# that has transfers goes away, and seals are append-only as transfers are.
FROZEN = {
    "sqlite": (
        """
        CREATE TRIGGER ledger_seals_no_update BEFORE UPDATE ON ledger_seals
        BEGIN SELECT RAISE(ABORT, 'ledger seals are append-only'); END
        """,
        """
        CREATE TRIGGER ledger_seals_no_delete BEFORE DELETE ON ledger_seals
        BEGIN SELECT RAISE(ABORT, 'ledger seals are append-only'); END
        """,
        """
        CREATE TRIGGER ledger_lots_no_update
        BEFORE UPDATE OF id, wallet, credits, expires_at ON ledger_lots
        BEGIN SELECT RAISE(ABORT, 'only what remains of a ledger lot changes'); END
        """,
        """
        CREATE TRIGGER ledger_lots_no_delete BEFORE DELETE ON ledger_lots
        BEGIN SELECT RAISE(ABORT, 'ledger lots are never removed'); END
        """,
        """
        CREATE TRIGGER ledger_accounts_no_update
        BEFORE UPDATE OF id, kind, user_id ON ledger_accounts
        BEGIN SELECT RAISE(ABORT, 'a ledger account stays what and whose it is'); END
        """,
        """
        CREATE TRIGGER ledger_accounts_no_delete BEFORE DELETE ON ledger_accounts
        WHEN OLD.kind <> 'wallet'
            OR EXISTS (SELECT 1 FROM ledger_transfers WHERE wallet = OLD.id)
        BEGIN SELECT RAISE(ABORT, 'ledger accounts with transfers are never removed'); END
        """,
    ),
    "postgresql": (
        """
        CREATE FUNCTION refuse_with() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END $$
        """,
        """
        CREATE FUNCTION refuse_losing_an_account() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.kind <> 'wallet'
                OR EXISTS (SELECT 1 FROM ledger_transfers WHERE wallet = OLD.id)
            THEN
                RAISE EXCEPTION 'ledger accounts with transfers are never removed';
            END IF;
            RETURN OLD;
        END $$
        """,
        """
        CREATE TRIGGER ledger_seals_no_change
        BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_seals
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_with('ledger seals are append-only')
        """,
        """
        CREATE TRIGGER ledger_lots_no_update
        BEFORE UPDATE OF id, wallet, credits, expires_at ON ledger_lots
        FOR EACH STATEMENT
        EXECUTE FUNCTION refuse_with('only what remains of a ledger lot changes')
        """,
        """
        CREATE TRIGGER ledger_lots_no_delete BEFORE DELETE OR TRUNCATE ON ledger_lots
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_with('ledger lots are never removed')
        """,
        """
        CREATE TRIGGER ledger_accounts_no_update
        BEFORE UPDATE OF id, kind, user_id ON ledger_accounts
        FOR EACH STATEMENT
        EXECUTE FUNCTION refuse_with('a ledger account stays what and whose it is')
        """,
        """
        CREATE TRIGGER ledger_accounts_no_delete BEFORE DELETE ON ledger_accounts
        FOR EACH ROW EXECUTE FUNCTION refuse_losing_an_account()
        """,
        """
        CREATE TRIGGER ledger_accounts_no_truncate BEFORE TRUNCATE ON ledger_accounts
        FOR EACH STATEMENT
        EXECUTE FUNCTION refuse_with('ledger accounts with transfers are never removed')
        """,
    ),
}

CHANGEABLE = {
    "sqlite": (
        "DROP TRIGGER ledger_seals_no_update",
        "DROP TRIGGER ledger_seals_no_delete",
        "DROP TRIGGER ledger_lots_no_update",
        "DROP TRIGGER ledger_lots_no_delete",
        "DROP TRIGGER ledger_accounts_no_update",
        "DROP TRIGGER ledger_accounts_no_delete",
    ),
    "postgresql": (
        "DROP TRIGGER ledger_seals_no_change ON ledger_seals",
        "DROP TRIGGER ledger_lots_no_update ON ledger_lots",
        "DROP TRIGGER ledger_lots_no_delete ON ledger_lots",
        "DROP TRIGGER ledger_accounts_no_update ON ledger_accounts",
        "DROP TRIGGER ledger_accounts_no_delete ON ledger_accounts",
        "DROP TRIGGER ledger_accounts_no_truncate ON ledger_accounts",
        "DROP FUNCTION refuse_with()",
        "DROP FUNCTION refuse_losing_an_account()",
    ),
}
