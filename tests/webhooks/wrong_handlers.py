"""Handlers that are wrong on purpose (R18), each with the one mistake its name says.

The crash, race and order checkers must catch them; a checker that lets one through proves nothing
about the right handler either. All of them use the shop's own tables.
"""

import uuid
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from storefront.db import is_sqlite, transaction, utc_text, utcnow
from storefront.stripe_gateway import Event


def check_then_insert(event: Event) -> None:
    """Looks whether the event is known, and only in the end writes that it is: two deliveries at
    the same moment both find nothing."""
    with transaction() as session:
        if not _known(session, event):
            _credit(session, event)
            _record(session, event)


def mark_afterwards(event: Event) -> None:
    """Effect first, record of it in a transaction of its own: a crash between them doubles."""
    with transaction() as session:
        if _known(session, event):
            return
        _credit(session, event)
    with transaction() as session:
        _record(session, event)


def claim_then_work(event: Event) -> None:
    """Record first, effect in a transaction of its own: a crash between them loses."""
    with transaction() as session:
        claimed = _record(session, event)
    if claimed:
        with transaction() as session:
            _credit(session, event)


def balance_in_a_second_transaction(event: Event) -> None:
    """The wallet follows later: a crash between leaves a balance that is not its transfers' sum."""
    with transaction() as session:
        if not _record(session, event):
            return
        payment = _payment(session, event)
        _open_wallet(session, payment)
        _mark(session, payment, "succeeded")
        _transfer(session, payment, version=1, balance=payment["credits"])
    with transaction() as session:
        _raise_wallet(session, payment)


def without_a_unique_transfer_id(event: Event) -> None:
    """Trusts the event's id alone: two events for one fact are credited twice."""
    with transaction() as session:
        if _record(session, event):
            _credit(session, event)


def last_word_stands(event: Event) -> None:
    """Credits once, but lets whatever comes last say what the payment's state is."""
    with transaction() as session:
        if not _record(session, event):
            return
        payment = _payment(session, event)
        first = not session.execute(
            text("SELECT 1 FROM ledger_transfers WHERE id = :id"), {"id": _own_id(payment)}
        ).first()
        if event.object["status"] == "succeeded" and first:
            _credit(session, event, transfer_id=_own_id(payment))
        else:
            _mark(session, payment, event.object["status"])


def _own_id(payment: dict[str, Any]) -> str:
    return f"payment:{payment['id']}"


def _known(session: Session, event: Event) -> bool:
    query = text("SELECT 1 FROM stripe_events WHERE id = :id")
    return session.execute(query, {"id": event.id}).first() is not None


def _record(session: Session, event: Event) -> bool:
    """True when the event was not known yet."""
    query = text(
        "INSERT INTO stripe_events (id, type, livemode, created, received_at, payload, state,"
        " attempts) VALUES (:id, :type, :livemode, :now, :now, :payload, 'handled', 1)"
        " ON CONFLICT DO NOTHING RETURNING id"
    )
    values = {"id": event.id, "type": event.type, "payload": event.payload}
    livemode = 0 if is_sqlite(session) else False
    found = session.execute(query, values | {"livemode": livemode, "now": _now(session)})
    return found.first() is not None


def _credit(session: Session, event: Event, transfer_id: str | None = None) -> None:
    if event.object["status"] != "succeeded":
        return
    payment = _payment(session, event)
    _open_wallet(session, payment)
    balance, version = _raise_wallet(session, payment)
    _mark(session, payment, "succeeded")
    _transfer(session, payment, version=version, balance=balance, id=transfer_id)


def _payment(session: Session, event: Event) -> dict[str, Any]:
    query = text("SELECT * FROM payments WHERE stripe_intent_id = :id")
    return dict(session.execute(query, {"id": event.object["id"]}).mappings().one())


def _mark(session: Session, payment: dict[str, Any], status: str) -> None:
    query = text("UPDATE payments SET status = :status WHERE id = :id")
    session.execute(query, {"status": status, "id": payment["id"]})


def _open_wallet(session: Session, payment: dict[str, Any]) -> None:
    session.execute(
        text(
            "INSERT INTO ledger_accounts (id, kind, user_id, balance, version)"
            " VALUES ('wallet:' || :user, 'wallet', :user, 0, 0) ON CONFLICT DO NOTHING"
        ),
        {"user": payment["user_id"]},
    )


def _raise_wallet(session: Session, payment: dict[str, Any]) -> tuple[int, int]:
    query = text(
        "UPDATE ledger_accounts SET balance = balance + :credits, version = version + 1"
        " WHERE user_id = :user RETURNING balance, version"
    )
    values = {"credits": payment["credits"], "user": payment["user_id"]}
    balance, version = session.execute(query, values).one()
    return balance, version


def _transfer(
    session: Session,
    payment: dict[str, Any],
    *,
    version: int,
    balance: int,
    id: str | None = None,
) -> None:
    query = text(
        "INSERT INTO ledger_transfers (id, code, source, target, credits, wallet, wallet_version,"
        " balance_after, happened_at, created_at, payment_id, note) VALUES (:id, 'top_up',"
        " 'sales', :wallet, :credits, :wallet, :version, :balance, :now, :now, :payment, '')"
    )
    values = {
        "id": id or uuid.uuid4().hex,
        "wallet": f"wallet:{payment['user_id']}",
        "credits": payment["credits"],
        "version": version,
        "balance": balance,
        "now": _now(session),
        "payment": payment["id"],
    }
    session.execute(query, values)


def _now(session: Session) -> Any:
    return utc_text(utcnow()) if is_sqlite(session) else utcnow()
