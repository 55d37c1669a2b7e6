"""What a Checkout Session is created from: checked, and written into the session's body."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from ..account import Work
from ..call import updated
from ..errors import JSON, invalid
from ..ids import new_id
from .refusals import refuse_not_offered
from .subscription_params import NOT_OFFERED as NOT_OFFERED_OF_SUBSCRIPTIONS
from .subscription_start import trial_end

TYPE = "checkout.session"
SHORTEST_SECONDS = 30 * 60
LONGEST_SECONDS = 24 * 3600
_NOT_OFFERED = (
    "after_expiration", "branding_settings", "customer_account", "custom_fields",
    "managed_payments", "name_collection", "optional_items", "payment_method_configuration",
    "return_url", "shipping_address_collection", "shipping_options",
)  # fmt: skip
# Taken as they are and shown again; the stand-in's page does nothing with them.
_ECHOED = (
    "billing_address_collection", "cancel_url", "client_reference_id", "integration_identifier",
    "locale", "origin_context", "submit_type", "allowed_payment_method_types",
    "excluded_payment_method_types", "success_url",
)  # fmt: skip


def check(params: JSON) -> None:
    """Refuse what the stand-in lacks and what does not go together."""
    refuse_not_offered(params, _NOT_OFFERED, "Checkout Sessions")
    mode = params.get("mode")
    if mode is None:
        raise invalid("Missing required param: mode.", "mode", "parameter_missing")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise invalid("fakestripe offers ui_mode hosted_page only.", "ui_mode")
    if "success_url" not in params:
        raise invalid("Missing required param: success_url.", "success_url", "parameter_missing")
    for name in ("success_url", "cancel_url"):
        _check_url(params.get(name), name)
    if "customer" in params and "customer_email" in params:
        raise invalid(
            "You may only specify one of these parameters: customer, customer_email.",
            "customer_email",
        )
    if params.get("allow_promotion_codes") and params.get("discounts"):
        raise invalid(
            "You may only specify one of these parameters: allow_promotion_codes, discounts.",
            "discounts",
        )
    if len(params.get("discounts", [])) > 1:
        raise invalid("You may pass at most one discount.", "discounts")
    _check_mode(params, mode)


def _check_mode(params: JSON, mode: str) -> None:
    """Refuse parameters that belong to another mode."""
    belongs = {
        "payment_intent_data": ("payment",), "invoice_creation": ("payment",),
        "subscription_data": ("subscription",), "setup_intent_data": ("setup",),
        "customer_creation": ("payment", "setup"), "payment_method_collection": ("subscription",),
        "discounts": ("payment", "subscription"), "submit_type": ("payment", "subscription"),
    }  # fmt: skip
    for name, modes in belongs.items():
        if name in params and mode not in modes:
            raise invalid(f"You can not pass `{name}` in `{mode}` mode.", name)
    if mode != "setup" and not params.get("line_items"):
        raise invalid("Missing required param: line_items.", "line_items", "parameter_missing")
    if mode == "setup" and "line_items" in params:
        raise invalid("You can not pass `line_items` in `setup` mode.", "line_items")
    if params.get("invoice_creation", {}).get("enabled"):
        raise invalid("fakestripe does not offer invoice_creation.", "invoice_creation")
    refused = ("application_fee_amount", "on_behalf_of", "transfer_data")
    refuse_not_offered(params.get("payment_intent_data", {}), refused, "payment_intent_data")
    data = params.get("subscription_data", {})
    refuse_not_offered(data, NOT_OFFERED_OF_SUBSCRIPTIONS, "subscription_data")


def _check_url(url: str | None, name: str) -> None:
    if url is not None and urlsplit(url).scheme not in ("http", "https"):
        raise invalid("Not a valid URL", name, "url_invalid")


def expiry(params: JSON, now: int) -> int:
    """Return when the session ends by itself: 30 minutes to 24 hours from now."""
    moment = int(params.get("expires_at", now + LONGEST_SECONDS))
    if not now + SHORTEST_SECONDS <= moment <= now + LONGEST_SECONDS:
        raise invalid(
            "The `expires_at` timestamp must be less than 24 hours and at least 30 minutes from"
            " Checkout Session creation.",
            "expires_at",
        )
    return moment


def new_body(work: Work, params: JSON) -> JSON:
    """Return an open session without amounts, with every field of the resource."""
    id = new_id("cs_test")
    mode = params["mode"]
    body = _blank(id, work)
    for name in _ECHOED:
        if name in params:
            body[name] = params[name]
    body.update(
        allow_promotion_codes=params.get("allow_promotion_codes"),
        automatic_tax=_tax(params.get("automatic_tax", {})),
        consent_collection=_consent(params.get("consent_collection")),
        expires_at=expiry(params, work.now),
        metadata=updated({}, params.get("metadata")),
        mode=mode,
        phone_number_collection={
            "enabled": params.get("phone_number_collection", {}).get("enabled", False)
        },
        url=f"{work.account.url}/c/pay/{id}",
    )
    if mode == "subscription":
        trial_end(params.get("subscription_data", {}), work.now, "subscription_data[{}]")
        body["payment_method_collection"] = params.get("payment_method_collection", "always")
    if mode != "subscription" and "customer" not in params:
        body["customer_creation"] = params.get("customer_creation", "if_required")
    _saved_methods(body, params.get("saved_payment_method_options"))
    return body


def _saved_methods(body: JSON, given: JSON | None) -> None:
    options: dict[str, Any] = {
        "allow_redisplay_filters": ["always"],
        "payment_method_remove": "disabled",
        "payment_method_save": None,
    }
    body["saved_payment_method_options"] = {**options, **(given or {})}


def _tax(given: JSON) -> JSON:
    """The stand-in computes no tax: with automatic tax it is complete and zero."""
    enabled = given.get("enabled", False)
    return {
        "enabled": enabled,
        "liability": {"account": None, "type": "self"} if enabled else None,
        "provider": "stripe" if enabled else None,
        "status": "complete" if enabled else None,
    }


def _consent(given: JSON | None) -> JSON | None:
    names = ("payment_method_reuse_agreement", "promotions", "terms_of_service")
    return None if given is None else {**dict.fromkeys(names), **given}


def _blank(id: str, work: Work) -> JSON:
    empty = dict.fromkeys(
        ("after_expiration", "allow_promotion_codes", "allowed_payment_method_types",
         "amount_subtotal", "amount_total", "billing_address_collection", "cancel_url",
         "client_reference_id", "client_secret", "collected_information", "consent",
         "consent_collection", "currency", "currency_conversion", "customer", "customer_account",
         "customer_creation", "customer_details", "customer_email",
         "excluded_payment_method_types", "integration_identifier", "invoice", "invoice_creation",
         "line_items", "locale", "managed_payments", "name_collection", "optional_items",
         "origin_context", "payment_intent", "payment_link", "payment_method_collection",
         "payment_method_configuration_details", "permissions", "presentment_details",
         "recovered_from", "redirect_on_completion", "return_url", "setup_intent",
         "shipping_address_collection", "shipping_cost", "submit_type", "subscription",
         "success_url", "tax_id_collection", "total_details", "wallet_options")
    )  # fmt: skip
    texts = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
    return {
        "id": id,
        "object": TYPE,
        **empty,
        "adaptive_pricing": {"enabled": False},
        "branding_settings": None,
        "created": work.now,
        "custom_fields": [],
        "custom_text": dict.fromkeys(texts),
        "discounts": [],
        "livemode": False,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "shipping_options": [],
        "status": "open",
        "ui_mode": "hosted_page",
    }
