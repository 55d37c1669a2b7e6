"""Recompute everything from the transfers and name what differs."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.db import utcnow
from storefront.ledger.discrepancy import Discrepancy
from storefront.ledger.lot_verification import verify_lots
from storefront.ledger.seal_verification import verify_seals


def verify(session: Session, now: datetime | None = None) -> list[Discrepancy]:
    """All discrepancies; an empty list when every balance follows from the transfers.

    For each wallet: the balance is the sum of its transfers, the version their number, and each
    transfer continues from the one before. Over all accounts the sum is zero. For lots and seals,
    see verify_lots() and verify_seals(); `now` (UTC) decides what is overdue.
    """
    now = now or utcnow()
    return [
        *_wrong_wallets(session),
        *_broken_chains(session),
        *_wrong_total(session),
        *verify_lots(session, now),
        *verify_seals(session, now),
    ]


def _wrong_wallets(session: Session) -> Iterator[Discrepancy]:
    for row in session.execute(_WALLETS_AGAINST_TRANSFERS):
        yield Discrepancy(
            row.id,
            f"balance {row.balance} at version {row.version}; "
            f"its {row.transfers} transfers add up to {row.total}",
        )


def _broken_chains(session: Session) -> Iterator[Discrepancy]:
    for row in session.execute(_BROKEN_CHAINS):
        yield Discrepancy(
            row.wallet,
            f"transfer {row.id} (version {row.wallet_version}) leaves {row.balance_after}; "
            f"the one before it (version {row.version_before}) left {row.balance_before} "
            f"and it moves {row.signed}",
        )


def _wrong_total(session: Session) -> Iterator[Discrepancy]:
    total = session.execute(_TOTAL).scalar_one()
    if total:
        yield Discrepancy("all accounts", f"the sum over all accounts is {total}, not 0")


_WALLETS_AGAINST_TRANSFERS = text("""
    SELECT a.id, a.balance, a.version,
           COALESCE(t.transfers, 0) AS transfers, COALESCE(t.total, 0) AS total
    FROM ledger_accounts a
    LEFT JOIN (
        SELECT wallet, COUNT(*) AS transfers,
               SUM(CASE WHEN target = wallet THEN credits ELSE -credits END) AS total
        FROM ledger_transfers GROUP BY wallet
    ) t ON t.wallet = a.id
    WHERE a.kind = 'wallet'
      AND (a.balance <> COALESCE(t.total, 0) OR a.version <> COALESCE(t.transfers, 0))
    ORDER BY a.id
""")

_BROKEN_CHAINS = text("""
    SELECT * FROM (
        SELECT id, wallet, wallet_version, balance_after,
               CASE WHEN target = wallet THEN credits ELSE -credits END AS signed,
               COALESCE(LAG(balance_after) OVER steps, 0) AS balance_before,
               COALESCE(LAG(wallet_version) OVER steps, 0) AS version_before
        FROM ledger_transfers
        WINDOW steps AS (PARTITION BY wallet ORDER BY wallet_version)
    ) AS chain
    WHERE balance_after <> balance_before + signed OR wallet_version <> version_before + 1
    ORDER BY wallet, wallet_version
""")

_TOTAL = text("""
    SELECT (SELECT COALESCE(SUM(balance), 0) FROM ledger_accounts WHERE kind = 'wallet')
         + (SELECT COALESCE(SUM(credits), 0) FROM ledger_transfers
            WHERE target IN (SELECT id FROM ledger_accounts WHERE kind <> 'wallet'))
         - (SELECT COALESCE(SUM(credits), 0) FROM ledger_transfers
            WHERE source IN (SELECT id FROM ledger_accounts WHERE kind <> 'wallet'))
""")
