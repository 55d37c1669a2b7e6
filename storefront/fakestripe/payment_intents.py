"""`/v1/payment_intents`: create, retrieve, update, confirm, cancel, capture, list."""

from __future__ import annotations

from stripe.params import (
    PaymentIntentCancelParams,
    PaymentIntentCaptureParams,
    PaymentIntentConfirmParams,
    PaymentIntentCreateParams,
    PaymentIntentListParams,
    PaymentIntentRetrieveParams,
    PaymentIntentUpdateParams,
)

from . import intent_settlement
from .account import Work
from .call import Call, Endpoint, updated
from .errors import JSON, invalid, not_found
from .events import emit
from .ids import new_id, random_text
from .intent_params import (
    apply,
    browser_params,
    check_create,
    check_method,
    chosen_method,
    manner_of,
)
from .intent_views import public, unexpected_state, view, wrong_status
from .lists import list_object
from .records import Condition, Record, equals

TYPE = "payment_intent"
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation",
              "requires_action")  # fmt: skip
# Changed at any time; everything else only while the intent is open.
_ALWAYS_CHANGEABLE = ("description", "metadata", "receipt_email", "shipping", "transfer_group")


def new_body(amount: int, currency: str, created: int) -> JSON:
    """Return an intent without customer or method, with every field of the resource."""
    id = new_id("pi")
    return {
        "id": id,
        "object": TYPE,
        "allowed_payment_method_types": None,
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{id}_secret_{random_text(25)}",
        "confirmation_method": "automatic",
        "created": created,
        "currency": currency,
        "customer": None,
        "customer_account": None,
        "description": None,
        "excluded_payment_method_types": None,
        "hooks": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "managed_payments": None,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_details": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_record": None,
        "presentment_details": None,
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def create(call: Call) -> JSON:
    """Create an intent; with `confirm` try to pay at once, and answer 402 for a decline."""
    params = call.params
    check_create(params)
    body = new_body(params["amount"], params["currency"], call.now)
    apply(call.work, body, params)
    intent = Record(body["id"], TYPE, call.now, body)
    method = chosen_method(call.work, intent, params)
    if params.get("confirm") and method is None:
        raise invalid(
            "You must provide a payment method to confirm a PaymentIntent. Set"
            " payment_method or payment_method_data.",
            "payment_method",
            "payment_intent_unexpected_state",
        )
    manner = manner_of(intent, params) if params.get("confirm") else None
    _take(intent, method)
    intent = call.work.add(body)
    emit(call.work, "payment_intent.created", intent.shown())
    if manner is not None and method is not None:
        intent_settlement.attempt(call.work, intent, method, manner)
    return _answer(intent, call.publishable, attempted=manner is not None)


def retrieve(call: Call) -> JSON:
    """Answer an intent; a publishable key needs its client secret and sees less."""
    return view(_target(call), call.publishable)


def update(call: Call) -> JSON:
    """Change an intent; amount, currency, customer and method only while it is open."""
    intent, params = _target(call), call.params
    for name in params:
        if name not in _ALWAYS_CHANGEABLE and intent.body["status"] not in OPEN:
            raise unexpected_state(
                intent,
                f"This PaymentIntent's {name} could not be updated because it has a status of"
                f" {intent.body['status']}. You may only update the {name} of a PaymentIntent with"
                f" one of the following statuses: {', '.join(OPEN)}.",
                call.publishable,
            )
    apply(call.work, intent.body, params)
    method = chosen_method(call.work, intent, params)
    _take(intent, method)
    call.work.save(intent)
    return intent.shown()


def confirm(call: Call) -> JSON:
    """Try to pay; answer 402 for a decline, after which the intent can be confirmed again."""
    intent, params = _target(call), call.params
    _check_confirmable(intent, call.publishable)
    amount = params.get("amount_to_confirm", intent.body["amount"])
    if amount != intent.body["amount"]:
        raise invalid(
            f"The amount_to_confirm ({amount}) does not match the PaymentIntent's amount"
            f" ({intent.body['amount']}).",
            "amount_to_confirm",
        )
    apply(call.work, intent.body, params)
    method = chosen_method(call.work, intent, params) or _current_method(call.work, intent)
    if method is None:
        raise unexpected_state(
            intent,
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can"
            " either update the PaymentIntent with a payment method and then confirm it again, or"
            " confirm it again directly with a payment method or ConfirmationToken.",
            call.publishable,
        )
    manner = manner_of(intent, params)
    intent_settlement.attempt(call.work, intent, method, manner)
    return _answer(intent, call.publishable, attempted=True)


def cancel(call: Call) -> JSON:
    """Cancel an intent that has not been paid."""
    intent = _target(call)
    if intent.body["status"] not in CANCELABLE:
        raise wrong_status(intent, "cancel", CANCELABLE, call.publishable)
    reason = call.params.get("cancellation_reason")
    intent_settlement.cancel(call.work, intent, reason, "charge.refunded")
    return intent.shown()


def capture(call: Call) -> JSON:
    """Take authorised money, all of it or `amount_to_capture`."""
    intent, params = _target(call), call.params
    if intent.body["status"] != "requires_capture":
        raise wrong_status(intent, "capture", ("requires_capture",), call.publishable)
    for name in (
        "application_fee_amount",
        "final_capture",
        "hooks",
        "payment_details",
        "transfer_data",
    ):
        if name in params:
            raise invalid(f"fakestripe does not offer the parameter {name} of captures.", name)
    capturable: int = intent.body["amount_capturable"]
    amount: int = params.get("amount_to_capture", capturable)
    if not 1 <= amount <= capturable:
        raise invalid(
            f"The amount_to_capture ({amount}) must be from 1 to the amount_capturable"
            f" ({capturable}).",
            "amount_to_capture",
            "amount_too_large" if amount > 0 else "parameter_invalid_integer",
        )
    if "metadata" in params:
        intent.body["metadata"] = updated(intent.body["metadata"], params["metadata"])
    for name in ("statement_descriptor", "statement_descriptor_suffix"):
        if name in params:
            intent.body[name] = params[name]
    intent_settlement.capture(call.work, intent, amount)
    return intent.shown()


def list_all(call: Call) -> JSON:
    """List intents, by customer and time."""
    conditions: list[Condition] = []
    if "customer" in call.params:
        conditions.append(equals("customer", call.params["customer"]))
    return list_object(call.tx, TYPE, "/v1/payment_intents", call.params, *conditions)


def _target(call: Call) -> Record:
    """Return the intent of the path; a wrong client secret finds nothing, as at Stripe."""
    intent = call.target(TYPE, "intent")
    secret = call.params.get("client_secret")
    if call.publishable and secret is None:
        raise invalid(
            "Missing required param: client_secret.", "client_secret", "parameter_missing"
        )
    if secret is not None and secret != intent.body["client_secret"]:
        if call.publishable:
            raise not_found(TYPE, call.id, "intent")
        raise invalid(
            "The client_secret provided does not match the client_secret associated with"
            " the PaymentIntent.",
            "client_secret",
            "payment_intent_invalid_parameter",
        )
    return intent


def _check_confirmable(intent: Record, publishable: bool) -> None:
    status = intent.body["status"]
    if status in OPEN:
        return
    if status == "succeeded":
        raise unexpected_state(
            intent,
            "You cannot confirm this PaymentIntent because it has already succeeded after being"
            " previously confirmed.",
            publishable,
        )
    raise wrong_status(intent, "confirm", OPEN, publishable)


def _current_method(work: Work, intent: Record) -> Record | None:
    id = intent.body["payment_method"]
    if id is None:
        return None
    method = work.find("payment_method", id, "payment_method")
    check_method(intent, method)
    return method


def _take(intent: Record, method: Record | None) -> None:
    if method is not None:
        intent.body.update(
            payment_method=method.id, status="requires_confirmation", next_action=None
        )


def _answer(intent: Record, publishable: bool, *, attempted: bool) -> JSON:
    if attempted and intent.body["last_payment_error"] is not None:
        raise intent_settlement.card_error(intent, publishable)
    return public(intent) if publishable else intent.shown()


ENDPOINTS: list[Endpoint] = [
    Endpoint("POST", "/v1/payment_intents", PaymentIntentCreateParams, create),
    Endpoint("GET", "/v1/payment_intents", PaymentIntentListParams, list_all),
    Endpoint(
        "GET", "/v1/payment_intents/<id>", PaymentIntentRetrieveParams, retrieve, publishable=True
    ),
    Endpoint("POST", "/v1/payment_intents/<id>", PaymentIntentUpdateParams, update),
    Endpoint(
        "POST",
        "/v1/payment_intents/<id>/confirm",
        PaymentIntentConfirmParams,
        confirm,
        publishable=True,
        browser_params=browser_params(),
    ),
    Endpoint("POST", "/v1/payment_intents/<id>/cancel", PaymentIntentCancelParams, cancel),
    Endpoint("POST", "/v1/payment_intents/<id>/capture", PaymentIntentCaptureParams, capture),
]
