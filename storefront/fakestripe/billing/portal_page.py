"""What the pages of the Customer Portal ask and do, each call in the page's own transaction."""

from __future__ import annotations

from .. import payment_methods
from ..account import Work
from ..call import changed
from ..errors import JSON, invalid
from ..events import emit
from ..intent_settlement import Manner
from ..records import Record, equals
from . import collection, discounts, setup_intents, subscription_change
from . import subscription_state as state
from .invoice_page import outcome
from .invoices import SUBSCRIPTION, next_invoice
from .invoices import preview as invoice_preview
from .subscription_body import ENDED, first_period_end, items_of
from .subscription_change import Plan, Wish
from .subscription_update import lift_end, plan_end
from .undo import undone_on_error

UNUSED_SECONDS = 5 * 60  # a link that nobody opens goes stale
IDLE_SECONDS = 60 * 60  # a portal that nobody uses any more is left


def visit(work: Work, portal: Record) -> bool:
    """Tell whether a session can still be used, and note that it was."""
    seen = portal.private.get("seen", False)
    limit = IDLE_SECONDS if seen else UNUSED_SECONDS
    if work.now - portal.private["used"] > limit:
        return False
    portal.private.update(used=work.now, seen=True)
    work.save(portal)
    return True


def choices(work: Work, portal: Record, subscription: Record) -> list[JSON]:
    """Return the prices that the customer may switch to, as the configuration lists them."""
    item = items_of(subscription.body)[0]
    found = []
    for listed in _feature(work, portal, "subscription_update")["products"] or []:
        product = work.tx.get("product", listed["product"])
        for id in listed["prices"]:
            price = work.tx.get("price", id)
            if product is None or price is None or not price.body["active"]:
                continue
            if price.body["currency"] == subscription.body["currency"]:
                current = id == item["price"]["id"]
                found.append({"price": price.shown(), "product": product.shown(),
                              "current": current})  # fmt: skip
    return found


def preview(
    work: Work, portal: Record, subscription: Record, price_id: str, quantity: int | None
) -> JSON:
    """Return what a change costs now and at the next renewal, without making it."""
    wish = _wish(work, portal, subscription, price_id, quantity)
    planned = subscription_change.plan(work, subscription, wish)
    invoice = invoice_preview(work, subscription, planned)
    following = next_invoice(work, subscription, planned, invoice)
    return {
        "due_now": invoice["amount_due"] if planned.invoices_now else 0,
        "lines": invoice["lines"]["data"],
        "next": {"amount": following["amount_due"], "date": first_period_end(planned.after)},
        "invoice": invoice,
        "effective": "now",
    }


def change(
    work: Work, portal: Record, subscription: Record, price_id: str, quantity: int | None
) -> JSON:
    """Change the plan; a decline is raised and leaves the old plan as it was."""
    wish = _wish(work, portal, subscription, price_id, quantity)
    with undone_on_error(work):
        planned = subscription_change.plan(work, subscription, wish)
        _take_flow_discount(work, portal, subscription, planned)
        invoice = subscription_change.make(
            work, subscription, planned, payment="error_if_incomplete", on_session=True
        )
    return {"status": "done"} if invoice is None else outcome(work, invoice, "done")


def cancel(
    work: Work, portal: Record, subscription: Record, feedback: str | None, comment: str | None
) -> None:
    """Cancel as the configuration says: now, or when what was paid has run out.

    Under flexible billing the end is a `cancel_at`, and `cancel_at_period_end` stays false.
    """
    _check_live(subscription)
    feature = _feature(work, portal, "subscription_cancel")
    details = {"comment": comment, "feedback": feedback}
    if feature["mode"] == "immediately":
        _cancel_now(work, subscription, details, feature["proration_behavior"])
        return
    flexible = subscription.body["billing_mode"]["type"] == "flexible"
    with state.changing(work, subscription) as body:
        plan_end(body, first_period_end(body), work.now, at_period_end=not flexible)
        body["cancellation_details"].update(details)


def renew(work: Work, portal: Record, subscription: Record) -> None:
    """Take a scheduled cancellation back."""
    _check_live(subscription)
    with state.changing(work, subscription) as body:
        lift_end(body)


def set_card(work: Work, portal: Record, payment_method_data: JSON) -> JSON:
    """Save a card as the default of the customer and of its subscriptions; raise a refusal.

    Past due invoices are then tried again at once.
    """
    _feature(work, portal, "payment_method_update")
    customer = work.find("customer", portal.body["customer"], "customer")
    method = payment_methods.build(work, payment_method_data, "")
    setup_intents.succeed(work, method, customer.id, {})
    before = customer.shown()
    customer.body["invoice_settings"]["default_payment_method"] = method.id
    work.save(customer)
    emit(work, "customer.updated", customer.shown(), changed(before, customer.body))
    for subscription in _live(work, customer.id):
        if subscription.body["default_payment_method"] is not None:
            with state.changing(work, subscription) as body:
                body["default_payment_method"] = method.id
        _try_again(work, subscription, method)
    return {"status": "done"}


def update_customer(work: Work, portal: Record, given: JSON) -> None:
    """Change the customer's own details, those that the configuration allows."""
    allowed = _feature(work, portal, "customer_update")["allowed_updates"]
    customer = work.find("customer", portal.body["customer"], "customer")
    before = customer.shown()
    for name in ("name", "email", "phone", "address"):
        if name in given and name in allowed:
            customer.body[name] = given[name] or None
    email = customer.body["email"]
    if email is not None and "@" not in email.strip("@"):
        raise invalid("Enter a valid email address.", "email", "email_invalid")
    previous = changed(before, customer.body)
    if previous:
        work.save(customer)
        emit(work, "customer.updated", customer.shown(), previous)


def _feature(work: Work, portal: Record, name: str) -> JSON:
    configuration = work.find(
        "billing_portal.configuration", portal.body["configuration"], "configuration"
    )
    feature: JSON = configuration.body["features"][name]
    if not feature["enabled"]:
        raise invalid("The portal's configuration does not allow this.", name)
    return feature


def _wish(
    work: Work, portal: Record, subscription: Record, price_id: str, quantity: int | None
) -> Wish:
    _check_live(subscription)
    feature = _feature(work, portal, "subscription_update")
    if price_id not in [c["price"]["id"] for c in choices(work, portal, subscription)]:
        raise invalid("This plan cannot be chosen here.", "price")
    items = items_of(subscription.body)
    if len(items) != 1:
        raise invalid("A subscription with several items cannot be changed here.", "items")
    item = {"id": items[0]["id"], "price": price_id}
    if quantity is not None:
        item["quantity"] = quantity
    trialing = subscription.body["status"] == "trialing"
    ends = trialing and feature["trial_update_behavior"] == "end_trial"
    anchor = feature["billing_cycle_anchor"] == "now" and not trialing
    return Wish([item], feature["proration_behavior"], work.now, anchor, ends)


def _take_flow_discount(work: Work, portal: Record, subscription: Record, planned: Plan) -> None:
    """Give the discount that the shop attached to a confirmation flow."""
    flow = portal.body["flow"] or {}
    confirmed = flow.get("subscription_update_confirm") or {}
    for given in confirmed.get("discounts") or []:
        named = {name: value for name, value in given.items() if value is not None}
        customer, currency = subscription.body["customer"], subscription.body["currency"]
        coupon, code = discounts.chosen(work, named, customer, 0, currency, "discounts[0]")
        discount = discounts.grant(
            work, coupon, code, customer=customer, subscription=subscription.id
        )
        planned.after["discounts"] = [discount.id]
        emit(work, "customer.discount.created", discount.shown())


def _cancel_now(work: Work, subscription: Record, details: JSON, proration: str) -> None:
    body = subscription.body
    body["cancellation_details"].update(details)
    credits = []
    if proration == "create_prorations":
        credits = subscription_change.unused(work, body, items_of(body), work.now)
    state.end(work, subscription, "cancellation_requested")
    if credits:
        bill = subscription_change.bill_now(work, subscription, credits)
        collection.finalize(work, collection.draft(work, bill))


def _try_again(work: Work, subscription: Record, method: Record) -> None:
    """Charge the newest open invoice of a subscription that is in arrears; a decline is kept."""
    if subscription.body["status"] not in ("past_due", "unpaid", "incomplete"):
        return
    conditions = (equals(SUBSCRIPTION, subscription.id), equals("status", "open"))
    for invoice in work.tx.records.all("invoice", *conditions)[:1]:
        collection.attempt(work, invoice, method, Manner(off_session=True, asks_later=True))


def _live(work: Work, customer: str) -> list[Record]:
    found = work.tx.records.all("subscription", equals("customer", customer))
    return [record for record in found if record.body["status"] not in ENDED]


def _check_live(subscription: Record) -> None:
    if subscription.body["status"] in ENDED:
        raise invalid("This subscription has ended.", "subscription")
