"""`/v1/billing_portal/sessions`: a short-lived door to the portal for one customer."""

from __future__ import annotations

from stripe.params.billing_portal import SessionCreateParams

from ..account import Work
from ..call import Call, Endpoint
from ..errors import JSON, invalid
from ..events import emit
from ..ids import new_id
from ..records import Record
from . import portal_configurations
from .refusals import refuse_not_offered
from .subscription_body import ENDED, item_of, items_of

TYPE = "billing_portal.session"
# The feature that each flow needs to be switched on.
_FEATURES = {
    "customer_update": "customer_update",
    "payment_method_update": "payment_method_update",
    "subscription_cancel": "subscription_cancel",
    "subscription_pause": "subscription_pause",
    "subscription_update": "subscription_update",
    "subscription_update_confirm": "subscription_update",
}


def create(call: Call) -> JSON:
    """Create a session, for the whole portal or for one flow of it."""
    work, params = call.work, call.params
    refuse_not_offered(params, ("customer_account", "on_behalf_of", "after_expiration"),
                       "portal sessions")  # fmt: skip
    if "customer" not in params:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    customer = work.find("customer", params["customer"], "customer")
    configuration = portal_configurations.chosen(work, params.get("configuration"))
    flow = None
    if "flow_data" in params:
        flow = _flow(work, customer.id, configuration, params["flow_data"])
    back = params.get("return_url", configuration.body["default_return_url"])
    if back is None:
        raise invalid("You must provide a return_url, or set a default_return_url in the"
                      " configuration.", "return_url")  # fmt: skip
    id = new_id("bps")
    record = work.add(
        {
            "id": id,
            "object": TYPE,
            "after_expiration": None,
            "configuration": configuration.id,
            "created": call.now,
            "customer": customer.id,
            "customer_account": None,
            "flow": flow,
            "livemode": False,
            "locale": params.get("locale"),
            "on_behalf_of": None,
            "return_url": back,
            "url": f"{call.account.url}/p/session/{id}",
        },
        {"used": call.now},
    )
    emit(work, "billing_portal.session.created", record.shown())
    return record.shown()


def _flow(work: Work, customer: str, configuration: Record, given: JSON) -> JSON:
    """Return the flow that was asked for, with every type's field; refuse an impossible one."""
    type = given["type"]
    feature = configuration.body["features"][_FEATURES[type]]
    if not feature["enabled"]:
        raise invalid(
            f"This flow needs the feature {_FEATURES[type]}, which is disabled in the portal"
            " configuration.",
            "flow_data[type]",
        )
    parts = dict.fromkeys(name for name in _FEATURES if name != "payment_method_update")
    if type in parts:
        if type not in given and type != "customer_update":
            name = f"flow_data[{type}]"
            raise invalid(f"Missing required param: {name}.", name, "parameter_missing")
        parts[type] = given.get(type, {})
    details: JSON = given.get(type, {})
    if "subscription" in details:
        _check_subscription(work, customer, details["subscription"], f"flow_data[{type}]")
    if type == "subscription_update_confirm":
        parts[type] = _confirmed(work, feature, details)
    if type == "subscription_cancel":
        parts[type] = {"retention": None, **details}
    return {"after_completion": _after(given.get("after_completion")), **parts, "type": type}


def _check_subscription(work: Work, customer: str, id: str, param: str) -> None:
    subscription = work.find("subscription", id, f"{param}[subscription]").body
    if subscription["customer"] != customer:
        raise invalid(f"The subscription {id} does not belong to the customer {customer}.",
                      f"{param}[subscription]")  # fmt: skip
    if subscription["status"] in ENDED:
        raise invalid("This subscription cannot be changed because it is already canceled.",
                      f"{param}[subscription]")  # fmt: skip
    if param == "flow_data[subscription_cancel]" and subscription["cancel_at"] is not None:
        raise invalid("This subscription is already set to be canceled at period end.",
                      f"{param}[subscription]")  # fmt: skip


def _confirmed(work: Work, feature: JSON, given: JSON) -> JSON:
    """Check the one change that the customer is to confirm."""
    param = "flow_data[subscription_update_confirm]"
    subscription = work.find("subscription", given["subscription"], f"{param}[subscription]").body
    if len(given["items"]) != 1 or len(items_of(subscription)) != 1:
        raise invalid("Exactly one item of a subscription with one item can be updated.",
                      f"{param}[items]")  # fmt: skip
    wanted = given["items"][0]
    item = item_of(subscription, wanted["id"])
    if item is None:
        raise invalid(f"No such subscription item: '{wanted['id']}'", f"{param}[items][0][id]",
                      "resource_missing")  # fmt: skip
    price, quantity = wanted.get("price", item["price"]["id"]), wanted.get("quantity")
    listed = [id for product in feature["products"] or [] for id in product["prices"]]
    if price not in listed:
        raise invalid(
            f"Price {price} cannot be updated to because it is not in the portal configuration's"
            " `features[subscription_update][products]`.",
            f"{param}[items][0][price]",
        )
    if price == item["price"]["id"] and quantity in (None, item["quantity"]):
        raise invalid("The subscription update would make no change.", f"{param}[items]")
    shown = {"id": item["id"], "price": price, "quantity": quantity or item["quantity"]}
    offs = [{"coupon": None, "promotion_code": None, **d} for d in given.get("discounts", [])]
    return {"discounts": offs or None, "items": [shown], "subscription": subscription["id"]}


def _after(given: JSON | None) -> JSON:
    after = given or {"type": "portal_homepage"}
    if after["type"] == "redirect" and "redirect" not in after:
        name = "flow_data[after_completion][redirect]"
        raise invalid(f"Missing required param: {name}.", name, "parameter_missing")
    return {"hosted_confirmation": None, "redirect": None, **after}


ENDPOINTS: list[Endpoint] = [
    Endpoint("POST", "/v1/billing_portal/sessions", SessionCreateParams, create)
]
