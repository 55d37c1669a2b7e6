"""One [[plans]] table becomes a Plan, or start-up stops with the line of what is wrong."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any, cast

from storefront.catalog.display import Cta, default_cta, unknown_placeholder
from storefront.catalog.plans import Feature, Interval, Mode, Plan, Price, StripeIds
from storefront.catalog.reader import CODE, MAXIMUM_CREDITS, Entry

REQUIRED = {"code": str, "billing": str, "name": str}
OPTIONAL = {
    "description": str, "features": list, "limits": dict, "currency": str, "monthly": int,
    "yearly": int, "one_time": int, "popular": bool, "trial_days": int, "credits": int,
    "credits_expire": str, "yearly_credits": str, "max_quantity": int, "cta": dict,
    "stripe": dict,
}  # fmt: skip

INTERVALS: dict[str, tuple[Interval, ...]] = {
    "free": (),
    "one_time": ("one_time",),
    "subscription": ("monthly", "yearly"),
}
MODES: tuple[Mode, ...] = ("test", "live")
MAXIMUM_TRIAL_DAYS = 730
"""As Stripe's (docs.stripe.com/api/checkout/sessions/create, trial_period_days)."""

MAXIMUM_QUANTITY = 999
ONLY_FOR = {
    "trial_days": "subscription",
    "credits_expire": "subscription",
    "yearly_credits": "subscription",
    "max_quantity": "one_time",
}


def read_plan(entry: Entry) -> Plan:
    """Raises ConfigError with the line of what is wrong."""
    given = entry.checked(REQUIRED, OPTIONAL, what="plan")
    entry.check_code()
    entry.check_name()
    _check_billing(entry, given)
    prices = _prices(entry, given)
    _check_credits(entry, given)
    return Plan(
        code=given["code"],
        billing=given["billing"],
        name=given["name"],
        description=given.get("description", ""),
        features=_features(entry, given.get("features", [])),
        limits=_limits(entry.inner("limits")),
        prices=prices,
        cta=_cta(entry.inner("cta"), given["billing"]),
        stripe=_stripe(entry.inner("stripe"), prices),
        popular=given.get("popular", False),
        trial_days=_between(entry, "trial_days", 0, 0, MAXIMUM_TRIAL_DAYS),
        credits=_between(entry, "credits", 0, 0, MAXIMUM_CREDITS),
        credits_expire=_credits_expire(entry, given),
        yearly_credits=_one_of(entry, "yearly_credits", ("monthly", "yearly")),
        max_quantity=_between(entry, "max_quantity", 1, 1, MAXIMUM_QUANTITY),
    )


def _check_billing(entry: Entry, given: Mapping[str, Any]) -> None:
    billing = given["billing"]
    if billing not in INTERVALS:
        entry.fail("billing", f"billing must be one of: {', '.join(INTERVALS)}; not {billing!r}")
    for key, wanted in ONLY_FOR.items():
        if key in given and billing != wanted:
            entry.fail(key, f"{key} is for plans with billing {wanted!r} alone")


def _prices(entry: Entry, given: Mapping[str, Any]) -> tuple[Price, ...]:
    allowed = INTERVALS[given["billing"]]
    for key in ("monthly", "yearly", "one_time"):
        if key in given and key not in allowed:
            entry.fail(key, f"a plan with billing {given['billing']!r} has no {key} price")
    if not allowed:
        return ()
    if not any(key in given for key in allowed):
        entry.fail("billing", f"this plan has no price: give {' or '.join(allowed)}")
    if "currency" not in given:
        entry.fail("", "this plan has no currency")
    prices = [
        Price(given["code"], key, given[key], given["currency"]) for key in allowed if key in given
    ]
    for price in prices:
        entry.check_price(price.interval, price.amount, price.currency)
    return tuple(prices)


def _check_credits(entry: Entry, given: Mapping[str, Any]) -> None:
    if given["billing"] == "free" and "credits" in given:
        entry.fail("credits", "a free plan grants no credits: there is no paid period to grant for")
    for key in ("credits_expire", "yearly_credits"):
        if key in given and not given.get("credits"):
            entry.fail(key, f"{key} says something about credits, and this plan has none")
    if "yearly_credits" in given and "yearly" not in given:
        entry.fail("yearly_credits", "yearly_credits is for plans with a yearly price alone")


def _credits_expire(entry: Entry, given: Mapping[str, Any]) -> Any:
    """A one-time purchase has no period whose end could be meant."""
    if given["billing"] != "subscription":
        return "never"
    return _one_of(entry, "credits_expire", ("period_end", "never"))


def _features(entry: Entry, given: list[Any]) -> tuple[Feature, ...]:
    features = [_feature(entry, each) for each in given]
    codes = [feature.code for feature in features]
    for code in codes:
        if codes.count(code) > 1:
            entry.fail("features", f"the feature {code!r} is there twice")
    return tuple(features)


def _feature(entry: Entry, given: Any) -> Feature:
    """A text, whose code is made of its words, or { code = "…", text = "…" }."""
    if isinstance(given, str) and given.strip():
        given = {"code": re.sub(r"[^a-z0-9]+", "_", given.lower()).strip("_")[:50], "text": given}
    texts = [str(given.get(key, "")) for key in ("code", "text")] if isinstance(given, dict) else []
    if not texts or set(given) != {"code", "text"} or not texts[1].strip():
        entry.fail("features", f"a feature is a text or {{ code, text }}, not {given!r}")
    if not CODE.fullmatch(texts[0]):
        entry.fail("features", f"the feature {texts[1]!r} needs a code of letters, digits, _ and -")
    return Feature(*texts)


def _limits(entry: Entry) -> Mapping[str, int | None]:
    limits: dict[str, int | None] = {}
    for name, value in entry.values.items():
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if not whole and value != "unlimited":
            entry.fail(
                name, f'the limit {name} must be a whole number from 0 up, or "unlimited", '
                f"not {value!r}"
            )  # fmt: skip
        limits[name] = value if whole else None
    return MappingProxyType(limits)


def _cta(entry: Entry, billing: str) -> Cta:
    words = asdict(default_cta(billing))
    given = entry.checked({}, dict.fromkeys(words, str), what="cta")
    for state, text in given.items():
        if not text.strip():
            entry.fail(state, f"{state} is empty")
        if (unknown := unknown_placeholder(text)) is not None:
            entry.fail(
                state, f"{state} may have {{name}}, {{interval}} and {{price}} in it, "
                f"not {unknown!r}"
            )  # fmt: skip
    return Cta(**(words | dict(given)))


def _stripe(entry: Entry, prices: tuple[Price, ...]) -> Mapping[Mode, StripeIds]:
    entry.checked({}, dict.fromkeys(MODES, dict), what="stripe")
    return MappingProxyType({mode: _stripe_ids(entry.inner(mode), prices) for mode in MODES})


def _stripe_ids(entry: Entry, prices: tuple[Price, ...]) -> StripeIds:
    intervals = [price.interval for price in prices]
    entry.checked({}, dict.fromkeys(("product", "monthly", "yearly", "one_time"), str), what="mode")
    for key, value in entry.values.items():
        kind = "prod" if key == "product" else "price"
        if key != "product" and key not in intervals:
            entry.fail(key, f"this plan has no {key} price")
        if not re.fullmatch(rf"{kind}_[A-Za-z0-9_]{{1,200}}", value):
            entry.fail(key, f"{key} must be an id of Stripe's that begins with {kind}_")
    ids = {key: value for key, value in entry.values.items() if key != "product"}
    return StripeIds(entry.values.get("product"), MappingProxyType(ids))


def _between(entry: Entry, key: str, default: int, least: int, most: int) -> int:
    value = cast(int, entry.values.get(key, default))
    if not least <= value <= most:
        entry.fail(key, f"{key} must be from {least} to {most}")
    return value


def _one_of(entry: Entry, key: str, allowed: tuple[str, ...]) -> Any:
    value = entry.values.get(key, allowed[0])
    if value not in allowed:
        entry.fail(key, f"{key} must be {' or '.join(map(repr, allowed))}, not {value!r}")
    return value
