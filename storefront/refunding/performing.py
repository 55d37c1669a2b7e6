"""Making an ordered refund at Stripe, and applying it: phases two and three."""

from sqlalchemy import update

from storefront import reversals
from storefront.auditing import WORKER, Actor, record
from storefront.db import db, transaction
from storefront.errors import NotFound, StripeFailed, StripeRefused
from storefront.refunding.tables import RefundOrder
from storefront.stripe_gateway import RefundFacts, StripeGateway, reason


def perform(gateway: StripeGateway, order_id: str, actor: Actor = WORKER) -> RefundOrder:
    """Make the refund at Stripe, unless it is made, and take its credits back; the order as it is
    then. A refusal to make it is an end as well.

    Stripe is first asked whether there is a refund with this order in its metadata: idempotency
    keys live for 24 hours only, and after a 500 the next try needs another key.
    Raises StripeUnavailable when the outcome is unknown, StripeRefused and NotFound when Stripe
    cannot be asked: perform it again.
    """
    order = db.session().get_one(RefundOrder, order_id, populate_existing=True)
    if order.state != "ordered":
        return order
    facts = gateway.find_refund(order.stripe_intent_id, order_id)
    try:
        facts = facts or _create(gateway, order)
    except (StripeRefused, NotFound) as refusal:
        return _refused(order_id, actor, reason(refusal))
    return _made(order_id, actor, facts)


def _create(gateway: StripeGateway, order: RefundOrder) -> RefundFacts:
    order_id, attempt = order.id, order.attempt
    try:
        return gateway.create_refund(
            idempotency_key=f"refund:{order_id}:{attempt}",
            intent_id=order.stripe_intent_id,
            amount=order.amount,
            reason=order.reason,
            order_id=order_id,
        )
    except StripeFailed:
        _next_attempt(order_id, attempt)
        raise


def _next_attempt(order_id: str, attempt: int) -> None:
    with transaction() as session:
        session.execute(
            update(RefundOrder)
            .where(RefundOrder.id == order_id, RefundOrder.attempt == attempt)
            .values(attempt=attempt + 1)
        )


def _refused(order_id: str, actor: Actor, error: str) -> RefundOrder:
    with transaction() as session:
        order = session.get_one(RefundOrder, order_id, with_for_update=True, populate_existing=True)
        if order.state == "ordered":
            order.state, order.error = "refused", error
            record(
                session,
                actor,
                "refund_refused",
                order.subject,
                after={"order": order_id, "error": error},
            )
    return order


def _made(order_id: str, actor: Actor, facts: RefundFacts) -> RefundOrder:
    with transaction() as session:
        order = session.get_one(RefundOrder, order_id, with_for_update=True, populate_existing=True)
        refund = reversals.apply_refund(session, facts)
        if order.state != "made":
            order.state, order.stripe_refund_id, order.error = "made", facts.id, None
            taken = refund.credits_taken if refund else 0
            after = {"order": order_id, "refund": facts.id, "credits_taken": taken}
            record(session, actor, "refund_made", order.subject, after=after)
    return order
