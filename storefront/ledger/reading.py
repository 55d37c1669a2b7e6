"""Reading the ledger: one indexed row for a balance, one index range for a page of history."""

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from storefront.ledger.tables import Account, Transfer, wallet_id

_BALANCE = select(Account.__table__.c.balance).where(Account.id == bindparam("wallet"))
"""Every page asks it, so it is put together once, and read without an object for the row."""


def balance(session: Session, user_id: str) -> int:
    """Credits in the user's wallet; below zero is a debt; 0 before the first transfer."""
    found: int | None = session.scalar(_BALANCE, {"wallet": wallet_id(user_id)})
    return found or 0


def history(
    session: Session, user_id: str, *, before: int | None = None, limit: int = 20
) -> list[Transfer]:
    """The wallet's transfers, newest first, at most `limit`; `before` is the wallet_version of
    the last row of the page before (keyset paging: page 1,000 costs what page 1 costs)."""
    query = select(Transfer).where(Transfer.wallet == wallet_id(user_id))
    if before is not None:
        query = query.where(Transfer.wallet_version < before)
    return list(session.scalars(query.order_by(Transfer.wallet_version.desc()).limit(limit)))


def find_transfer(session: Session, transfer_id: str) -> Transfer | None:
    return session.get(Transfer, transfer_id)


def sizes(session: Session) -> tuple[int, int]:
    """How many wallets and how many transfers there are."""
    wallets = session.scalar(select(func.count()).where(Account.kind == "wallet"))
    transfers = session.scalar(select(func.count()).select_from(Transfer))
    return wallets or 0, transfers or 0
