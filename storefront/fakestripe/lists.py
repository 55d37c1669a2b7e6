"""Pages of objects as Stripe lists them: newest first, cursors by object id."""

from __future__ import annotations

from .errors import JSON, invalid, no_such_reference
from .records import Condition, Query, Record
from .store import Transaction

MAX_LIMIT = 100
DEFAULT_LIMIT = 10
_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def list_page(
    tx: Transaction, type: str, params: JSON, *conditions: Condition
) -> tuple[list[Record], bool]:
    """Select the page that `limit`, `starting_after`, `ending_before` and `created` ask for."""
    query = Query(
        type,
        (*conditions, *created_conditions(params.get("created"))),
        _limit(params.get("limit", DEFAULT_LIMIT)),
        before=_cursor(tx, type, params, "starting_after"),
        after=_cursor(tx, type, params, "ending_before"),
    )
    if query.before is not None and query.after is not None:
        raise invalid(
            "Received both starting_after and ending_before parameters. Please pass in only one.",
            "ending_before",
        )
    return tx.records.page(query)


def list_object(tx: Transaction, type: str, url: str, params: JSON, *conditions: Condition) -> JSON:
    """Return the page as Stripe's list object."""
    records, more = list_page(tx, type, params, *conditions)
    return as_list([record.shown() for record in records], url, more)


def as_list(data: list[JSON], url: str, has_more: bool) -> JSON:
    """Return Stripe's list object around some items."""
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def created_conditions(created: int | JSON | None) -> list[Condition]:
    """Translate `created` as an exact time or as gt, gte, lt, lte."""
    if created is None:
        return []
    if isinstance(created, int):
        return [Condition("created = ?", (created,))]
    return [
        Condition(f"created {_COMPARISONS[name]} ?", (value,)) for name, value in created.items()
    ]


def _limit(limit: int) -> int:
    if limit < 1:
        raise invalid(
            "This value must be greater than or equal to 1.", "limit", "parameter_invalid_integer"
        )
    if limit > MAX_LIMIT:
        raise invalid(
            f"This value must be less than or equal to 100 (it currently is '{limit}').",
            "limit",
            "parameter_invalid_integer",
        )
    return limit


def _cursor(tx: Transaction, type: str, params: JSON, name: str) -> int | None:
    id = params.get(name)
    if id is None:
        return None
    record = tx.get(type, id)
    if record is None:
        raise no_such_reference(type, id, name)
    return record.seq
