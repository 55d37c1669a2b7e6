"""`/v1/billing_portal/configurations`: what customers may do in the portal."""

from __future__ import annotations

from typing import Any

from stripe.params.billing_portal import (
    ConfigurationCreateParams,
    ConfigurationListParams,
    ConfigurationRetrieveParams,
    ConfigurationUpdateParams,
)

from ..account import Work
from ..call import Call, Endpoint, changed, updated
from ..errors import JSON, invalid
from ..events import emit
from ..ids import new_id, random_text
from ..lists import list_object
from ..records import Record, equals

TYPE = "billing_portal.configuration"
MAX_PRODUCTS = 10
_CUSTOMER_UPDATES = ("address", "email", "name", "phone", "shipping", "tax_id")


def create(call: Call) -> JSON:
    """Create a configuration; the account's first one becomes its default."""
    params = call.params
    features = _no_features()
    _apply_features(call.work, features, params["features"])
    body = _new_body(call.now, features)
    body["is_default"] = not call.tx.records.all(TYPE)
    _apply(call, body, params)
    record = call.work.add(body)
    emit(call.work, "billing_portal.configuration.created", record.shown())
    return record.shown()


def retrieve(call: Call) -> JSON:
    """Answer one configuration."""
    return call.target(TYPE, "configuration").shown()


def update(call: Call) -> JSON:
    """Change a configuration; features that are not named stay as they are."""
    record, params = call.target(TYPE, "configuration"), call.params
    before = record.shown()
    _apply_features(call.work, record.body["features"], params.get("features", {}))
    _apply(call, record.body, params)
    if "active" in params:
        if record.body["is_default"] and not params["active"]:
            raise invalid("The default configuration cannot be deactivated.", "active")
        record.body["active"] = params["active"]
    previous = changed(before, record.body)
    if previous:
        record.body["updated"] = call.now
        call.work.save(record)
        emit(call.work, "billing_portal.configuration.updated", record.shown(), previous)
    return record.shown()


def list_all(call: Call) -> JSON:
    """List configurations by activity and default."""
    names = ("active", "is_default")
    conditions = [equals(name, call.params[name]) for name in names if name in call.params]
    url = "/v1/billing_portal/configurations"
    return list_object(call.tx, TYPE, url, call.params, *conditions)


def chosen(work: Work, id: str | None) -> Record:
    """Return the named configuration or the default; raise Stripe's 400 without any."""
    if id is not None:
        record = work.find(TYPE, id, "configuration")
        if not record.body["active"]:
            raise invalid("This configuration is inactive.", "configuration")
        return record
    found = work.tx.records.all(TYPE, equals("is_default", True))
    if not found:
        raise invalid(
            "No configuration provided and your test mode default configuration has not been"
            " created. Provide a configuration or create your default by saving your customer"
            " portal settings in test mode at https://dashboard.stripe.com/test/settings/billing/"
            "portal.",
            "configuration",
        )
    return found[0]


def _apply(call: Call, body: JSON, params: JSON) -> None:
    for name in ("default_return_url", "name"):
        if name in params:
            body[name] = params[name]
    if "business_profile" in params:
        body["business_profile"].update(params["business_profile"] or {})
    if "login_page" in params:
        enabled = params["login_page"]["enabled"]
        url = f"{call.account.url}/p/login/test_{random_text(18)}"
        body["login_page"] = {"enabled": enabled, "url": url if enabled else None}
    if "metadata" in params:
        body["metadata"] = updated(body["metadata"], params["metadata"])


def _apply_features(work: Work, features: JSON, given: JSON) -> None:
    """Merge features; an unset list is an empty one."""
    for name, feature in given.items():
        for key, value in feature.items():
            if isinstance(value, dict) and isinstance(features[name].get(key), dict):
                features[name][key].update({k: [] if v is None else v for k, v in value.items()})
            else:
                features[name][key] = _value(name, key, value)
    _check(work, features)


def _value(name: str, key: str, value: Any) -> Any:
    if value is None:
        return None if key == "payment_method_configuration" else []
    if (name, key) == ("subscription_update", "products"):
        none: JSON = {"enabled": False, "maximum": None, "minimum": 1}
        return [{**p, "adjustable_quantity": {**none, **p.get("adjustable_quantity", {})}}
                for p in value]  # fmt: skip
    return value


def _check(work: Work, features: JSON) -> None:
    customer = features["customer_update"]
    if customer["enabled"] and not customer["allowed_updates"]:
        raise invalid("allowed_updates is required when customer_update is enabled.",
                      "features[customer_update][allowed_updates]")  # fmt: skip
    if features["subscription_cancel"]["proration_behavior"] == "always_invoice":
        raise invalid("proration_behavior always_invoice is not supported for cancellations.",
                      "features[subscription_cancel][proration_behavior]")  # fmt: skip
    _check_update(work, features["subscription_update"])


def _check_update(work: Work, feature: JSON) -> None:
    """Refuse unknown products, and prices that are another product's or not recurring."""
    name = "features[subscription_update]"
    if not feature["enabled"]:
        return
    if not feature["default_allowed_updates"]:
        raise invalid("default_allowed_updates is required when subscription_update is enabled.",
                      f"{name}[default_allowed_updates]")  # fmt: skip
    if feature["schedule_at_period_end"]["conditions"]:
        raise invalid(
            "fakestripe does not offer schedule_at_period_end: every change is made at once.",
            f"{name}[schedule_at_period_end]",
        )
    products = feature["products"] or []
    if not products:
        raise invalid("products is required when subscription_update is enabled.",
                      f"{name}[products]")  # fmt: skip
    if len(products) > MAX_PRODUCTS:
        raise invalid(f"You may list up to {MAX_PRODUCTS} products.", f"{name}[products]")
    for i, product in enumerate(products):
        where = f"{name}[products][{i}]"
        work.find("product", product["product"], f"{where}[product]")
        for id in product["prices"]:
            price = work.find("price", id, f"{where}[prices]").body
            if price["product"] != product["product"] or price["recurring"] is None:
                raise invalid(
                    f"The price {id} must be recurring and belong to the product"
                    f" {product['product']}.",
                    f"{where}[prices]",
                )


def _new_body(created: int, features: JSON) -> JSON:
    return {
        "id": new_id("bpc"),
        "object": TYPE,
        "active": True,
        "application": None,
        "business_profile": dict.fromkeys(
            ("headline", "privacy_policy_url", "terms_of_service_url")
        ),
        "created": created,
        "default_return_url": None,
        "features": features,
        "is_default": False,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": {},
        "name": None,
        "updated": created,
    }


def _no_features() -> JSON:
    return {
        "customer_update": {"allowed_updates": [], "enabled": False},
        "invoice_history": {"enabled": False},
        "payment_method_update": {"enabled": False, "payment_method_configuration": None},
        "subscription_cancel": {
            "cancellation_reason": {"enabled": False, "feedback_options": [], "options": []},
            "enabled": False,
            "mode": "at_period_end",
            "proration_behavior": "none",
        },
        "subscription_pause": {
            "duration": {"interval_options": [], "type": "indefinite"}, "enabled": False,
        },
        "subscription_update": {
            "billing_cycle_anchor": None,
            "default_allowed_updates": [],
            "enabled": False,
            "products": [],
            "proration_behavior": "none",
            "schedule_at_period_end": {"conditions": []},
            "trial_update_behavior": "end_trial",
        },
    }  # fmt: skip


ENDPOINTS: list[Endpoint] = [
    Endpoint("POST", "/v1/billing_portal/configurations", ConfigurationCreateParams, create),
    Endpoint("GET", "/v1/billing_portal/configurations", ConfigurationListParams, list_all),
    Endpoint(
        "GET", "/v1/billing_portal/configurations/<id>", ConfigurationRetrieveParams, retrieve
    ),
    Endpoint("POST", "/v1/billing_portal/configurations/<id>", ConfigurationUpdateParams, update),
]
