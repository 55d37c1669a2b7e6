"""What follows when the customer has confirmed: the session completes, then what was bought.

The order is Stripe's since basil: the payment first, `checkout.session.completed` next, and only
then the subscription and its invoice, which are already paid.
"""

from __future__ import annotations

from ..account import Work
from ..errors import JSON
from ..events import emit
from ..ids import new_id
from ..intent_owners import follow
from ..records import Record
from . import collection
from .checkout_sessions import TYPE
from .subscription_start import Terms, begin, first_invoice, trial_end


@follow(TYPE)
def heard(work: Work, intent: Record, id: str) -> None:
    """Let a session follow its payment intent."""
    session = work.tx.get(TYPE, id)
    if session is None or session.body["status"] == "expired":
        return
    status = intent.body["status"]
    if session.body["status"] == "open" and status in ("succeeded", "processing"):
        complete(work, session, intent)
    elif session.body["status"] == "complete" and session.body["payment_status"] == "unpaid":
        _settled_late(work, session, status)


def complete(
    work: Work, session: Record, intent: Record | None = None, setup: Record | None = None
) -> None:
    """Complete an open session and create what it sold; `intent` has paid or is about to."""
    body = session.body
    terms = _terms(work, session, intent, setup) if body["mode"] == "subscription" else None
    pays_now = intent is not None
    paid = intent is not None and intent.body["status"] == "succeeded"
    status = "no_payment_required" if not pays_now else "paid" if paid else "unpaid"
    body.update(
        status="complete",
        payment_status=status,
        url=None,
        payment_intent=intent.id if intent and terms is None else None,
        setup_intent=setup.id if setup and body["mode"] == "setup" else None,
        subscription=terms.id if terms else None,
        invoice=terms.invoice if terms else None,
    )
    event = emit(work, "checkout.session.completed", session.shown())
    session.private["completed_event"] = event.id
    work.save(session)
    if terms is not None:
        _subscribe(work, terms, intent)


def _terms(work: Work, session: Record, intent: Record | None, setup: Record | None) -> Terms:
    """Return what the customer has subscribed to."""
    customer = work.tx.get("customer", session.body["customer"])
    assert customer is not None
    lines: list[JSON] = session.private["lines"]
    given: JSON = dict(session.private["given"].get("subscription_data", {}))
    end = trial_end(given, work.now)
    source = intent or setup
    method = source.body["payment_method"] if source else None
    given.update(default_payment_method=method, automatic_tax=session.body["automatic_tax"])
    terms = Terms(
        customer,
        [(line["price"], line["quantity"], line["metadata"]) for line in lines
         if line["price"]["recurring"]],
        one_time=[(line["price"], line["quantity"]) for line in lines
                  if not line["price"]["recurring"]],
        trial_end=end,
        anchor=given.get("billing_cycle_anchor"),
        session=session.id,
        id=new_id("sub"),
        invoice=new_id("in"),
        given=given,
    )  # fmt: skip
    coupon = work.tx.get("coupon", session.private.get("coupon") or "")
    if coupon is not None:
        code = work.tx.get("promotion_code", session.body["discounts"][0]["promotion_code"] or "")
        terms.discounts = [(coupon, code)]
    return terms


def _subscribe(work: Work, terms: Terms, intent: Record | None) -> None:
    """Create the subscription and its first invoice, paid by the session's intent."""
    waiting = intent is not None and intent.body["status"] != "succeeded"
    subscription = begin(work, terms, "incomplete" if waiting else "active")
    invoice = first_invoice(work, subscription, terms)
    collection.finalize(work, invoice, intent)


def _settled_late(work: Work, session: Record, status: str) -> None:
    """Tell how a payment that was processing when the session completed has ended."""
    if status == "succeeded":
        session.body["payment_status"] = "paid"
        work.save(session)
        emit(work, "checkout.session.async_payment_succeeded", session.shown())
    elif status == "requires_payment_method":
        emit(work, "checkout.session.async_payment_failed", session.shown())
