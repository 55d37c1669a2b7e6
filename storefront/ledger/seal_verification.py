"""Recompute the chain of each wallet's seals, and name the first transfer that breaks it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import CompoundSelect, Row, and_, column, literal_column, select, table
from sqlalchemy.orm import Session

from storefront.db import utc_text
from storefront.ledger.discrepancy import Discrepancy
from storefront.ledger.sealing import FIRST, SEALED_COLUMNS, sealed_hash

UNSEALED_AFTER = timedelta(hours=1)
"""The schedule seals each minute; what is unsealed so late has been forgotten."""

ROWS_AT_ONCE = 1_000

TRANSFERS = table("ledger_transfers", *map(column, SEALED_COLUMNS))
SEALS = table("ledger_seals", *map(column, ("wallet", "wallet_version", "transfer_id", "hash")))
"""Both tables as they are stored: no type of ours stands between a changed row and its hash."""


def verify_seals(session: Session, now: datetime) -> Iterator[Discrepancy]:
    """For each wallet the first transfer that is not what was sealed: changed, removed, put in,
    or in another's place; else the oldest that waits for its seal for over an hour at `now`.

    Rows are streamed: a million transfers need no more memory than a thousand.
    """
    options = {"yield_per": ROWS_AT_ONCE}
    rows = session.execute(_transfers_and_seals(), execution_options=options)
    for wallet, steps in groupby(rows, key=lambda row: row.at_wallet):
        finding = _first_finding(steps, now)
        if finding:
            yield Discrepancy(wallet, finding)


def _first_finding(steps: Iterator[Row[Any]], now: datetime) -> str | None:
    version, hash, unsealed = 0, FIRST, None
    for step in steps:
        version += 1
        if unsealed is not None and step.sealed is not None:
            return f"{_named(unsealed)} has no seal, though later ones have"
        finding = _finding(step, version, hash)
        if finding:
            return finding
        version, hash = step.at_version, step.hash
        if step.sealed is None and unsealed is None:
            unsealed = step
    if unsealed is not None and _text(unsealed.created_at) < utc_text(now - UNSEALED_AFTER):
        return f"{_named(unsealed)} is not sealed for over an hour; is a worker running?"
    return None


def _finding(step: Row[Any], version: int, before: str | None) -> str | None:
    """What is wrong with this step, which should be of this version, after that hash."""
    if step.at_version != version:
        return f"version {version} is missing; the next one is {step.at_version}"
    if step.sealed is None:
        return None
    if step.id is None:
        return f"transfer {step.sealed} (version {version}) was sealed and is gone"
    if step.id != step.sealed:
        return f"transfer {step.sealed} was sealed as version {version}; now it is {step.id}"
    if sealed_hash(step, before or FIRST) != step.hash:
        return f"{_named(step)} is not what was sealed"
    return None


def _named(step: Row[Any]) -> str:
    return f"transfer {step.id} (version {step.at_version})"


def _text(moment: datetime | str) -> str:
    return moment if isinstance(moment, str) else utc_text(moment)


def _transfers_and_seals() -> CompoundSelect[Any]:
    """Each wallet's transfers and seals side by side, in order. Seals without their transfer come
    from the second half, since not every SQLite has FULL JOIN."""
    transfer, seal = TRANSFERS.c, SEALS.c
    same = and_(seal.wallet == transfer.wallet, seal.wallet_version == transfer.wallet_version)
    columns = (*transfer, seal.transfer_id.label("sealed"), seal.hash)
    at_transfer = transfer.wallet.label("at_wallet"), transfer.wallet_version.label("at_version")
    at_seal = seal.wallet.label("at_wallet"), seal.wallet_version.label("at_version")
    transfers = select(*columns, *at_transfer).select_from(TRANSFERS.outerjoin(SEALS, same))
    orphans = select(*columns, *at_seal).select_from(SEALS.outerjoin(TRANSFERS, same))
    both = transfers.union_all(orphans.where(transfer.id.is_(None)))
    return both.order_by(literal_column("at_wallet"), literal_column("at_version"))
