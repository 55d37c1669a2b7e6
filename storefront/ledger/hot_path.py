"""The hot path: a paid payment intent becomes credits, its event and its payment row are marked,
all in one commit, with the promise of what follows it. One data-modifying statement on
PostgreSQL; on SQLite, which has none that touches several tables, a few statements in one
transaction without a round trip between them.

Nothing is done unless everything fits: an open payment with this intent, amount, currency and
customer, and an event not seen before. Whatever does not fit goes the long way (handlers.py),
which finds out why. See docs/decisions for the measurements behind this shape.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from storefront.db import sqlite_clock, utc_text, utcnow


@dataclass(frozen=True)
class PaidEvent:
    """A verified `payment_intent.succeeded` event: facts of the event and of its intent.

    `amount_received` is in minor units; `payload` is the event as received, `created` UTC.
    """

    id: str
    type: str
    api_version: str | None
    livemode: bool
    created: datetime
    payload: str
    intent_id: str
    amount_received: int
    currency: str
    customer_id: str


@dataclass(frozen=True)
class Settlement:
    """`payment_id` when this call credited it; `seen` is the event's state if it was known."""

    payment_id: str | None
    seen: str | None


def settle_at_once(connection: Any, event: PaidEvent) -> Settlement:
    """Credit the payment of this event, exactly once, or do nothing at all: PostgreSQL's way.

    `connection` is psycopg's own, and commits each statement by itself (db.at_once). Raises
    psycopg.IntegrityError, with nothing done, when the transfer exists although the payment is
    open: the books contradict each other and a person must look.
    """
    facts = {**vars(event), "now": utcnow()}
    return Settlement(*connection.execute(ONE_STATEMENT, facts, prepare=True).fetchone())


def settle_in_steps(connection: Connection, event: PaidEvent) -> Settlement:
    """The same for SQLite. `connection` is inside BEGIN IMMEDIATE; raises IntegrityError."""
    do = connection.exec_driver_sql
    facts = {**vars(event), "now": utc_text(utcnow()), "created": utc_text(event.created)}
    seen = do(_EVENT_STATE, facts).scalar()
    if seen is not None:
        return Settlement(None, seen)
    payment_id = do(_MARK_PAYMENT, facts).scalar()
    if payment_id is None:
        return Settlement(None, None)
    facts["payment_id"] = payment_id
    do(_RECORD_EVENT, facts)
    do(_RAISE_WALLET, facts)
    do(_RECORD_TRANSFER, facts)
    do(_PROMISE_WORK, facts)
    return Settlement(payment_id, None)


_UNPAID_STATES = (
    "('opened', 'requires_payment_method', 'requires_confirmation',"
    " 'requires_action', 'processing', 'canceled')"
)


def _matches(bound: str) -> str:
    """The condition under which everything fits; `bound` is how the driver writes a parameter."""
    return f"""
        p.stripe_intent_id = {bound.format("intent_id")} AND p.kind = 'top_up'
        AND p.status IN {_UNPAID_STATES} AND p.amount_cents = {bound.format("amount_received")}
        AND p.currency = {bound.format("currency")} AND u.id = p.user_id
        AND u.stripe_customer_id = {bound.format("customer_id")}
    """


_EVENT_COLUMNS = (
    "id, type, api_version, livemode, created, received_at, payload, state, attempts, handled_at,"
    " object_id"
)
_EVENT_VALUES = (
    ":id, :type, :api_version, :livemode, :created, :now, :payload, 'handled', 1, :now, :intent_id"
)

# In one statement all parts see the same snapshot; `payment` locks its row and, having waited,
# checks its conditions again, so that of two events for one intent only one finds it open.
# `event` ignores a known id, and everything behind it hangs on its row. What was seen before is
# looked up only when nothing was done.
ONE_STATEMENT = f"""
    WITH payment AS (
        SELECT p.id, p.user_id, p.credits FROM payments p, users u
        WHERE {_matches("%({})s")} FOR UPDATE OF p
    ), event AS (
        INSERT INTO stripe_events ({_EVENT_COLUMNS})
        SELECT CAST(%(id)s AS text), CAST(%(type)s AS text), CAST(%(api_version)s AS text),
               CAST(%(livemode)s AS boolean), CAST(%(created)s AS timestamptz),
               CAST(%(now)s AS timestamptz), CAST(%(payload)s AS text), 'handled', 1,
               CAST(%(now)s AS timestamptz), CAST(%(intent_id)s AS text)
        FROM payment ON CONFLICT (id) DO NOTHING RETURNING id
    ), marked AS (
        UPDATE payments SET status = 'succeeded', amount_received = %(amount_received)s,
               failure_code = NULL, failure_message = NULL, updated_at = %(now)s
        FROM payment, event WHERE payments.id = payment.id
        RETURNING payments.id, payments.user_id, payments.credits
    ), wallet AS (
        INSERT INTO ledger_accounts AS a (id, kind, user_id, balance, version)
        SELECT 'wallet:' || user_id, 'wallet', user_id, credits, 1 FROM marked
        ON CONFLICT (id) DO UPDATE
            SET balance = a.balance + excluded.balance, version = a.version + 1
        RETURNING a.id, a.balance, a.version
    ), transfer AS (
        INSERT INTO ledger_transfers (id, code, source, target, credits, wallet, wallet_version,
            balance_after, happened_at, created_at, payment_id, note)
        SELECT 'payment:' || marked.id, 'top_up', 'sales', wallet.id, marked.credits, wallet.id,
            wallet.version, wallet.balance, %(created)s, %(now)s, marked.id, ''
        FROM marked, wallet
        RETURNING payment_id
    ), promise AS (
        INSERT INTO jobs (key, kind, args, run_at, attempts, created_at)
        SELECT 'payment_settled:' || payment_id, 'payment_settled',
            json_build_object('payment_id', payment_id)::text, statement_timestamp(), 0, %(now)s
        FROM transfer ON CONFLICT (key) DO NOTHING
    )
    SELECT (SELECT payment_id FROM transfer) AS payment_id,
           CASE WHEN NOT EXISTS (SELECT FROM transfer)
                THEN (SELECT state FROM stripe_events WHERE id = %(id)s) END AS seen
"""

_EVENT_STATE = "SELECT state FROM stripe_events WHERE id = :id"

_MARK_PAYMENT = f"""
    UPDATE payments SET status = 'succeeded', amount_received = :amount_received,
           failure_code = NULL, failure_message = NULL, updated_at = :now
    WHERE id = (SELECT p.id FROM payments p, users u WHERE {_matches(":{}")})
    RETURNING id
"""

_RECORD_EVENT = f"INSERT INTO stripe_events ({_EVENT_COLUMNS}) VALUES ({_EVENT_VALUES})"

_RAISE_WALLET = """
    INSERT INTO ledger_accounts (id, kind, user_id, balance, version)
    SELECT 'wallet:' || user_id, 'wallet', user_id, credits, 1 FROM payments
    WHERE id = :payment_id
    ON CONFLICT (id) DO UPDATE
        SET balance = ledger_accounts.balance + excluded.balance,
            version = ledger_accounts.version + 1
"""

_RECORD_TRANSFER = """
    INSERT INTO ledger_transfers (id, code, source, target, credits, wallet, wallet_version,
        balance_after, happened_at, created_at, payment_id, note)
    SELECT 'payment:' || p.id, 'top_up', 'sales', a.id, p.credits, a.id, a.version, a.balance,
        :created, :now, p.id, ''
    FROM payments p JOIN ledger_accounts a ON a.id = 'wallet:' || p.user_id
    WHERE p.id = :payment_id
"""

_PROMISE_WORK = f"""
    INSERT INTO jobs (key, kind, args, run_at, attempts, created_at)
    VALUES ('payment_settled:' || :payment_id, 'payment_settled',
        json_object('payment_id', :payment_id), {sqlite_clock()}, 0, :now)
    ON CONFLICT (key) DO NOTHING
"""
