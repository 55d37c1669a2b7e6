"""`/v1/prices`: an amount and how often it is due. The amount of a price never changes."""

from __future__ import annotations

from stripe.params import PriceCreateParams, PriceListParams, PriceRetrieveParams, PriceUpdateParams

from ..account import Work
from ..call import Call, Endpoint, changed, updated
from ..currencies import checked_currency
from ..errors import JSON, invalid
from ..events import emit
from ..ids import new_id
from ..lists import list_object
from ..records import Record, equals, one_of
from . import products
from .refusals import exactly_one, refuse_not_offered

TYPE = "price"
MAX_LOOKUP_KEYS = 10
_LONGEST_INTERVAL = {"day": 1095, "week": 156, "month": 36, "year": 3}  # three years
_NOT_OFFERED = (
    "currency_options", "custom_unit_amount", "tiers", "tiers_mode", "transform_quantity",
    "unit_amount_decimal",
)  # fmt: skip


def new_body(product: str, currency: str, unit_amount: int, created: int) -> JSON:
    """Return an active one-time price in minor units, with every field of the resource."""
    return {
        "id": new_id("price"),
        "object": TYPE,
        "active": True,
        "billing_scheme": "per_unit",
        "created": created,
        "currency": currency,
        "currency_options": None,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": product,
        "recurring": None,
        "tax_behavior": "unspecified",
        "tiers": None,
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": unit_amount,
        "unit_amount_decimal": str(unit_amount),
    }


def create(call: Call) -> JSON:
    """Create a price for a product, which may be described in the same call."""
    return add(call.work, call.params).shown()


def add(work: Work, params: JSON) -> Record:
    """Store a new price, with its event."""
    refuse_not_offered(params, _NOT_OFFERED, "prices")
    _check_scheme(params)
    if exactly_one(params, ("product", "product_data"), "product") == "product":
        product = work.find("product", params["product"], "product")
    else:
        product = products.add(work, params["product_data"])
    body = new_body(
        product.id, checked_currency(params["currency"]), params["unit_amount"], work.now
    )
    if "recurring" in params:
        body.update(type="recurring", recurring=_recurring(params["recurring"]))
    body["active"] = params.get("active", True)
    _apply(work, body, params)
    record = work.add(body)
    emit(work, "price.created", record.shown())
    return record


def retrieve(call: Call) -> JSON:
    """Answer one price."""
    return call.target(TYPE, TYPE).shown()


def update(call: Call) -> JSON:
    """Change everything but the amount, the currency and the interval."""
    refuse_not_offered(call.params, ("currency_options",), "prices")
    record = call.target(TYPE, TYPE)
    before = record.shown()
    if "active" in call.params:
        _refuse_archiving_the_default(call, record)
        record.body["active"] = call.params["active"]
    _apply(call.work, record.body, call.params)
    previous = changed(before, record.body)
    if previous:
        call.work.save(record)
        emit(call.work, "price.updated", record.shown(), previous)
    return record.shown()


def list_all(call: Call) -> JSON:
    """List prices by product, currency, activity, type, interval or lookup keys."""
    params = call.params
    names = ("active", "currency", "product", "type")
    conditions = [equals(name, params[name]) for name in names if name in params]
    conditions += [equals(f"recurring.{k}", v) for k, v in params.get("recurring", {}).items()]
    keys = params.get("lookup_keys")
    if keys is not None:
        if len(keys) > MAX_LOOKUP_KEYS:
            raise invalid(f"You may pass up to {MAX_LOOKUP_KEYS} lookup keys.", "lookup_keys")
        conditions.append(one_of("lookup_key", keys))
    return list_object(call.tx, TYPE, "/v1/prices", params, *conditions)


def _refuse_archiving_the_default(call: Call, price: Record) -> None:
    product = call.work.find("product", price.body["product"], "product")
    if not call.params["active"] and product.body["default_price"] == price.id:
        raise invalid(
            "This price cannot be archived because it is the default price of its product.",
            "active",
        )


def _check_scheme(params: JSON) -> None:
    if params.get("billing_scheme", "per_unit") != "per_unit":
        raise invalid("fakestripe offers billing_scheme per_unit only.", "billing_scheme")
    if "unit_amount" not in params:
        raise invalid("Missing required param: unit_amount.", "unit_amount", "parameter_missing")
    if params["unit_amount"] < 0:
        raise invalid(
            "This value must be greater than or equal to 0.",
            "unit_amount",
            "parameter_invalid_integer",
        )


def _recurring(given: JSON) -> JSON:
    interval, count = given["interval"], given.get("interval_count", 1)
    refuse_not_offered(given, ("meter", "trial_period_days"), "recurring prices")
    if given.get("usage_type", "licensed") != "licensed":
        raise invalid("fakestripe offers usage_type licensed only.", "recurring[usage_type]")
    if not 1 <= count <= _LONGEST_INTERVAL[interval]:
        raise invalid(
            "The maximum billing interval is three years.",
            "recurring[interval_count]",
            "parameter_invalid_integer",
        )
    return {
        "interval": interval,
        "interval_count": count,
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def _apply(work: Work, body: JSON, params: JSON) -> None:
    for name in ("nickname", "tax_behavior"):
        if name in params:
            body[name] = params[name]
    if "metadata" in params:
        body["metadata"] = updated(body["metadata"], params["metadata"])
    if "lookup_key" in params:
        _take_lookup_key(work, body, params)


def _take_lookup_key(work: Work, body: JSON, params: JSON) -> None:
    """Give the price a key; another price keeps it unless `transfer_lookup_key` is set."""
    key = params["lookup_key"]
    owners = work.tx.records.all(TYPE, equals("lookup_key", key))
    for owner in (record for record in owners if record.id != body["id"]):
        if not params.get("transfer_lookup_key"):
            raise invalid(
                f"A price (`{owner.id}`) already uses that lookup key (`{key}`)."
                " To transfer it, pass `transfer_lookup_key`.",
                "lookup_key",
            )
        owner.body["lookup_key"] = None
        work.save(owner)
        emit(work, "price.updated", owner.shown(), {"lookup_key": key})
    body["lookup_key"] = key


ENDPOINTS: list[Endpoint] = [
    Endpoint("POST", "/v1/prices", PriceCreateParams, create),
    Endpoint("GET", "/v1/prices", PriceListParams, list_all),
    Endpoint("GET", "/v1/prices/<id>", PriceRetrieveParams, retrieve),
    Endpoint("POST", "/v1/prices/<id>", PriceUpdateParams, update),
]
