"""Single values out of Stripe's JSON, checked on the way: what is not usable is refused, and never
reaches a column that cannot hold it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from storefront.db import MAX_WHOLE
from storefront.errors import Unprocessable

LONGEST_TEXT = 5_000


def mapping(value: object) -> Mapping[str, Any]:
    """A JSON object; an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def text(data: Mapping[str, Any], key: str) -> str:
    """Raises Unprocessable when it is missing or not storable."""
    value = short_text(data.get(key))
    if value is None:
        raise Unprocessable(f"{key} is missing or is not a short text.")
    return value


def short_text(value: object) -> str | None:
    """Text that may be stored: neither empty, nor endless, nor with NULs (PostgreSQL has none)."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT or "\0" in value:
        return None
    try:
        return value if value.isascii() or value.encode("utf-8") else None
    except UnicodeEncodeError:  # a lone surrogate, legal in JSON, storable nowhere
        return None


def link(value: object) -> str | None:
    """An address that a page may lead to; javascript: and the like are none."""
    address = short_text(value)
    return address if address and address.startswith(("https://", "http://")) else None


def whole(data: Mapping[str, Any], key: str, default: int | None = None) -> int:
    """A whole number from 0 up. Raises Unprocessable."""
    value = signed(data, key, default)
    if value < 0:
        raise Unprocessable(f"{key} is missing or is not a whole number in range.")
    return value


def signed(data: Mapping[str, Any], key: str, default: int | None = None) -> int:
    """A whole number, perhaps below zero. Raises Unprocessable."""
    value = data.get(key, default)
    if (
        not isinstance(value, int)
        or isinstance(value, bool)
        or not -MAX_WHOLE <= value <= MAX_WHOLE
    ):
        raise Unprocessable(f"{key} is missing or is not a whole number in range.")
    return value


def whole_or_none(data: Mapping[str, Any], key: str) -> int | None:
    """Raises Unprocessable for anything but null, nothing, and a whole number from 0 up."""
    return None if data.get(key) is None else whole(data, key)


def quantity(data: Mapping[str, Any]) -> int:
    """How many; 1 where Stripe does not say. Raises Unprocessable."""
    given = whole_or_none(data, "quantity")
    return 1 if given is None else given


def flag(data: Mapping[str, Any], key: str) -> bool:
    """True or false; absent is false. Raises Unprocessable for anything else."""
    value = data.get(key, False)
    if not isinstance(value, bool):
        raise Unprocessable(f"{key} is neither true nor false.")
    return value


def moment(data: Mapping[str, Any], key: str) -> datetime:
    """Unix seconds as UTC. Raises Unprocessable."""
    try:
        return datetime.fromtimestamp(whole(data, key), UTC)
    except (OverflowError, OSError, ValueError):
        raise Unprocessable(f"{key} is not a time.") from None


def moment_or_none(data: Mapping[str, Any], key: str) -> datetime | None:
    """Raises Unprocessable for anything but null, nothing, and Unix seconds."""
    return None if data.get(key) is None else moment(data, key)


def reference(value: object) -> str | None:
    """An id, given as itself or as the expanded object."""
    return (
        short_text(value["id"]) if isinstance(value, dict) and "id" in value else short_text(value)
    )


def named(data: Mapping[str, Any], key: str) -> str:
    """The id of the object that this field names, expanded or not. Raises Unprocessable."""
    id = reference(data.get(key))
    if id is None:
        raise Unprocessable(f"{key} names no object.")
    return id


def items(data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """The objects in one of Stripe's lists; none if there is no such list."""
    found = mapping(data.get(key)).get("data")
    return [mapping(each) for each in found] if isinstance(found, list) else []


def check_object(data: Mapping[str, Any], wanted: str) -> None:
    """Raises Unprocessable when the JSON is of another kind of object."""
    if data.get("object") != wanted:
        raise Unprocessable(f"The object is not a {wanted}.")
