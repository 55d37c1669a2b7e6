"""Moving credits. Every verb works inside the caller's transaction() and commits nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from storefront.db import MAX_WHOLE, utcnow
from storefront.errors import InsufficientCredits, TransferConflict
from storefront.ledger.movements import MOVEMENTS
from storefront.ledger.tables import Account, Transfer, wallet_id


@dataclass(frozen=True)
class Order:
    """A transfer to be made. `id` is its idempotency key, `code` a declared movement,
    `credits` a positive integer, `happened_at` UTC (now, if None)."""

    id: str
    code: str
    user_id: str
    credits: int
    happened_at: datetime | None = None
    payment_id: str | None = None
    note: str = ""


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
    wallets = _lock_wallets(session, {order.user_id for order in orders})
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


def _lock_wallets(session: Session, user_ids: set[str]) -> dict[str, Account]:
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
        _require_same(made, order, wallet)
        return made
    assert wallet.balance is not None and wallet.version is not None
    after = wallet.balance + _signed(order)
    movement = MOVEMENTS[order.code]
    if movement.direction == "out" and after < 0 and not movement.may_owe:
        raise InsufficientCredits(
            f"This takes {order.credits:,} credits; the balance is {wallet.balance:,}."
        )
    wallet.balance, wallet.version = after, wallet.version + 1
    made = _row(order, wallet)
    session.add(made)
    _write(session, order)
    return made


def _write(session: Session, order: Order) -> None:
    """Another wallet's transfer may take the same id at the same moment: the key decides."""
    try:
        session.flush()
    except IntegrityError as error:
        if "ledger_transfers_pkey" in str(error.orig):
            raise TransferConflict(f"Transfer {order.id} exists with other content.") from error
        raise


def _row(order: Order, wallet: Account) -> Transfer:
    source, target = _sides(order, wallet)
    assert wallet.balance is not None and wallet.version is not None
    return Transfer(
        id=order.id,
        code=order.code,
        source=source,
        target=target,
        credits=order.credits,
        wallet=wallet.id,
        wallet_version=wallet.version,
        balance_after=wallet.balance,
        happened_at=order.happened_at or utcnow(),
        payment_id=order.payment_id,
        note=order.note,
    )


def _sides(order: Order, wallet: Account) -> tuple[str, str]:
    movement = MOVEMENTS[order.code]
    if movement.direction == "in":
        return movement.account, wallet.id
    return wallet.id, movement.account


def _signed(order: Order) -> int:
    return order.credits if MOVEMENTS[order.code].direction == "in" else -order.credits


def _require_same(made: Transfer, order: Order, wallet: Account) -> None:
    asked = (order.code, *_sides(order, wallet), order.credits, order.payment_id, order.note)
    there = (made.code, made.source, made.target, made.credits, made.payment_id, made.note)
    if asked != there:
        raise TransferConflict(f"Transfer {order.id} exists with other content.")
