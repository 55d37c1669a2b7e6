"""The calendar of billing, against an oracle of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.fakestripe.billing.discounts import taken_off
from storefront.fakestripe.billing.periods import add_months, boundary, next_boundary
from storefront.fakestripe.billing.subscription_start import prorated


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def day(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M")


def rhythm(interval: str, count: int = 1) -> dict[str, Any]:
    return {"interval": interval, "interval_count": count}


@pytest.mark.parametrize(
    ("anchor", "recurring", "expected"),
    [
        ("2026-01-31 09:30", rhythm("month"),
         ["2026-02-28 09:30", "2026-03-31 09:30", "2026-04-30 09:30", "2026-05-31 09:30"]),
        ("2024-02-29 00:00", rhythm("year"),
         ["2025-02-28 00:00", "2026-02-28 00:00", "2027-02-28 00:00", "2028-02-29 00:00"]),
        ("2026-10-31 12:00", rhythm("month", 3),
         ["2027-01-31 12:00", "2027-04-30 12:00", "2027-07-31 12:00", "2027-10-31 12:00"]),
        ("2026-12-30 00:00", rhythm("week", 2),
         ["2027-01-13 00:00", "2027-01-27 00:00", "2027-02-10 00:00", "2027-02-24 00:00"]),
    ],
)  # fmt: skip
def test_boundaries_are_counted_from_the_anchor(
    anchor: str, recurring: dict[str, Any], expected: list[str]
) -> None:
    moment, seen = at(anchor), []
    for _ in expected:
        moment = next_boundary(at(anchor), recurring, moment)
        seen.append(day(moment))
    assert seen == expected


moments = st.integers(at("2023-01-01 00:00"), at("2030-01-01 00:00"))
rhythms = st.builds(
    rhythm, st.sampled_from(["day", "week", "month", "year"]), st.integers(1, 36)
).filter(lambda r: r["interval"] != "year" or r["interval_count"] <= 3)


@given(moments, rhythms, moments)
def test_the_next_boundary_is_the_first_one_after_a_moment(
    anchor: int, recurring: dict[str, Any], after: int
) -> None:
    found = next_boundary(anchor, recurring, after)
    assert found > after
    # An oracle that walks: no boundary lies between the moment and the one that was found.
    number = 0
    step = 1 if after >= anchor else -1
    while (boundary(anchor, recurring, number) <= after) == (step == 1):
        number += step
    expected = boundary(anchor, recurring, number if step == 1 else number + 1)
    assert found == expected


@given(moments, st.integers(0, 120))
def test_a_month_later_is_the_same_day_or_the_last(start: int, months: int) -> None:
    before, later = (datetime.fromtimestamp(m, UTC) for m in (start, add_months(start, months)))
    assert (later.year * 12 + later.month) - (before.year * 12 + before.month) == months
    assert later.time() == before.time()
    if later.day != before.day:
        assert later.day < before.day and (later + timedelta(days=1)).day == 1


@pytest.mark.parametrize(
    ("amount", "seconds", "of", "expected"),
    [(1000, 15, 30, 500), (1000, 1, 3, 333), (1000, 2, 3, 667), (1, 1, 2, 1), (999, 0, 7, 0)],
)
def test_a_share_is_rounded_half_up(amount: int, seconds: int, of: int, expected: int) -> None:
    assert prorated(amount, seconds, of) == expected


def coupon(**value: Any) -> dict[str, Any]:
    empty = {"percent_off": None, "amount_off": None, "currency": None, "applies_to": None}
    return {**empty, **value}


@pytest.mark.parametrize(
    ("given_coupon", "amounts", "expected"),
    [
        (coupon(percent_off=20.0), [1000, 999], [200, 200]),  # 199.8 is rounded
        (coupon(percent_off=12.5), [4], [1]),  # half a cent is rounded up
        (coupon(percent_off=100.0), [1000], [1000]),
        (coupon(amount_off=500, currency="usd"), [1000, 500], [333, 167]),
        (coupon(amount_off=5000, currency="usd"), [1000, 500], [1000, 500]),
        (coupon(amount_off=500, currency="eur"), [1000, 500], [0, 0]),
        (coupon(percent_off=50.0, applies_to={"products": ["prod_1"]}), [1000, 500], [0, 250]),
        (coupon(percent_off=50.0), [-1000, 500], [0, 250]),
    ],
)
def test_what_a_coupon_takes_off(
    given_coupon: dict[str, Any], amounts: list[int], expected: list[int]
) -> None:
    products = [f"prod_{i}" for i in range(len(amounts))]
    assert taken_off(given_coupon, amounts, products, "usd") == expected


@given(st.lists(st.integers(0, 10**8), min_size=1, max_size=20), st.integers(1, 10**9))
def test_a_fixed_amount_is_given_to_the_last_cent(amounts: list[int], off: int) -> None:
    products = ["prod"] * len(amounts)
    parts = taken_off(coupon(amount_off=off, currency="usd"), amounts, products, "usd")
    assert sum(parts) == min(off, sum(amounts))
    assert all(0 <= part <= amount for part, amount in zip(parts, amounts, strict=True))
