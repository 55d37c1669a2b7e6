"""`/v1/subscriptions`: create, retrieve, update, cancel, pause, resume, list."""

from __future__ import annotations

from stripe.params import (
    SubscriptionCancelParams,
    SubscriptionCreateParams,
    SubscriptionListParams,
    SubscriptionPauseParams,
    SubscriptionResumeParams,
    SubscriptionRetrieveParams,
    SubscriptionUpdateParams,
)

from ..account import Work
from ..call import Call, Endpoint
from ..errors import JSON, ApiError, invalid
from ..events import emit
from ..intent_settlement import card_error
from ..lists import list_object
from ..records import Condition, Record, equals, one_of
from . import collection, subscription_change, subscription_clock
from . import subscription_state as state
from .subscription_body import (
    ENDED,
    TYPE,
    first_period_end,
    items_of,
    set_period,
)
from .subscription_params import check_common, terms_of
from .subscription_start import Terms, begin, first_invoice
from .subscription_update import apply, plan_cancellation, wish_of

_WITH_PRICE = (
    "EXISTS (SELECT 1 FROM json_each(body, '$.items.data')"
    " WHERE json_extract(value, '$.price.id') = ?)"
)
_PERIOD = "EXISTS (SELECT 1 FROM json_each(body, '$.items.data') WHERE json_extract(value, '$.{}')"


def create(call: Call) -> JSON:
    """Create a subscription and try to collect its first invoice, as payment_behavior says."""
    work, terms = call.work, terms_of(call.work, call.params)
    payment = call.params.get("payment_behavior", "allow_incomplete")
    _check_can_pay(work, terms, payment)
    subscription = begin(work, terms, "incomplete")
    invoice = first_invoice(work, subscription, terms)
    collection.finalize(work, invoice)
    if invoice.body["status"] == "open" and payment != "default_incomplete":
        collection.collect(work, invoice)
        if payment == "error_if_incomplete" and invoice.body["status"] != "paid":
            raise _first_payment_failed(work, invoice)
    if "cancel_at" in call.params or call.params.get("cancel_at_period_end"):
        with state.changing(work, subscription) as body:
            plan_cancellation(work, body, call.params)
    return subscription.shown()


def retrieve(call: Call) -> JSON:
    """Answer one subscription, ended ones too."""
    return call.target(TYPE, TYPE).shown()


def update(call: Call) -> JSON:
    """Change items, card, discounts, trial, cancellation or metadata."""
    work, subscription, params = call.work, call.target(TYPE, TYPE), call.params
    check_common(params)
    if subscription.body["status"] in ENDED and set(params) - {"metadata"}:
        raise invalid("A canceled subscription can only update its cancellation_details and"
                      " metadata.")  # fmt: skip
    wish = wish_of(work, subscription, params)
    billable = {"items", "default_payment_method"} & set(params)
    if wish.ends_trial and not billable and subscription_clock.lacks_a_card(work, subscription):
        rest = {name: value for name, value in params.items() if name != "trial_end"}
        apply(work, subscription, subscription.body, rest)
        subscription_clock.end_without_card(work, subscription)
        return subscription.shown()
    planned = subscription_change.plan(work, subscription, wish)
    apply(work, subscription, planned.after, params)
    payment = params.get("payment_behavior", "allow_incomplete")
    subscription_change.make(work, subscription, planned, payment=payment)
    return subscription.shown()


def cancel(call: Call) -> JSON:
    """End a subscription now, with a credit for unused time if asked for."""
    work, subscription = call.work, call.target(TYPE, TYPE)
    body = subscription.body
    if body["status"] in ENDED:
        raise ApiError(404, f"No such subscription: '{subscription.id}'",
                       code="resource_missing", param="id")  # fmt: skip
    body["cancellation_details"].update(call.params.get("cancellation_details", {}))
    body["cancellation_details"]["reason"] = "cancellation_requested"
    charges = []
    if call.params.get("prorate"):
        charges = subscription_change.unused(work, body, items_of(body), work.now)
    if call.params.get("invoice_now"):
        charges = subscription_clock.pending(subscription) + charges
    state.end(work, subscription, None)
    if charges:
        bill = subscription_change.bill_now(work, subscription, charges)
        collection.finalize(work, collection.draft(work, bill))
    return subscription.shown()


def pause(call: Call) -> JSON:
    """Stop a subscription until it is resumed; unused time is credited if asked for."""
    work, subscription = call.work, call.target(TYPE, TYPE)
    if subscription.body["status"] not in ("active", "past_due", "trialing"):
        raise invalid(f"You cannot pause a subscription that is"
                      f" {subscription.body['status']}.")  # fmt: skip
    since = call.params.get("bill_for", {}).get("unused_time_from", {}).get("type", "none")
    if since != "none":
        items = items_of(subscription.body)
        moments = {"now": work.now, "item_current_period_start": items[0]["current_period_start"]}
        credits = subscription_change.unused(work, subscription.body, items, moments[since])
        planned = subscription_change.Plan(subscription.shown(), credits)
        planned.invoices_now = call.params.get("invoicing_behavior") == "invoice"
        subscription_change.make(work, subscription, planned, payment="allow_incomplete")
    state.pause(work, subscription, "pause_requested")
    return subscription.shown()


def resume(call: Call) -> JSON:
    """Begin to bill a paused subscription again; it is active once its invoice is paid."""
    work, subscription = call.work, call.target(TYPE, TYPE)
    if subscription.body["status"] != "paused":
        raise invalid("Only paused subscriptions can be resumed.")
    anchor = call.params.get("billing_cycle_anchor", {}).get("type", "now")
    if anchor == "unchanged" and first_period_end(subscription.body) > work.now:
        wake(work, subscription)
        return subscription.shown()
    start_over(work, subscription)
    return subscription.shown()


def wake(work: Work, subscription: Record) -> None:
    """Make a paused subscription active again in the middle of its period."""
    subscription.body.update(status="active", status_details=None)
    work.save(subscription)
    emit(work, "customer.subscription.resumed", subscription.shown())
    state.schedule(work, subscription)


def start_over(work: Work, subscription: Record) -> None:
    """Bill a paused subscription for a new period from now on; paying it resumes it."""
    body = subscription.body
    body["billing_cycle_anchor"] = work.now
    for item in items_of(body):
        set_period(item, item["current_period_start"], work.now)
    invoice = subscription_clock.renew(work, subscription, "subscription_update", at_once=True)
    subscription.private["resuming"] = invoice.id
    work.save(subscription)
    collection.finalize(work, invoice)
    if invoice.body["status"] == "open":
        collection.collect(work, invoice)


def list_all(call: Call) -> JSON:
    """List subscriptions by customer, price and status; ended ones only when asked for."""
    params, conditions = call.params, []
    if "customer" in params:
        conditions.append(equals("customer", params["customer"]))
    for name in ("price", "plan"):
        if name in params:
            conditions.append(Condition(_WITH_PRICE, (params[name],)))
    status = params.get("status")
    if status == "ended":
        conditions.append(one_of("status", ENDED))
    elif status is None:
        conditions.append(Condition("json_extract(body, '$.status') != 'canceled'"))
    elif status != "all":
        conditions.append(equals("status", status))
    for name in ("current_period_start", "current_period_end"):
        conditions += _period_conditions(name, params.get(name))
    return list_object(call.tx, TYPE, "/v1/subscriptions", params, *conditions)


def _period_conditions(name: str, wanted: int | JSON | None) -> list[Condition]:
    if wanted is None:
        return []
    signs = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
    limits = {"=": wanted} if isinstance(wanted, int) else {
        signs[key]: value for key, value in wanted.items()
    }  # fmt: skip
    exists = _PERIOD.format(name)
    return [Condition(f"{exists} {sign} ?)", (value,)) for sign, value in limits.items()]


def _check_can_pay(work: Work, terms: Terms, payment: str) -> None:
    """Refuse to begin when nothing could ever be charged, as Stripe does."""
    named = terms.given.get("default_payment_method")
    saved = collection.saved_method(work, terms.customer, None)
    if named or saved or terms.trial_end or payment == "default_incomplete":
        return
    if any(price["unit_amount"] for price, _, _ in terms.items):
        raise invalid(
            "This customer has no attached payment source or default payment method. Please"
            " consider adding a default payment method.",
            code="resource_missing",
        )


def _first_payment_failed(work: Work, invoice: Record) -> ApiError:
    intent = work.tx.get("payment_intent", invoice.private["intent"])
    if intent is not None and intent.body["last_payment_error"] is not None:
        error = card_error(intent, publishable=False)
        error.executed = False
        return error
    return ApiError(
        402, "Payment for this subscription requires additional user action before it can be"
        " completed successfully.", type="card_error",
        code="subscription_payment_intent_requires_action",
    )  # fmt: skip


ENDPOINTS: list[Endpoint] = [
    Endpoint("POST", "/v1/subscriptions", SubscriptionCreateParams, create),
    Endpoint("GET", "/v1/subscriptions", SubscriptionListParams, list_all),
    Endpoint("GET", "/v1/subscriptions/<id>", SubscriptionRetrieveParams, retrieve),
    Endpoint("POST", "/v1/subscriptions/<id>", SubscriptionUpdateParams, update),
    Endpoint("DELETE", "/v1/subscriptions/<id>", SubscriptionCancelParams, cancel),
    Endpoint("POST", "/v1/subscriptions/<id>/pause", SubscriptionPauseParams, pause),
    Endpoint("POST", "/v1/subscriptions/<id>/resume", SubscriptionResumeParams, resume),
]
