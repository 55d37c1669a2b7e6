"""`/v1/subscription_items`: the parts of a subscription, one by one."""

from __future__ import annotations

from stripe.params import (
    SubscriptionItemCreateParams,
    SubscriptionItemDeleteParams,
    SubscriptionItemListParams,
    SubscriptionItemRetrieveParams,
    SubscriptionItemUpdateParams,
)

from ..call import Call, Endpoint
from ..errors import JSON, invalid, not_found
from ..lists import as_list
from ..records import Condition, Record
from . import subscription_change
from .refusals import refuse_not_offered
from .subscription_body import TYPE, item_of, items_of
from .subscription_change import Wish

_WITH_ITEM = (
    "EXISTS (SELECT 1 FROM json_each(body, '$.items.data') WHERE json_extract(value, '$.id') = ?)"
)
_CHANGEABLE = ("price", "quantity", "metadata")
_NOT_OFFERED = ("billing_thresholds", "current_trial", "discounts", "plan", "price_data",
                "tax_rates")  # fmt: skip


def create(call: Call) -> JSON:
    """Add a price to a subscription."""
    refuse_not_offered(call.params, _NOT_OFFERED, "subscription items")
    subscription = call.work.find(TYPE, call.params["subscription"], "subscription")
    known = {item["id"] for item in items_of(subscription.body)}
    _change(call, subscription, {k: call.params[k] for k in _CHANGEABLE if k in call.params})
    return next(item for item in items_of(subscription.body) if item["id"] not in known)


def retrieve(call: Call) -> JSON:
    """Answer one item."""
    return _target(call)[1]


def update(call: Call) -> JSON:
    """Change an item's price, quantity or metadata."""
    refuse_not_offered(call.params, _NOT_OFFERED, "subscription items")
    subscription, item = _target(call)
    given: JSON = {k: call.params[k] for k in _CHANGEABLE if k in call.params}
    _change(call, subscription, {"id": item["id"], **given})
    found = item_of(subscription.body, item["id"])
    assert found is not None
    return found


def delete(call: Call) -> JSON:
    """Remove an item from a subscription that has others."""
    subscription, item = _target(call)
    _change(call, subscription, {"id": item["id"], "deleted": True})
    return {"id": item["id"], "object": "subscription_item", "deleted": True}


def list_all(call: Call) -> JSON:
    """List the items of a subscription."""
    subscription = call.work.find(TYPE, call.params["subscription"], "subscription")
    items = items_of(subscription.body)
    ids = [item["id"] for item in items]
    after, limit = call.params.get("starting_after"), call.params.get("limit", 10)
    if after is not None and after not in ids:
        raise invalid(f"No such subscription item: '{after}'", "starting_after")
    rest = items[ids.index(after) + 1 :] if after else items
    return as_list(rest[:limit], "/v1/subscription_items", len(rest) > limit)


def _change(call: Call, subscription: Record, given: JSON) -> None:
    params = call.params
    wish = Wish([given], params.get("proration_behavior", "create_prorations"),
                params.get("proration_date", call.now))  # fmt: skip
    planned = subscription_change.plan(call.work, subscription, wish)
    payment = params.get("payment_behavior", "allow_incomplete")
    subscription_change.make(call.work, subscription, planned, payment=payment)


def _target(call: Call) -> tuple[Record, JSON]:
    found = call.tx.records.all(TYPE, Condition(_WITH_ITEM, (call.id,)))
    item = item_of(found[0].body, call.id) if found else None
    if item is None:
        raise not_found("subscription_item", call.id, "item")
    return found[0], item


ENDPOINTS: list[Endpoint] = [
    Endpoint("POST", "/v1/subscription_items", SubscriptionItemCreateParams, create),
    Endpoint("GET", "/v1/subscription_items", SubscriptionItemListParams, list_all),
    Endpoint("GET", "/v1/subscription_items/<id>", SubscriptionItemRetrieveParams, retrieve),
    Endpoint("POST", "/v1/subscription_items/<id>", SubscriptionItemUpdateParams, update),
    Endpoint("DELETE", "/v1/subscription_items/<id>", SubscriptionItemDeleteParams, delete),
]
