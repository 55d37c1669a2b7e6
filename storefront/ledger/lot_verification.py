"""Recompute the lots from the transfers and their uses, and name what differs."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from storefront.db import Utc
from storefront.ledger.discrepancy import Discrepancy

OVERDUE_AFTER = timedelta(hours=1)
"""The schedule expires lots each minute; one that is so late has been forgotten."""


def verify_lots(session: Session, now: datetime) -> Iterator[Discrepancy]:
    """For each lot: it is its grant's, what remains is its credits less its uses, and nothing
    remains of one long expired. For each wallet: lots hold no more than the balance. For each
    transfer: its uses take no more than it moves, from its own wallet; an expiry takes all of one
    lot."""
    for statement, finding in _CHECKS:
        for row in session.execute(statement):
            yield Discrepancy(row.wallet, finding.format(**row._mapping))
    for row in session.execute(_OVERDUE, {"latest": now - OVERDUE_AFTER}):
        yield Discrepancy(
            row.wallet,
            f"lot {row.id} still holds {row.remaining}, expired at {row.expires_at}; "
            "is a worker running?",
        )


_WRONG_REMAINDERS = text("""
    SELECT l.wallet, l.id, l.credits, l.remaining, COALESCE(SUM(u.credits), 0) AS used
    FROM ledger_lots l LEFT JOIN ledger_lot_uses u ON u.lot_id = l.id
    GROUP BY l.wallet, l.id, l.credits, l.remaining
    HAVING l.remaining <> l.credits - COALESCE(SUM(u.credits), 0) ORDER BY l.id
""")

_NOT_OF_A_GRANT = text("""
    SELECT l.wallet, l.id, l.credits FROM ledger_lots l
    LEFT JOIN ledger_transfers t ON t.id = l.id AND t.target = l.wallet AND t.credits = l.credits
    WHERE t.id IS NULL ORDER BY l.id
""")

_MORE_THAN_THE_BALANCE = text("""
    SELECT a.id AS wallet, a.balance, SUM(l.remaining) AS remaining
    FROM ledger_lots l JOIN ledger_accounts a ON a.id = l.wallet
    GROUP BY a.id, a.balance
    HAVING SUM(l.remaining) > CASE WHEN a.balance > 0 THEN a.balance ELSE 0 END ORDER BY a.id
""")

_USES_BEYOND_THEIR_TRANSFER = text("""
    SELECT t.wallet, t.id, t.credits, SUM(u.credits) AS used
    FROM ledger_lot_uses u JOIN ledger_transfers t ON t.id = u.transfer_id
    GROUP BY t.wallet, t.id, t.credits
    HAVING SUM(u.credits) > t.credits ORDER BY t.id
""")

_USES_OF_ANOTHER_WALLET = text("""
    SELECT t.wallet, t.id, l.id AS lot, l.wallet AS owner
    FROM ledger_lot_uses u
    JOIN ledger_transfers t ON t.id = u.transfer_id JOIN ledger_lots l ON l.id = u.lot_id
    WHERE l.wallet <> t.wallet OR (t.target = t.wallet AND t.id <> l.id) ORDER BY t.id
""")

_EXPIRIES_WITHOUT_THEIR_LOT = text("""
    SELECT t.wallet, t.id, t.credits FROM ledger_transfers t
    LEFT JOIN ledger_lot_uses u ON u.transfer_id = t.id AND t.id = 'expiry:' || u.lot_id
        AND u.credits = t.credits
    WHERE t.code = 'expiry' AND u.transfer_id IS NULL ORDER BY t.id
""")

_OVERDUE = text("""
    SELECT wallet, id, remaining, expires_at FROM ledger_lots
    WHERE remaining > 0 AND expires_at < :latest ORDER BY id
""").bindparams(bindparam("latest", type_=Utc))

_CHECKS = (
    (_WRONG_REMAINDERS, "lot {id} holds {remaining} of {credits}; {used} were used"),
    (_NOT_OF_A_GRANT, "lot {id} of {credits} is not what its transfer brought"),
    (_MORE_THAN_THE_BALANCE, "lots hold {remaining}; the balance is {balance}"),
    (_USES_BEYOND_THEIR_TRANSFER, "transfer {id} moves {credits}; it takes {used} from lots"),
    (_USES_OF_ANOTHER_WALLET, "transfer {id} takes from lot {lot} of {owner}"),
    (_EXPIRIES_WITHOUT_THEIR_LOT, "expiry {id} of {credits} is of no lot"),
)
