"""Refusals that the billing resources share."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import JSON, invalid


def refuse_not_offered(params: JSON, names: Iterable[str], what: str) -> None:
    """Refuse parameters that the SDK declares and the stand-in does not have."""
    for name in names:
        if name in params:
            raise invalid(f"fakestripe does not offer the parameter {name} of {what}.", name)


def exactly_one(params: JSON, names: tuple[str, ...], param: str) -> str:
    """Return the one of `names` that is given; refuse none and several."""
    given = [name for name in names if params.get(name) is not None]
    if len(given) != 1:
        raise invalid(f"You must provide exactly one of: {', '.join(names)}.", param)
    return given[0]
