"""What may be said about a payment intent when it is created, updated or confirmed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stripe.params import PaymentIntentConfirmParams, PaymentMethodCreateParamsCard

from . import payment_methods
from .account import Work
from .call import updated
from .currencies import check_amount, checked_currency
from .errors import JSON, invalid, no_such_reference
from .intent_settlement import Manner
from .params import Shape, fields_of
from .records import Record

# Declared by the SDK, but about parts of Stripe (Connect, hooks, …) that the stand-in lacks.
_NOT_OFFERED = (
    "application_fee_amount", "confirmation_token", "customer_account", "hooks", "mandate",
    "on_behalf_of", "payment_details", "transfer_data",
)  # fmt: skip
_PLAIN = (
    "capture_method", "description", "receipt_email", "setup_future_usage", "statement_descriptor",
    "statement_descriptor_suffix", "transfer_group",
)  # fmt: skip
_ONLY_WITH_CONFIRM = (
    "error_on_requires_action", "mandate_data", "off_session", "radar_options", "return_url",
    "use_stripe_sdk",
)  # fmt: skip
_EXCLUSIVE = (
    "allowed_payment_method_types", "excluded_payment_method_types", "automatic_payment_methods",
    "payment_method_configuration",
)  # fmt: skip
_BY_CURRENCY = {"usd": ("card", "us_bank_account"), "eur": ("card", "sepa_debit")}
_OPTIONS: dict[str, JSON] = {
    "card": {
        "installments": None,
        "mandate_options": None,
        "network": None,
        "request_three_d_secure": "automatic",
    },
    "us_bank_account": {"verification_method": "automatic"},
    "sepa_debit": {},
}


def check_create(params: JSON) -> None:
    """Refuse parameters that do not go together, or that only make sense with `confirm`."""
    if not params.get("confirm"):
        for name in _ONLY_WITH_CONFIRM:
            if name in params:
                raise invalid(f"You can only set `{name}` when `confirm` is true.", name)
    given = [name for name in _EXCLUSIVE if name in params]
    if len(given) > 1 and given[0] == "allowed_payment_method_types":
        raise invalid(
            f"You may only specify one of these parameters: {', '.join(given)}.", given[1]
        )
    if params.get("confirmation_method") == "manual":
        raise invalid(
            "fakestripe offers confirmation_method automatic only.", "confirmation_method"
        )


def apply(work: Work, body: JSON, params: JSON) -> None:
    """Write checked parameters into an intent's body; raise Stripe's error for a bad one."""
    for name in _NOT_OFFERED:
        if name in params:
            raise invalid(
                f"fakestripe does not offer the parameter {name} of payment intents.", name
            )
    if params.get("payment_method_configuration"):
        raise no_such_reference(
            "payment_method_configuration",
            params["payment_method_configuration"],
            "payment_method_configuration",
        )
    if "currency" in params:
        body["currency"] = checked_currency(params["currency"])
    if "amount" in params:
        body["amount"] = params["amount"]
    if "amount" in params or "currency" in params:
        check_amount(body["amount"], body["currency"])
    if params.get("customer"):
        body["customer"] = work.find("customer", params["customer"], "customer").id
    _apply_plain(body, params)
    _apply_methods(body, params)


def _apply_plain(body: JSON, params: JSON) -> None:
    for name in _PLAIN:
        if name in params:
            body[name] = params[name]
    if "metadata" in params:
        body["metadata"] = updated(body["metadata"], params["metadata"])
    if "shipping" in params:
        body["shipping"] = _shipping(params["shipping"])
    if "amount_details" in params:
        body["amount_details"] = {"tip": {}, **(params["amount_details"] or {})}


def _apply_methods(body: JSON, params: JSON) -> None:
    """Work out which payment method types the intent takes, from the currency and the filters."""
    automatic: JSON | None = params.get("automatic_payment_methods")
    if automatic is not None:
        redirects = automatic.get("allow_redirects", "always")
        enabled = {"allow_redirects": redirects, "enabled": True}
        body["automatic_payment_methods"] = enabled if automatic["enabled"] else None
    types = list(_BY_CURRENCY.get(body["currency"], ("card",)))
    for name in ("allowed_payment_method_types", "excluded_payment_method_types"):
        if name in params:
            body[name] = params[name]
    if body["allowed_payment_method_types"]:
        body["automatic_payment_methods"] = None
        types = [type for type in types if type in body["allowed_payment_method_types"]]
    elif body["automatic_payment_methods"] is None:
        types = ["card"]
    excluded = body["excluded_payment_method_types"] or []
    body["payment_method_types"] = [type for type in types if type not in excluded]
    if not body["payment_method_types"]:
        raise invalid(
            "No valid payment method types for this Payment Intent. Please ensure that"
            " you have activated payment methods compatible with your chosen currency."
        )
    if body["capture_method"] == "manual":
        body["payment_method_types"] = ["card"]
    given: JSON = params.get("payment_method_options", {})
    body["payment_method_options"] = {
        type: {
            **_OPTIONS[type],
            **(body["payment_method_options"] or {}).get(type, {}),
            **(given.get(type) or {}),
        }
        for type in body["payment_method_types"]
    }


def chosen_method(work: Work, intent: Record, params: JSON) -> Record | None:
    """Return the payment method that the parameters name or describe, None without any."""
    if "payment_method" in params and "payment_method_data" in params:
        raise invalid(
            "You may only specify one of these parameters: payment_method, payment_method_data.",
            "payment_method_data",
        )
    if "payment_method_data" in params:
        method = payment_methods.build(work, params["payment_method_data"], "payment_method_data")
    elif params.get("payment_method"):
        method = payment_methods.resolve(work, params["payment_method"], "payment_method")
    else:
        return None
    check_method(intent, method)
    return method


def check_method(intent: Record, method: Record) -> None:
    """Refuse a method of another customer, one used up, or one of a type not taken here."""
    owner, customer = method.body["customer"], intent.body["customer"]
    if owner is not None and owner != customer:
        raise invalid(
            f"The PaymentMethod {method.id} does not belong to the Customer you supplied"
            f" {customer}. Please use this PaymentMethod with the Customer that it belongs to"
            " instead."
            if customer
            else f"The PaymentMethod {method.id} belongs to the Customer {owner}. Please include"
            " the Customer in the `customer` parameter on the PaymentIntent.",
            "payment_method",
        )
    payment_methods.check_unused(method)
    types = intent.body["payment_method_types"]
    if method.body["type"] not in types:
        raise invalid(
            f"The PaymentMethod provided ({method.body['type']}) is not allowed for this"
            " PaymentIntent. Please attach a PaymentMethod of one of the following types:"
            f" {', '.join(types)}.",
            "payment_method",
            "payment_intent_incompatible_payment_method",
        )


def manner_of(intent: Record, params: JSON) -> Manner:
    """Return how the intent is confirmed; raise Stripe's error for a missing return_url."""
    manner = Manner(
        off_session=bool(params.get("off_session", False)),
        use_stripe_sdk=params.get("use_stripe_sdk", False),
        error_on_requires_action=params.get("error_on_requires_action", False),
        return_url=params.get("return_url"),
    )
    automatic: dict[str, Any] | None = intent.body["automatic_payment_methods"]
    redirects = automatic is not None and automatic["allow_redirects"] == "always"
    if redirects and not manner.return_url and not manner.off_session:
        raise invalid(
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard."
            " Because some of these payment methods might redirect your customer off of your page,"
            " you must provide a `return_url`. If you don't want to accept redirect-based payment"
            " methods, set `automatic_payment_methods[enabled]` to `true` and"
            " `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents"
            " and Payment Intents.",
            "return_url",
            "payment_intent_redirect_confirmation_without_return_url",
        )
    if manner.return_url and "://" not in manner.return_url:
        raise invalid("Not a valid URL", "return_url", "url_invalid")
    return manner


def _shipping(given: JSON | None) -> JSON | None:
    if given is None:
        return None
    address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    shown = dict.fromkeys(("carrier", "name", "phone", "tracking_number"))
    return {**shown, **given, "address": {**address, **given.get("address", {})}}


def browser_params() -> dict[str, Shape]:
    """Return what Stripe.js sends besides: the client secret and raw card details.

    The SDK, made for servers, declares neither for this call.
    """
    data = fields_of(PaymentIntentConfirmParams).shapes["payment_method_data"]
    assert data.hash_of is not None
    type = fields_of(data.hash_of).shapes["type"]
    with_card = (
        ("type", replace(type, choices=("card", *type.choices))),
        ("card", Shape(hash_of=PaymentMethodCreateParamsCard)),
    )
    return {"client_secret": Shape(text=True), "payment_method_data": replace(data, more=with_card)}
