"""Taking credits back because their money went back, and returning them when it came back.

Both work inside the caller's transaction(), and neither ever refuses: what is already spent
becomes a debt, a balance below zero, which the next credits pay.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storefront.db import utcnow
from storefront.errors import TransferConflict
from storefront.ledger import writing
from storefront.ledger.tables import Lot, LotUse, Transfer, wallet_id
from storefront.ledger.writing import Order

Part = tuple[datetime | None, int]
"""Credits that share an end; None when they never expire."""


def credits_taken_back(credits: int, amount: int, refunded_total: int) -> int:
    """How many of `credits`, bought for `amount`, go back when `refunded_total` of it went back.

    In proportion, rounded down: a fraction of a credit stays with the customer until all is
    refunded, and then exactly all credits are back. It depends on the total alone, so that any
    split into refunds, in any order, takes the same. Amounts in minor units of one currency.
    """
    assert credits >= 0 and amount > 0 and refunded_total >= 0
    return credits * min(refunded_total, amount) // amount


def take_back(session: Session, order: Order, *, taken: int = 0) -> Transfer | None:
    """Take back credits of the grants in `order.take_from`, until `order.credits` of them are
    back in all; `taken` says how many are already, less what was returned.

    What expired of those grants has left the wallet and is not taken once more, so that it makes
    no difference whether a refund or an expiry is booked first. The same id again is the same
    transfer, whatever the totals are then. None when nothing is left to take.
    """
    wallet = writing.lock_wallets(session, {order.user_id})[wallet_id(order.user_id)]
    made = session.get(Transfer, order.id)
    if made is not None:
        return _require_alike([made], order)[0]
    writing.expire_past(session, wallet, order.happened_at or utcnow())
    missing = order.credits - taken - _expired(session, order.take_from)
    if missing <= 0:
        return None
    return writing.transfer(session, replace(order, credits=missing))


def give_back(
    session: Session, order: Order, *, of: Sequence[str], returned: int = 0
) -> list[Transfer]:
    """Return `order.credits` of what the transfers `of` took, `returned` of it being back already.

    Each credit comes back with the end it had, where that is still to come at `happened_at`; one
    whose end has passed, and one that never expired or was owed, comes back for good. One
    transfer for each end: the first has the order's id, the others `<id>:2`, `<id>:3` and so on.
    The same id again is the same transfers; TransferConflict when their credits differ.
    """
    writing.lock_wallets(session, {order.user_id})
    made = _made(session, order.id)
    if made:
        if sum(transfer.credits for transfer in made) != order.credits:
            raise TransferConflict(f"Transfer {order.id} exists with other content.")
        return _require_alike(made, order)
    parts = _kept(_taken(session, of), skip=returned, credits=order.credits)
    ends = _by_end(parts, order.happened_at or utcnow())
    orders = [
        replace(order, id=_part_id(order.id, number), credits=credits, expires_at=end)
        for number, (end, credits) in enumerate(ends.items(), start=1)
    ]
    return writing.transfer_all(session, orders)


def _expired(session: Session, grants: Sequence[str]) -> int:
    expiries = [f"expiry:{grant}" for grant in grants]
    found = session.scalar(select(func.sum(Transfer.credits)).where(Transfer.id.in_(expiries)))
    return int(found or 0)


def _taken(session: Session, transfers: Sequence[str]) -> list[Part]:
    """What these transfers took, by its end: what was of no lot first, then the latest end."""
    total = session.scalar(select(func.sum(Transfer.credits)).where(Transfer.id.in_(transfers)))
    ending = [
        (end, int(credits))
        for end, credits in session.execute(
            select(Lot.expires_at, func.sum(LotUse.credits))
            .join(LotUse, LotUse.lot_id == Lot.id)
            .where(LotUse.transfer_id.in_(transfers))
            .group_by(Lot.expires_at)
            .order_by(Lot.expires_at.desc())
        )
    ]
    return [(None, int(total or 0) - sum(credits for _, credits in ending)), *ending]


def _kept(parts: Sequence[Part], *, skip: int, credits: int) -> Iterator[Part]:
    """`credits` of these parts, in their order, after the first `skip`; what goes beyond them
    has no end."""
    for end, there in parts:
        skipped = min(skip, there)
        part = min(credits, there - skipped)
        skip, credits = skip - skipped, credits - part
        yield end, part
    yield None, credits


def _by_end(parts: Iterator[Part], moment: datetime) -> dict[datetime | None, int]:
    """The parts with what has no end any more in one, first: it pays a debt first."""
    found: dict[datetime | None, int] = {None: 0}
    for end, credits in parts:
        key = end if end is not None and end > moment else None
        found[key] = found.get(key, 0) + credits
    return {end: credits for end, credits in found.items() if credits}


def _made(session: Session, id: str) -> list[Transfer]:
    found: list[Transfer] = []
    while transfer := session.get(Transfer, _part_id(id, len(found) + 1)):
        found.append(transfer)
    return found


def _part_id(id: str, number: int) -> str:
    return id if number == 1 else f"{id}:{number}"


def _require_alike(made: list[Transfer], order: Order) -> list[Transfer]:
    """Raise TransferConflict unless these are the order's, whatever their credits."""
    asked = (order.code, wallet_id(order.user_id), order.payment_id)
    if any((it.code, it.wallet, it.payment_id) != asked for it in made):
        raise TransferConflict(f"Transfer {order.id} exists with other content.")
    return made
