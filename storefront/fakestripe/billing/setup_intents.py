"""`/v1/setup_intents`: a card saved without a payment, as Checkout and the portal make them."""

from __future__ import annotations

from stripe.params import SetupIntentListParams, SetupIntentRetrieveParams

from .. import payment_methods
from ..account import Work
from ..call import Call, Endpoint
from ..errors import JSON
from ..events import emit
from ..ids import new_id, random_text
from ..lists import list_object
from ..records import Record, equals

TYPE = "setup_intent"


def succeed(work: Work, method: Record, customer: str | None, given: JSON) -> Record:
    """Save a card for off-session use, with its events; raise the bank's refusal (402)."""
    body = _new_body(work, method.id, customer)
    body["description"] = given.get("description")
    body["metadata"] = given.get("metadata", {})
    if customer is not None:
        payment_methods.attach_to(work, method, customer)
    method.private["set_up"] = True
    work.save(method)
    intent = work.add(body)
    emit(work, "setup_intent.created", {**intent.shown(), "status": "requires_payment_method"})
    emit(work, "setup_intent.succeeded", intent.shown())
    return intent


def retrieve(call: Call) -> JSON:
    """Answer one setup intent."""
    return call.target(TYPE, "intent").shown()


def list_all(call: Call) -> JSON:
    """List setup intents by customer or payment method."""
    names = ("customer", "payment_method")
    conditions = [equals(name, call.params[name]) for name in names if name in call.params]
    return list_object(call.tx, TYPE, "/v1/setup_intents", call.params, *conditions)


def _new_body(work: Work, method: str, customer: str | None) -> JSON:
    id = new_id("seti")
    empty = dict.fromkeys(
        ("allowed_payment_method_types", "application", "attach_to_self", "cancellation_reason",
         "customer_account", "description", "excluded_payment_method_types", "flow_directions",
         "last_setup_error", "latest_attempt", "managed_payments", "mandate", "next_action",
         "on_behalf_of", "payment_method_configuration_details", "single_use_mandate")
    )  # fmt: skip
    return {
        "id": id,
        "object": TYPE,
        **empty,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "client_secret": f"{id}_secret_{random_text(25)}",
        "created": work.now,
        "customer": customer,
        "livemode": False,
        "metadata": {},
        "payment_method": method,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "status": "succeeded",
        "usage": "off_session",
    }


ENDPOINTS: list[Endpoint] = [
    Endpoint("GET", "/v1/setup_intents", SetupIntentListParams, list_all),
    Endpoint("GET", "/v1/setup_intents/<id>", SetupIntentRetrieveParams, retrieve),
]
