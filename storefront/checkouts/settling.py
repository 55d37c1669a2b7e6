"""Applying what Stripe says of a Checkout Session to its row, whoever heard it."""

from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from storefront import jobs, ledger, subscriptions
from storefront.checkouts.tables import Checkout
from storefront.errors import Unprocessable
from storefront.payments import Payment, promise_settled
from storefront.stripe_gateway import CheckoutSession
from storefront.users import User

FAILURE_CODE = "async_payment_failed"
FAILURE_MESSAGE = "Your bank did not make the payment."

PAID = ("paid", "no_payment_required")
"""The second: a discount took all of the price, or a trial begins."""

_RANKS = {"opened": 0, "open": 1, "expired": 2, "complete": 3}
_PAID_RANKS = {None: 0, "unpaid": 1, "no_payment_required": 2, "paid": 3}


def settle(
    session: Session,
    facts: CheckoutSession,
    *,
    failed: bool = False,
    happened_at: datetime | None = None,
) -> Checkout | None:
    """Apply what Stripe says of a session to its checkout: the one function for this effect.

    A one-time plan that is paid becomes a payment of the kind `purchase`, once, with its credits
    by the transfer `payment:<id>`; one that a slow bank still works on becomes one that is
    `processing`, and one that is `canceled` when it has `failed` (which the session alone does not
    tell). A subscription is only noted, and jobs are promised that fetch what is true of it and of
    its invoices.

    Everything only ever moves forward (open, expired, complete; unpaid, paid; processing, failed,
    succeeded), so that any order of delivery ends alike. Returns None for a session that is not
    ours. Raises Unprocessable when money moved that contradicts our row; nothing is changed then.
    """
    checkout = _row_of(session, facts)
    if checkout is None:
        return None
    if _RANKS.get(facts.status, 0) > _RANKS[checkout.status]:
        checkout.status = facts.status
    if _PAID_RANKS.get(facts.payment_status, 0) > _PAID_RANKS[checkout.payment_status]:
        checkout.payment_status = facts.payment_status
    if facts.status == "complete":
        _complete(session, checkout, facts, failed, happened_at)
    session.flush()
    return checkout


def _complete(
    session: Session,
    checkout: Checkout,
    facts: CheckoutSession,
    failed: bool,
    happened_at: datetime | None,
) -> None:
    _promise_to_expire_rivals(session, checkout)
    if checkout.mode == "subscription":
        _note_subscription(session, checkout, facts)
        return
    payment = _purchase(session, checkout, facts)
    if facts.payment_status in PAID:
        _credit(session, payment, facts, happened_at)
        return
    if failed and payment.status == "processing":
        payment.status = "canceled"
        payment.failure_code, payment.failure_message = FAILURE_CODE, FAILURE_MESSAGE


def _note_subscription(session: Session, checkout: Checkout, facts: CheckoutSession) -> None:
    """Have the subscription and its invoices fetched; once when the session is complete, and
    again when a slow first payment has arrived."""
    if facts.subscription_id is None:
        raise Unprocessable(f"{facts.id} is complete and names no subscription.")
    checkout.stripe_subscription_id = facts.subscription_id
    cause = f"{checkout.id}:{facts.payment_status}"
    subscriptions.promise_sync(session, facts.subscription_id, cause)
    if facts.customer_id is not None:
        subscriptions.promise_invoices(session, facts.customer_id, cause)


def _promise_to_expire_rivals(session: Session, checkout: Checkout) -> None:
    """What is bought now is not bought again in another tab."""
    jobs.promise(
        session,
        "expire_checkouts",
        {"checkout_id": checkout.id},
        key=f"expire_checkouts:{checkout.id}",
    )


def _purchase(session: Session, checkout: Checkout, facts: CheckoutSession) -> Payment:
    """The payment of a one-time checkout, made when the session is complete. Its id follows from
    the checkout's, so that there cannot be two."""
    if checkout.payment_id is not None:
        return session.get_one(
            Payment, checkout.payment_id, with_for_update=True, populate_existing=True
        )
    payment = Payment(
        id=f"pay_{checkout.id.partition('_')[2]}",
        user_id=checkout.user_id,
        kind="purchase",
        pack_or_plan=checkout.plan,
        quantity=checkout.quantity,
        stripe_intent_id=facts.intent_id,
        checkout_session_id=facts.id,
        amount_cents=checkout.amount_cents,
        currency=checkout.currency,
        credits=checkout.credits,
        status="processing",
    )
    session.add(payment)
    session.flush()
    checkout.payment_id = payment.id
    return payment


def _credit(
    session: Session, payment: Payment, facts: CheckoutSession, happened_at: datetime | None
) -> None:
    """The money is here (or none was due, after a discount): give what was bought, once."""
    if facts.amount_total is None:
        raise Unprocessable(f"{facts.id} is {facts.payment_status} and has no amount_total.")
    if payment.status == "succeeded":
        return
    payment.status = "succeeded"
    payment.amount_received = facts.amount_total
    payment.failure_code = payment.failure_message = None
    payment.stripe_intent_id = facts.intent_id or payment.stripe_intent_id
    if payment.credits:
        order = ledger.Order(
            id=f"payment:{payment.id}",
            code="purchase",
            user_id=payment.user_id,
            credits=payment.credits,
            happened_at=happened_at,
            payment_id=payment.id,
        )
        ledger.transfer(session, order)
    promise_settled(session, payment)


def _row_of(session: Session, facts: CheckoutSession) -> Checkout | None:
    """The session's checkout, locked. A row that does not know its session yet (we died, or are
    still, between the call and its answer) is found by our id in the metadata, and linked."""
    checkout = _locked(session, Checkout.stripe_session_id == facts.id)
    if checkout is None and facts.checkout_id is None:
        return None
    if checkout is None:
        checkout = _locked(session, Checkout.id == facts.checkout_id)
    contradiction = _contradiction(session, checkout, facts)
    if checkout is None or contradiction:
        if facts.status == "complete":
            raise Unprocessable(f"{facts.id}: {contradiction}")
        return None
    checkout.stripe_session_id = facts.id
    return checkout


def _locked(session: Session, condition: ColumnElement[bool]) -> Checkout | None:
    query = select(Checkout).where(condition).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def _contradiction(
    session: Session, checkout: Checkout | None, facts: CheckoutSession
) -> str | None:
    """What of the session does not fit its checkout, in one sentence; None when all of it fits.

    The amount before discounts and tax must be ours in payment mode, where it is what is bought.
    A subscription's session may have none (a trial); what it brings follows from its invoices.
    A customer whom Stripe has deleted meanwhile cannot be compared, but then the session is the
    one that Stripe named when we asked for it.
    """
    if checkout is None:
        return f"its checkout {facts.checkout_id} is unknown here."
    customer_id = session.scalar(select(User.stripe_customer_id).where(User.id == checkout.user_id))
    forgotten = customer_id is None and checkout.stripe_session_id == facts.id
    one_time = checkout.mode == "payment"
    theirs = {
        "session": facts.id,
        "mode": facts.mode,
        "customer": None if forgotten else facts.customer_id,
        "client_reference_id": facts.client_reference_id,
        "currency": facts.currency,
        "amount": facts.amount_subtotal if one_time else None,
    }
    ours = {
        "session": checkout.stripe_session_id or facts.id,
        "mode": checkout.mode,
        "customer": customer_id,
        "client_reference_id": checkout.user_id,
        "currency": checkout.currency,
        "amount": checkout.amount_cents if one_time else None,
    }
    wrong = [
        f"{name} {theirs[name]}, not {ours[name]}" for name in ours if theirs[name] != ours[name]
    ]
    return f"it does not fit checkout {checkout.id}: {'; '.join(wrong)}." if wrong else None
