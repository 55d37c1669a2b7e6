"""Ordering a refund: phase one. What is wanted is committed before Stripe hears of it."""

import re
from dataclasses import dataclass

from sqlalchemy.orm import Session

from storefront import jobs
from storefront.auditing import LONGEST_REASON, Actor, record
from storefront.db import transaction
from storefront.errors import BadInput
from storefront.ids import new_id
from storefront.money import format_money, minor_units
from storefront.refunding.previewing import Refundable, refundable
from storefront.refunding.tables import REASONS, RefundOrder, of_source

AMOUNT = re.compile(r"([0-9]{1,8})(?:\.([0-9]{1,2}))?", re.ASCII)
ORDER_ID = re.compile(r"rfo_[0-9a-f]{32}")


@dataclass(frozen=True)
class Wish:
    """What the form says. `refunded_before` is what its page showed as refunded: who looked at
    something else orders nothing."""

    order_id: str
    subject: str
    amount: int
    refunded_before: int
    reason: str
    note: str


def new_order_id() -> str:
    """For a form: it carries the id, so that sending it twice is one order."""
    return new_id("rfo")


def parse_amount(text: str, currency: str) -> int:
    """Minor units of `10`, `10.5` or `10.50`. Raises BadInput."""
    found = AMOUNT.fullmatch(text.strip())
    units = minor_units(currency)
    if not found or (found[2] and units == 1) or not text.strip():
        raise BadInput(f"Write the amount as a number, such as {'10.50' if units > 1 else '10'}.")
    amount = int(found[1]) * units + (int(found[2].ljust(2, "0")) if found[2] else 0)
    if amount == 0:
        raise BadInput("Refund more than nothing.")
    return amount


def order(actor: Actor, wish: Wish) -> None:
    """Write the order down, once: the same form again changes nothing. Raises BadInput when it
    cannot be, or is not what its page showed; NotFound."""
    _check(wish)
    with transaction() as session:
        what = refundable(session, wish.subject, lock=True)
        known = session.get(RefundOrder, wish.order_id, populate_existing=True)
        if known is not None:
            _require_same(known, wish)
            return
        _require_as_seen(session, what, wish)
        what.check(wish.amount)
        _write(session, actor, what, wish)


def _check(wish: Wish) -> None:
    if not ORDER_ID.fullmatch(wish.order_id):
        raise BadInput("This form is not one of ours. Open the payment and begin again.")
    if wish.reason not in REASONS:
        raise BadInput("Choose why: " + ", ".join(REASONS.values()).lower() + ".")
    if len(wish.note) > LONGEST_REASON or not wish.note.isprintable():
        raise BadInput(f"Keep the note to {LONGEST_REASON} plain characters.")


def _require_same(known: RefundOrder, wish: Wish) -> None:
    if (known.subject, known.amount) != (wish.subject, wish.amount):
        raise BadInput("This form has ordered another refund already. Open the payment again.")


def _require_as_seen(session: Session, what: Refundable, wish: Wish) -> None:
    under_way = [it for it in of_source(session, wish.subject) if it.state == "ordered"]
    if under_way:
        money = format_money(under_way[0].amount, what.currency)
        raise BadInput(f"A refund of {money} of this payment is under way. Look again in a moment.")
    if what.refunded != wish.refunded_before:
        raise BadInput("More of this was refunded since you opened the page. Look at it again.")


def _write(session: Session, actor: Actor, what: Refundable, wish: Wish) -> None:
    session.add(
        RefundOrder(
            id=wish.order_id,
            payment_id=what.payment_id,
            invoice_id=what.invoice_id,
            stripe_intent_id=what.intent_id,
            amount=wish.amount,
            currency=what.currency,
            reason=wish.reason,
            note=wish.note,
            ordered_by=actor.user_id,
        )
    )
    session.flush()
    jobs.promise(
        session, "make_refund", {"order": wish.order_id}, key=f"make_refund:{wish.order_id}"
    )
    record(
        session,
        actor,
        "refund_ordered",
        wish.subject,
        before={"refunded": what.refunded, "received": what.received},
        after={"refunded": what.refunded + wish.amount, "order": wish.order_id},
        reason=wish.note or REASONS[wish.reason],
    )
