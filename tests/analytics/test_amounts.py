"""Amounts reach Google as the numbers that they are, to the last digit."""

import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from storefront.analytics import in_units
from storefront.money import MAXIMUM_AMOUNT


@given(st.integers(0, MAXIMUM_AMOUNT))
def test_cents_are_written_exactly(cents: int) -> None:
    written = json.dumps(in_units(cents, "usd"))
    assert Decimal(written) * 100 == cents


@given(st.integers(0, MAXIMUM_AMOUNT))
def test_yen_have_no_cents(yen: int) -> None:
    assert Decimal(json.dumps(in_units(yen, "jpy"))) == yen
