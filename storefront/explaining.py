"""Explaining a balance: each credit of it back to its cause, and the cause back to Stripe.

Credits that expire are in lots, so it is known which of them are left. Credits that never expire
are alike, and a rule says which: what was refunded or disputed comes off what its own payment
brought, and of the rest the oldest is spent first. So those left are the newest.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased, defer

from storefront.db import utcnow
from storefront.inbox import StripeEvent
from storefront.ledger import MOVEMENTS, Lot, LotUse, Transfer, wallet_id
from storefront.payments import Payment
from storefront.subscriptions import Invoice

PARCELS = 100
"""How many parcels are told apart, unless asked otherwise."""

EVENTS = 1_000
PAGE = 200
CLAWBACKS = ("refund", "dispute")
OWING = tuple(movement.code for movement in MOVEMENTS.values() if movement.may_owe)

Found = tuple[int, Transfer, datetime | None]
"""Credits that are left of a transfer's, or owed by it, and when they expire."""


class Moved(Protocol):
    """What a cause is found by: a transfer, or a line that tells of one."""

    @property
    def id(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def note(self) -> str: ...
    @property
    def happened_at(self) -> datetime: ...
    @property
    def payment_id(self) -> str | None: ...


@dataclass(frozen=True)
class SeenEvent:
    """An event of Stripe's about an object of a cause, and what became of it here."""

    id: str
    type: str
    state: str
    object_id: str
    created: datetime


@dataclass(frozen=True)
class Cause:
    """Why credits came or went: `text` in plain words, `amount` in minor units of `currency` where
    money was behind it, and the way to Stripe's objects and their events."""

    text: str
    transfer_id: str
    code: str
    happened_at: datetime
    payment_id: str | None
    invoice_id: str | None
    invoice_number: str | None
    amount: int | None
    currency: str | None
    stripe_ids: tuple[str, ...]
    events: tuple[SeenEvent, ...]


@dataclass(frozen=True)
class Parcel:
    """`credits` of the `of` that one transfer moved, with their common cause and end."""

    credits: int
    of: int
    expires_at: datetime | None
    cause: Cause


@dataclass(frozen=True)
class Explanation:
    """A balance, after the wallet's transfer number `version`. Above zero it is the sum of the
    parcels, what expires first before the rest, newest first; below zero that of the debts.
    `older` is what more there is, beyond as many parcels as were asked for."""

    user_id: str
    at: datetime
    version: int
    balance: int
    parcels: tuple[Parcel, ...]
    debts: tuple[Parcel, ...]
    older: int


def explain(
    session: Session, user_id: str, at: datetime | None = None, *, limit: int = PARCELS
) -> Explanation:
    """The customer's balance as the books had it `at` a moment (now, if None), explained. A
    handful of queries, however long the history is."""
    at = at or utcnow()
    version, balance = _state(session, user_id, at)
    found = _left(session, user_id, version, balance, limit)
    owed = _owed(session, user_id, version, -balance, limit)
    why = causes(session, [transfer for _, transfer, _ in (*found, *owed)])
    parcels, debts = (
        tuple(Parcel(n, it.credits, end, why[it.id]) for n, it, end in them)
        for them in (found, owed)
    )
    told = sum(parcel.credits for parcel in (*parcels, *debts))
    return Explanation(user_id, at, version, balance, parcels, debts, abs(balance) - told)


def _state(session: Session, user_id: str, at: datetime) -> tuple[int, int]:
    """The wallet's version and balance, by what was written until then."""
    newest = (
        select(Transfer.wallet_version, Transfer.balance_after)
        .where(Transfer.wallet == wallet_id(user_id), Transfer.created_at <= at)
        .order_by(Transfer.wallet_version.desc())
        .limit(1)
    )
    row = session.execute(newest).one_or_none()
    return (row.wallet_version, row.balance_after) if row else (0, 0)


def _left(session: Session, user_id: str, version: int, balance: int, limit: int) -> list[Found]:
    ending = _left_in_lots(session, user_id, version)
    lasting = balance - sum(credits for credits, _, _ in ending)
    return [*ending, *_left_of_lasting(session, user_id, version, lasting, limit)][:limit]


def _left_in_lots(session: Session, user_id: str, version: int) -> list[Found]:
    """What each lot held after the transfer of that version, the next to expire first."""
    taker = aliased(Transfer)
    used = (
        select(func.coalesce(func.sum(LotUse.credits), 0))
        .join(taker, taker.id == LotUse.transfer_id)
        .where(LotUse.lot_id == Lot.id, taker.wallet_version <= version)
        .scalar_subquery()
    )
    query = (
        select(Lot.credits - used, Transfer, Lot.expires_at)
        .join(Transfer, Transfer.id == Lot.id)
        .where(Transfer.wallet == wallet_id(user_id), Transfer.wallet_version <= version)
        .where(Lot.credits > used)
        .order_by(Lot.expires_at, Lot.id)
    )
    return [(int(left), grant, end) for left, grant, end in session.execute(query)]


def _left_of_lasting(
    session: Session, user_id: str, version: int, credits: int, limit: int
) -> Iterator[Found]:
    """The newest grants of credits that never expire which make up `credits`."""
    clawed: dict[str, int] = {}
    told = 0
    for page in _lasting_grants(session, user_id, version):
        new = {grant.payment_id for grant in page if grant.payment_id} - set(clawed)
        clawed |= dict.fromkeys(new, 0) | _clawed(session, user_id, version, new)
        for grant in page:
            if credits <= 0 or told == limit:
                return
            back = min(clawed.get(grant.payment_id or "", 0), grant.credits)
            if back and grant.payment_id:
                clawed[grant.payment_id] -= back
            part = min(credits, grant.credits - back)
            if part:
                credits, told = credits - part, told + 1
                yield part, grant, None


def _lasting_grants(
    session: Session, user_id: str, version: int
) -> Iterator[Sequence[Transfer]]:  # fmt: skip
    """Transfers into the wallet without a lot, newest first, page by page."""
    wallet = wallet_id(user_id)
    query = (
        select(Transfer)
        .outerjoin(Lot, Lot.id == Transfer.id)
        .where(Transfer.wallet == wallet, Transfer.target == wallet, Lot.id.is_(None))
        .order_by(Transfer.wallet_version.desc())
        .limit(PAGE)
    )
    before = version + 1
    while page := session.scalars(query.where(Transfer.wallet_version < before)).all():
        yield page
        before = page[-1].wallet_version


def _clawed(
    session: Session, user_id: str, version: int, payment_ids: Iterable[str]
) -> dict[str, int]:
    """Payment -> how many of its credits refunds and disputes took, returned or not."""
    query = (
        select(Transfer.payment_id, func.sum(Transfer.credits))
        .where(
            Transfer.payment_id.in_(payment_ids),
            Transfer.wallet == wallet_id(user_id),
            Transfer.code.in_(CLAWBACKS),
            Transfer.wallet_version <= version,
        )
        .group_by(Transfer.payment_id)
    )
    return {id: int(credits) for id, credits in session.execute(query) if id is not None}


def _owed(session: Session, user_id: str, version: int, credits: int, limit: int) -> list[Found]:
    """The newest transfers that left a debt and make up `credits`: the oldest is paid first."""
    query = (
        select(Transfer)
        .where(
            Transfer.wallet == wallet_id(user_id),
            Transfer.wallet_version <= version,
            Transfer.code.in_(OWING),
            Transfer.balance_after < 0,
        )
        .order_by(Transfer.wallet_version.desc())
        .limit(limit)
    )
    found: list[Found] = []
    for transfer in session.scalars(query) if credits > 0 else ():
        part = min(credits, transfer.credits, -transfer.balance_after)
        if part:
            found.append((part, transfer, None))
        credits -= part
    return found


def causes(session: Session, transfers: Sequence[Moved]) -> dict[str, Cause]:
    """Transfer id -> its cause: three queries for all of them."""
    named = {it.id: tuple(_STRIPE_ID.findall(it.id)) for it in transfers}
    payments = _payments(session, {it.payment_id for it in transfers if it.payment_id})
    invoices = _invoices(session, {id for ids in named.values() for id in ids})
    found: dict[str, tuple[Payment | None, Invoice | None, tuple[str, ...]]] = {}
    for it in transfers:
        payment = payments.get(it.payment_id or "")
        invoice = next((invoices[id] for id in named[it.id] if id in invoices), None)
        found[it.id] = (payment, invoice, _stripe_ids(named[it.id], payment, invoice))
    events = _events(session, {id for _, _, them in found.values() for id in them})
    return {it.id: _cause(it, *found[it.id], events) for it in transfers}


_STRIPE_ID = re.compile(r"(?<![^:])(?:in|re|pyr|dp|du|cs|pi)_\w+")
"""Ids of Stripe's inside a transfer's id, such as `refund:re_1` and `invoice:in_1:il_1:2`."""


def _payments(session: Session, ids: Iterable[str]) -> dict[str, Payment]:
    return {it.id: it for it in session.scalars(select(Payment).where(Payment.id.in_(ids)))}


def _invoices(session: Session, ids: Iterable[str]) -> dict[str, Invoice]:
    return {it.id: it for it in session.scalars(select(Invoice).where(Invoice.id.in_(ids)))}


def _stripe_ids(
    named: Sequence[str], payment: Payment | None, invoice: Invoice | None
) -> tuple[str, ...]:
    ids: list[str | None] = [*named]
    if payment:
        ids += [payment.stripe_intent_id, payment.checkout_session_id]
    if invoice:
        ids += [invoice.stripe_intent_id, invoice.stripe_subscription_id]
    return tuple(dict.fromkeys(id for id in ids if id))


def _events(session: Session, object_ids: Iterable[str]) -> dict[str, list[SeenEvent]]:
    """Object -> the events about it, the oldest first. A subscription has as many as it likes and
    none of them brings credits, so that it is left out."""
    wanted = [id for id in object_ids if not id.startswith("sub_")]
    query = (
        select(StripeEvent)
        .options(defer(StripeEvent.payload))
        .where(StripeEvent.object_id.in_(wanted))
        .order_by(StripeEvent.created, StripeEvent.id)
        .limit(EVENTS)
    )
    found: dict[str, list[SeenEvent]] = {}
    for it in session.scalars(query):
        assert it.object_id is not None
        seen = SeenEvent(it.id, it.type, it.state, it.object_id, it.created)
        found.setdefault(it.object_id, []).append(seen)
    return found


def _cause(
    transfer: Moved,
    payment: Payment | None,
    invoice: Invoice | None,
    stripe_ids: tuple[str, ...],
    events: dict[str, list[SeenEvent]],
) -> Cause:
    says = MOVEMENTS[transfer.code].says
    behind = payment or invoice
    return Cause(
        text=f"{says}: {transfer.note}" if transfer.note else says,
        transfer_id=transfer.id,
        code=transfer.code,
        happened_at=transfer.happened_at,
        payment_id=payment.id if payment else None,
        invoice_id=invoice.id if invoice else None,
        invoice_number=invoice.number if invoice else None,
        amount=_paid(payment, invoice),
        currency=behind.currency if behind else None,
        stripe_ids=stripe_ids,
        events=tuple(event for id in stripe_ids for event in events.get(id, ())),
    )


def _paid(payment: Payment | None, invoice: Invoice | None) -> int | None:
    if payment:
        return payment.amount_received
    return invoice.amount_paid if invoice else None
