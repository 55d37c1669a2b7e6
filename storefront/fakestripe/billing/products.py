"""`/v1/products`: what is sold; what it costs is in its prices."""

from __future__ import annotations

from typing import Any

from stripe.params import (
    ProductCreateParams,
    ProductDeleteParams,
    ProductListParams,
    ProductRetrieveParams,
    ProductUpdateParams,
)

from ..account import Work
from ..call import Call, Endpoint, changed, updated
from ..errors import JSON, invalid
from ..events import emit
from ..ids import new_id
from ..lists import list_object
from ..records import Record, equals, one_of
from . import prices
from .refusals import refuse_not_offered

TYPE = "product"
_PLAIN = (
    "active", "description", "images", "marketing_features", "name", "package_dimensions",
    "shippable", "statement_descriptor", "tax_code", "unit_label", "url",
)  # fmt: skip
_EMPTY: dict[str, Any] = {"images": [], "marketing_features": []}  # what unsetting leaves


def new_body(name: str, created: int) -> JSON:
    """Return an active service, with every field of the resource."""
    return {
        "id": new_id("prod"),
        "object": TYPE,
        "active": True,
        "created": created,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": name,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "tax_details": None,
        "type": "service",
        "unit_label": None,
        "updated": created,
        "url": None,
    }


def create(call: Call) -> JSON:
    """Create a product, under an id of the caller's choice if one is given."""
    record = add(call.work, call.params)
    if "default_price_data" in call.params:
        given = {**call.params["default_price_data"], "product": record.id}
        record.body["default_price"] = prices.add(call.work, given).id
        call.work.save(record)
    return record.shown()


def add(work: Work, params: JSON) -> Record:
    """Store a new product, with its event."""
    refuse_not_offered(params, ("tax_details",), "products")
    body = new_body(params["name"], work.now)
    if "id" in params:
        if work.tx.records.named(params["id"]) is not None:
            raise invalid("Product already exists.", "id", "resource_already_exists")
        body["id"] = params["id"]
    _apply(body, params)
    body["type"] = params.get("type", "service")
    record = work.add(body)
    emit(work, "product.created", record.shown())
    return record


def retrieve(call: Call) -> JSON:
    """Answer one product; a deleted one is answered as its stub."""
    return call.target(TYPE, deleted=True).shown()


def update(call: Call) -> JSON:
    """Change a product."""
    refuse_not_offered(call.params, ("tax_details",), "products")
    record = call.target(TYPE)
    before = record.shown()
    _apply(record.body, call.params)
    if "default_price" in call.params:
        price = call.work.find("price", call.params["default_price"], "default_price")
        record.body["default_price"] = price.id
    previous = changed(before, record.body)
    if previous:
        previous["updated"] = record.body["updated"]
        record.body["updated"] = call.now
        call.work.save(record)
        emit(call.work, "product.updated", record.shown(), previous)
    return record.shown()


def delete(call: Call) -> JSON:
    """Delete a product that has no prices."""
    record = call.target(TYPE)
    if call.tx.records.all("price", equals("product", record.id)):
        raise invalid(
            "This product cannot be deleted because it has one or more user-created prices."
        )
    last = record.shown()
    record.deleted = True
    call.work.save(record)
    emit(call.work, "product.deleted", last)
    return record.shown()


def list_all(call: Call) -> JSON:
    """List products by activity, ids, shippability, type or URL."""
    names = ("active", "shippable", "type", "url")
    conditions = [equals(name, call.params[name]) for name in names if name in call.params]
    if call.params.get("ids"):
        conditions.append(one_of("id", call.params["ids"]))
    return list_object(call.tx, TYPE, "/v1/products", call.params, *conditions)


def _apply(body: JSON, params: JSON) -> None:
    for name in _PLAIN:
        if name in params:
            value = params[name]
            body[name] = _EMPTY.get(name) if value is None else value
    if "metadata" in params:
        body["metadata"] = updated(body["metadata"], params["metadata"])


ENDPOINTS: list[Endpoint] = [
    Endpoint("POST", "/v1/products", ProductCreateParams, create),
    Endpoint("GET", "/v1/products", ProductListParams, list_all),
    Endpoint("GET", "/v1/products/<id>", ProductRetrieveParams, retrieve),
    Endpoint("POST", "/v1/products/<id>", ProductUpdateParams, update),
    Endpoint("DELETE", "/v1/products/<id>", ProductDeleteParams, delete),
]
