"""Lots: credits that expire. All of it happens under the lock of the lot's wallet."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storefront.ledger.tables import Lot, LotUse, Transfer, wallet_id

Shares = list[tuple[Lot, int]]
"""Lots, each with the credits that it gives."""


def open_lot(session: Session, grant: Transfer, expires_at: datetime, *, pays: int) -> Lot:
    """The lot of a grant; `pays` credits of it went into a debt at once."""
    lot = Lot(
        id=grant.id,
        wallet=grant.wallet,
        credits=grant.credits,
        remaining=grant.credits - pays,
        expires_at=expires_at,
    )
    session.add(lot)
    session.flush()
    if pays:
        session.add(LotUse(transfer_id=grant.id, lot_id=lot.id, credits=pays))
        session.flush()
    return lot


def shares(credits: int, lots: Sequence[Lot]) -> Shares:
    """How much each lot gives of so many credits, in their order; what they cannot cover never
    expires, or is owed."""
    found, missing = [], credits
    for lot in lots:
        part = min(missing, lot.remaining)
        if part:
            found.append((lot, part))
            missing -= part
    return found


def use(session: Session, taken: Transfer, parts: Shares) -> None:
    """Write down what a transfer takes of each lot."""
    for lot, part in parts:
        lot.remaining -= part
        session.add(LotUse(transfer_id=taken.id, lot_id=lot.id, credits=part))
    session.flush()


def without_lot(session: Session, wallet: str, grants: Sequence[str]) -> int:
    """How many credits that never expire these grants brought into the wallet."""
    found = session.scalar(
        select(func.sum(Transfer.credits))
        .outerjoin(Lot, Lot.id == Transfer.id)
        .where(Transfer.id.in_(grants), Transfer.target == wallet, Lot.id.is_(None))
    )
    return int(found or 0)


def of_wallet(session: Session, wallet: str) -> list[Lot]:
    """The wallet's lots that still have something, the one first that expires first."""
    return list(
        session.scalars(
            select(Lot)
            .where(Lot.wallet == wallet, Lot.remaining > 0)
            .order_by(Lot.expires_at, Lot.id)
            .execution_options(populate_existing=True)
        )
    )


def due(session: Session, now: datetime, limit: int) -> list[Lot]:
    """At most `limit` lots whose time has come, the longest overdue first. Nothing is locked."""
    return list(
        session.scalars(
            select(Lot)
            .where(Lot.remaining > 0, Lot.expires_at <= now)
            .order_by(Lot.expires_at, Lot.id)
            .limit(limit)
        )
    )


def expiring(session: Session, user_id: str) -> list[Lot]:
    """What of a customer's credits expires, and when; the next to go first."""
    return of_wallet(session, wallet_id(user_id))
