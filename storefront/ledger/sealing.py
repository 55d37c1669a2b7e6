"""Sealing: each wallet's transfers become a chain of SHA-256 hashes, each of which covers its
transfer and the hash before it. The worker does it afterwards, so that moving credits costs
nothing more; who changes or removes a sealed transfer then leaves a seal that does not fit.
"""

import hashlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from storefront.db import insert, utc_text
from storefront.ledger.tables import Seal

SEALED_COLUMNS = (
    "wallet", "wallet_version", "id", "code", "source", "target", "credits", "balance_after",
    "happened_at", "created_at", "payment_id", "note",
)  # fmt: skip
"""What a hash covers, in this order: all of a transfer."""

FIRST = ""
"""What stands for the hash before a wallet's first transfer."""


def seal(session: Session, limit: int = 1000) -> int:
    """Seal at most `limit` transfers inside the caller's transaction(); how many.

    Less than `limit` means that nothing is left. Two workers at it together compute the same
    seals, since transfers never change, and the second one's are ignored.
    """
    assert session.info.get("writing"), "seals are written inside transaction()"
    seals: list[dict[str, Any]] = []
    wallet, hash = None, FIRST
    for transfer in session.execute(_UNSEALED, {"limit": limit}):
        hash = sealed_hash(transfer, hash if transfer.wallet == wallet else transfer.head)
        wallet = transfer.wallet
        seals.append(_seal_of(transfer, hash))
    if seals:
        session.execute(insert(session, Seal).on_conflict_do_nothing(), seals)
    return len(seals)


def sealed_hash(transfer: Row[Any], before: str) -> str:
    """The hash of a row that begins with SEALED_COLUMNS, after the one whose hash is `before`:
    SHA-256 over a JSON list of both, times as UTC text with microseconds. The same on every
    database, so that books which move to another one keep their seals."""
    content = [before, *map(_plain, transfer[: len(SEALED_COLUMNS)])]
    canonical = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """SQLite's rows hold times as the text that PostgreSQL's are brought to here."""
    return utc_text(value) if isinstance(value, datetime) else value


def _seal_of(transfer: Row[Any], hash: str) -> dict[str, Any]:
    return {
        "wallet": transfer.wallet,
        "wallet_version": transfer.wallet_version,
        "transfer_id": transfer.id,
        "hash": hash,
    }


# Wallets whose newest transfer is not sealed cost two index look-ups each, however many transfers
# they have; then theirs after the last sealed one, all wallets in one order, so that two workers
# never wait for each other.
_UNSEALED = text("""
    SELECT t.wallet, t.wallet_version, t.id, t.code, t.source, t.target, t.credits,
        t.balance_after, t.happened_at, t.created_at, t.payment_id, t.note,
        COALESCE((
            SELECT hash FROM ledger_seals s
            WHERE s.wallet = behind.wallet AND s.wallet_version = behind.sealed
        ), '') AS head
    FROM (
        SELECT wallet, COALESCE(sealed, 0) AS sealed FROM (
            SELECT a.id AS wallet,
                (SELECT MAX(wallet_version) FROM ledger_transfers WHERE wallet = a.id) AS newest,
                (SELECT MAX(wallet_version) FROM ledger_seals WHERE wallet = a.id) AS sealed
            FROM ledger_accounts a WHERE a.kind = 'wallet'
        ) AS wallets
        WHERE newest > COALESCE(sealed, 0) ORDER BY wallet LIMIT :limit
    ) AS behind
    JOIN ledger_transfers t
        ON t.wallet = behind.wallet AND t.wallet_version > behind.sealed
    ORDER BY t.wallet, t.wallet_version LIMIT :limit
""")
