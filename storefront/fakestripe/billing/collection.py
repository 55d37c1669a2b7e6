"""Getting an invoice paid: finalization, attempts, the retry schedule, and its end."""

from __future__ import annotations

from collections.abc import Callable

from .. import intent_settlement, payment_intents
from ..account import Work
from ..currencies import MINIMUM
from ..errors import JSON
from ..events import emit
from ..ids import random_text
from ..intent_owners import follow, own
from ..intent_params import apply
from ..intent_settlement import Manner
from ..records import Record
from . import invoice_body, invoice_payments
from . import subscription_state as state
from .periods import DAY_SECONDS

TYPE = invoice_body.TYPE
DRAFT_SECONDS = 3600  # how long the invoice of a new period can still be changed
RETRY_DAYS = (3, 5, 7)  # after the attempt before; then the end that the control page sets
ENDS = ("canceled", "unpaid", "past_due")
END_SETTING = "dunning_end"
TIMER = "invoice_due"
_RETRIED = ("active", "past_due")  # what the end of the retries changes


def draft(
    work: Work,
    bill: invoice_body.Bill,
    id: str = "",
    *,
    waits: bool = False,
    details: JSON | None = None,
) -> Record:
    """Store a draft, with its event; with `waits` it is finalized by itself after an hour.

    `details` are fields of the invoice that its bill does not decide.
    """
    body = invoice_body.build(work, bill, id) | (details or {})
    if waits:
        body["automatically_finalizes_at"] = work.now + DRAFT_SECONDS
        work.at(work.now + DRAFT_SECONDS, TIMER, body["id"])
    invoice = work.add(body, {"token": random_text(24)})
    emit(work, "invoice.created", invoice.shown())
    return invoice


def finalize(work: Work, invoice: Record, intent: Record | None = None) -> None:
    """Open a draft for payment; nothing due means that it is paid at once.

    `intent` has brought the money already (Checkout takes it first).
    """
    _take_balance(work, invoice)
    url, token = f"{work.account.url}/i/{invoice.id}", invoice.private["token"]
    invoice.body.update(
        status="open",
        number=_next_number(work, invoice),
        effective_at=work.now,
        automatically_finalizes_at=None,
        hosted_invoice_url=f"{url}?token={token}",
        invoice_pdf=f"{url}/pdf?token={token}",
    )
    invoice.body["status_transitions"]["finalized_at"] = work.now
    work.save(invoice)
    emit(work, "invoice.finalized", invoice.shown())
    if invoice.body["amount_due"] == 0:
        mark_paid(work, invoice)
        return
    if intent is None:
        intent = _new_intent(work, invoice)
    invoice.private["intent"] = intent.id
    work.save(invoice)
    own(work, intent, TYPE, invoice.id)
    invoice_payments.add(work, invoice.body, intent.id)
    if intent.body["status"] == "succeeded":
        invoice.body.update(attempted=True, attempt_count=1)
        mark_paid(work, invoice)


def collect(work: Work, invoice: Record) -> None:
    """Try to take the money from the saved card, and plan what happens if that fails."""
    body, made = invoice.body, invoice.body["attempt_count"]
    first_ever = body["billing_reason"] == "subscription_create"
    again = None if first_ever or made >= len(RETRY_DAYS) else work.now + (
        RETRY_DAYS[made] * DAY_SECONDS
    )  # fmt: skip
    body.update(attempted=True, attempt_count=made + 1, next_payment_attempt=again)
    method = default_method(work, invoice)
    if method is None:
        _failed(work, invoice)
    else:
        attempt(work, invoice, method, Manner(off_session=True, asks_later=True))
    if body["status"] != "open" or _intent(work, invoice).body["status"] == "processing":
        return
    if again is not None:
        work.at(again, TIMER, invoice.id)
    elif not first_ever:
        _give_up(work, invoice)


def attempt(work: Work, invoice: Record, method: Record, manner: Manner) -> None:
    """Try to pay an open invoice with a card; the invoice's status tells how it went."""
    invoice.body["attempted"] = True
    invoice.body["attempt_count"] = max(1, invoice.body["attempt_count"])
    page = Manner(manner.off_session, manner.asks_later, manner.use_stripe_sdk,
                  return_url=manner.return_url or invoice.body["hosted_invoice_url"])  # fmt: skip
    intent_settlement.attempt(work, _intent(work, invoice), method, page)


def default_method(work: Work, invoice: Record) -> Record | None:
    """Return the card to charge: the invoice's, the subscription's, the customer's, or None."""
    customer = work.tx.get("customer", invoice.body["customer"])
    subscription = state.of_invoice(work, invoice)
    return saved_method(work, customer, subscription, invoice)


def saved_method(
    work: Work, customer: Record | None, subscription: Record | None, invoice: Record | None = None
) -> Record | None:
    """Return the first saved card that is still attached to the customer."""
    owners = [owner for owner in (invoice, subscription) if owner is not None]
    ids = [owner.body["default_payment_method"] for owner in owners]
    if customer is not None:
        ids.append(customer.body["invoice_settings"]["default_payment_method"])
    for id in ids:
        method = work.tx.get("payment_method", id) if id else None
        if method and customer and method.body["customer"] == customer.id:
            return method
    return None


def mark_paid(work: Work, invoice: Record) -> None:
    """Close an open invoice as paid, with its events, and wake its subscription."""
    body = invoice.body
    body.update(status="paid", amount_paid=body["amount_due"], amount_remaining=0,
                attempted=True, next_payment_attempt=None, auto_advance=False)  # fmt: skip
    body["status_transitions"]["paid_at"] = work.now
    work.save(invoice)
    invoice_payments.close(work, invoice.id, paid=True)
    emit(work, "invoice.paid", invoice.shown())
    emit(work, "invoice.payment_succeeded", invoice.shown())
    state.settled(work, invoice)


def close_unpaid(work: Work, invoice: Record, status: str, event: str) -> None:
    """End an open invoice without money: `void` or `uncollectible`."""
    names = {"void": "voided_at", "uncollectible": "marked_uncollectible_at"}
    invoice.body.update(status=status, next_payment_attempt=None, auto_advance=False)
    invoice.body["status_transitions"][names[status]] = work.now
    work.save(invoice)
    if status == "void" and invoice.private.get("intent"):
        invoice_payments.close(work, invoice.id, paid=False)
        intent = _intent(work, invoice)
        if intent.body["status"] in payment_intents.CANCELABLE:
            intent_settlement.cancel(work, intent, "void_invoice", "charge.refunded")
    emit(work, event, invoice.shown())


@follow(TYPE)
def heard(work: Work, intent: Record, id: str) -> None:
    """Let an invoice follow its payment intent."""
    invoice = work.tx.get(TYPE, id)
    if invoice is None or invoice.body["status"] not in ("open", "uncollectible"):
        return
    status = intent.body["status"]
    if status == "succeeded":
        mark_paid(work, invoice)
    elif status == "requires_action":
        work.save(invoice)
        emit(work, "invoice.payment_action_required", invoice.shown())
        _failed(work, invoice)
    elif status == "requires_payment_method":
        _failed(work, invoice)


def due(work: Work, id: str) -> None:
    """Finalize a draft whose hour is over, or try again (the timer of an invoice)."""
    invoice = work.tx.get(TYPE, id)
    if invoice is None or not invoice.body["auto_advance"]:
        return
    body = invoice.body
    if body["status"] == "draft" and (body["automatically_finalizes_at"] or 0) <= work.now:
        finalize(work, invoice)
        if body["status"] == "open":
            collect(work, invoice)
    elif body["status"] == "open" and (body["next_payment_attempt"] or work.now + 1) <= work.now:
        collect(work, invoice)
    work.save(invoice)


def _failed(work: Work, invoice: Record) -> None:
    work.save(invoice)
    emit(work, "invoice.payment_failed", invoice.shown())
    if invoice.body["billing_reason"] != "subscription_create":
        state.fell_due(work, invoice)


def _give_up(work: Work, invoice: Record) -> None:
    """End the subscription as the account's setting says, after the last retry."""
    setting = work.tx.meta(END_SETTING) or ENDS[0]
    subscription = state.of_invoice(work, invoice)
    if subscription is None or subscription.body["status"] not in _RETRIED:
        return
    if setting == "canceled":
        state.end(work, subscription, "payment_failed")
    elif setting == "unpaid":
        with state.changing(work, subscription) as body:
            body["status"] = "unpaid"


def _intent(work: Work, invoice: Record) -> Record:
    intent = work.tx.get("payment_intent", invoice.private["intent"])
    assert intent is not None
    return intent


def _new_intent(work: Work, invoice: Record) -> Record:
    body = invoice.body
    intent = payment_intents.new_body(body["amount_due"], body["currency"], work.now)
    names = {"subscription_create": "Subscription creation",
             "subscription_update": "Subscription update"}  # fmt: skip
    params = {
        "amount": body["amount_due"],
        "currency": body["currency"],
        "customer": body["customer"],
        "description": names.get(body["billing_reason"], f"Payment for Invoice {body['number']}"),
        "setup_future_usage": "off_session",
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
    }
    apply(work, intent, params)
    record = work.add(intent)
    emit(work, "payment_intent.created", record.shown())
    return record


def _take_balance(work: Work, invoice: Record) -> None:
    """Settle with the customer's balance; too small a sum to charge is carried over."""
    customer = work.tx.get("customer", invoice.body["customer"])
    assert customer is not None
    body = invoice.body
    body["starting_balance"] = customer.body["balance"]
    invoice_body.total_up(body)
    if 0 < body["amount_due"] < MINIMUM.get(body["currency"], 1):
        body.update(amount_due=0, amount_remaining=0)
    body["ending_balance"] = body["starting_balance"] + body["total"] - body["amount_due"]
    if body["ending_balance"] != customer.body["balance"]:
        before = {"balance": customer.body["balance"]}
        customer.body["balance"] = body["ending_balance"]
        work.save(customer)
        emit(work, "customer.updated", customer.shown(), before)


def _next_number(work: Work, invoice: Record) -> str:
    customer = work.tx.get("customer", invoice.body["customer"])
    assert customer is not None
    number = customer.body["next_invoice_sequence"]
    customer.body["next_invoice_sequence"] = number + 1
    work.save(customer)
    return f"{customer.body['invoice_prefix']}-{number:04d}"


TIMERS: dict[str, Callable[[Work, str], None]] = {TIMER: due}
