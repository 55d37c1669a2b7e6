"""Moving credits. Every verb works inside the caller's transaction() and commits nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from storefront.db import MAX_WHOLE, insert, utcnow
from storefront.errors import InsufficientCredits, TransferConflict
from storefront.ledger import lots
from storefront.ledger.movements import MOVEMENTS
from storefront.ledger.tables import Account, Lot, Transfer, wallet_id


@dataclass(frozen=True)
class Order:
    """A transfer to be made. `id` is its idempotency key, `code` a declared movement,
    `credits` a positive integer, `happened_at` UTC (now, if None).

    Credits with `expires_at` (UTC) expire then; only movements into a wallet may have it. A
    movement out of a wallet may name in `take_from` the grants (transfer ids) whose credits go
    first.
    """

    id: str
    code: str
    user_id: str
    credits: int
    happened_at: datetime | None = None
    payment_id: str | None = None
    note: str = ""
    expires_at: datetime | None = None
    take_from: tuple[str, ...] = ()


def transfer(session: Session, order: Order) -> Transfer:
    """Make one transfer; the same order again is the same transfer, once.

    Raises TransferConflict when the id belongs to a transfer with other content,
    InsufficientCredits when the movement may not take the wallet below zero.
    """
    return transfer_all(session, [order])[0]


def transfer_all(session: Session, orders: Sequence[Order]) -> list[Transfer]:
    """Make several transfers, all or none; wallets are locked in sorted order, so that two
    callers with the same wallets cannot wait for each other. Raises as transfer() does."""
    assert session.info.get("writing"), "credits move inside transaction()"
    for order in orders:
        _check(order)
    wallets = lock_wallets(session, {order.user_id for order in orders})
    return [_post(session, wallets[wallet_id(order.user_id)], order) for order in orders]


def spend(
    session: Session, user_id: str, credits: int, *, id: str, note: str = ""
) -> Transfer:  # fmt: skip
    """Take `credits` from a wallet for something used. Raises InsufficientCredits, and then
    nothing has moved; TransferConflict as transfer() does."""
    return transfer(session, Order(id, "spend", user_id, credits, note=note))


def _check(order: Order) -> None:
    assert order.code in MOVEMENTS, f"undeclared movement {order.code!r}"
    assert order.id, "a transfer needs an id"
    is_whole = isinstance(order.credits, int) and not isinstance(order.credits, bool)
    assert is_whole and 0 < order.credits <= MAX_WHOLE, "credits are a positive integer"
    inward = MOVEMENTS[order.code].direction == "in"
    assert inward or order.expires_at is None, "only credits that come in can expire"
    assert not inward or not order.take_from, "only what goes out is taken from somewhere"


def lock_wallets(session: Session, user_ids: set[str]) -> dict[str, Account]:
    """Lock the wallets of these users, opening those that do not exist yet."""
    ids = {wallet_id(user_id): user_id for user_id in sorted(user_ids)}
    for account_id, user_id in ids.items():
        session.execute(_OPEN_WALLET, {"id": account_id, "user_id": user_id})
    rows = session.scalars(
        select(Account)
        .where(Account.id.in_(ids))
        .order_by(Account.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {account.id: account for account in rows}


_OPEN_WALLET = text(
    "INSERT INTO ledger_accounts (id, kind, user_id, balance, version)"
    " VALUES (:id, 'wallet', :user_id, 0, 0) ON CONFLICT DO NOTHING"
)


def _post(session: Session, wallet: Account, order: Order) -> Transfer:
    made = session.get(Transfer, order.id, populate_existing=True)
    if made is not None:
        _require_same(session, made, order, wallet)
        return made
    if MOVEMENTS[order.code].direction == "in":
        return _receive(session, wallet, order)
    return _give(session, wallet, order)


def _receive(session: Session, wallet: Account, order: Order) -> Transfer:
    """Into the wallet: a debt is paid first, what is left above zero goes into the lot."""
    assert wallet.balance is not None
    debt = max(0, -wallet.balance)
    made = _move(session, wallet, order)
    if order.expires_at is not None:
        lots.open_lot(session, made, order.expires_at, pays=min(debt, order.credits))
    return made


def _give(session: Session, wallet: Account, order: Order) -> Transfer:
    """Out of the wallet: from what has not expired at that moment."""
    there = expire_past(session, wallet, order.happened_at or utcnow())
    _require_enough(wallet, order)
    parts = _shares(session, wallet, order, there)
    made = _move(session, wallet, order)
    lots.use(session, made, parts)
    return made


def expire_past(session: Session, wallet: Account, moment: datetime) -> list[Lot]:
    """Expire the wallet's lots whose time has come; those that still have something."""
    there = lots.of_wallet(session, wallet.id)
    for lot in there:
        if lot.expires_at <= moment:
            _expire(session, wallet, lot)
    return [lot for lot in there if lot.remaining]


def _shares(
    session: Session, wallet: Account, order: Order, there: list[Lot]
) -> lots.Shares:  # fmt: skip
    """What each lot gives: those of the named grants first; where those grants brought credits
    that never expire, such credits next; then the lot that expires first, and credits that never
    expire last."""
    if not order.take_from:
        return lots.shares(order.credits, there)
    assert wallet.balance is not None
    named = lots.shares(order.credits, [lot for lot in there if lot.id in order.take_from])
    lasting = max(0, wallet.balance) - sum(lot.remaining for lot in there)
    missing = order.credits - sum(part for _, part in named)
    missing -= min(missing, lasting, lots.without_lot(session, wallet.id, order.take_from))
    rest = lots.shares(missing, [lot for lot in there if lot.id not in order.take_from])
    return named + rest


def expire(session: Session, due: Sequence[Lot]) -> int:
    """Take what remains of these lots out of their wallets; how many lots still had something.

    Wallets are locked in sorted order. Each expiry is a transfer `expiry:<lot>`.
    """
    assert session.info.get("writing"), "credits move inside transaction()"
    users = {lot.wallet.removeprefix("wallet:") for lot in due}
    wallets = lock_wallets(session, users)
    count = 0
    for lot in due:
        session.refresh(lot)  # another worker may have been faster
        if lot.remaining:
            _expire(session, wallets[lot.wallet], lot)
            count += 1
    return count


def _expire(session: Session, wallet: Account, lot: Lot) -> None:
    assert wallet.user_id is not None
    order = Order(
        id=f"expiry:{lot.id}",
        code="expiry",
        user_id=wallet.user_id,
        credits=lot.remaining,
        happened_at=lot.expires_at,
    )
    lots.use(session, _move(session, wallet, order), [(lot, lot.remaining)])


def _require_enough(wallet: Account, order: Order) -> None:
    assert wallet.balance is not None
    if order.credits > wallet.balance and not MOVEMENTS[order.code].may_owe:
        raise InsufficientCredits(
            f"This takes {order.credits:,} credits; the balance is {wallet.balance:,}."
        )


def _move(session: Session, wallet: Account, order: Order) -> Transfer:
    """Write the transfer and the wallet's new balance. The id may just have been taken by a
    transfer of another wallet, whose lock is not ours: that is a conflict."""
    assert wallet.balance is not None and wallet.version is not None
    balance, version = wallet.balance + _signed(order), wallet.version + 1
    row = insert(session, Transfer).values(_row(order, wallet.id, version, balance))
    made: Transfer | None = session.scalar(
        row.on_conflict_do_nothing(index_elements=["id"]).returning(Transfer)
    )
    if made is None:
        raise _conflict(order)
    wallet.balance, wallet.version = balance, version
    session.flush()
    return made


def _row(order: Order, wallet: str, version: int, balance: int) -> dict[str, Any]:
    source, target = _sides(order, wallet)
    return {
        "id": order.id,
        "code": order.code,
        "source": source,
        "target": target,
        "credits": order.credits,
        "wallet": wallet,
        "wallet_version": version,
        "balance_after": balance,
        "happened_at": order.happened_at or utcnow(),
        "created_at": utcnow(),
        "payment_id": order.payment_id,
        "note": order.note,
    }


def _sides(order: Order, wallet: str) -> tuple[str, str]:
    movement = MOVEMENTS[order.code]
    if movement.direction == "in":
        return movement.account, wallet
    return wallet, movement.account


def _signed(order: Order) -> int:
    return order.credits if MOVEMENTS[order.code].direction == "in" else -order.credits


def _require_same(session: Session, made: Transfer, order: Order, wallet: Account) -> None:
    lot = session.get(Lot, made.id)
    expires_at = lot.expires_at if lot else None
    asked = (order.code, *_sides(order, wallet.id), order.credits, order.payment_id, order.note)
    there = (made.code, made.source, made.target, made.credits, made.payment_id, made.note)
    if (*asked, order.expires_at) != (*there, expires_at):
        raise _conflict(order)


def _conflict(order: Order) -> TransferConflict:
    return TransferConflict(f"Transfer {order.id} exists with other content.")
