"""Any number of plan changes costs what was used: an oracle that knows nothing of invoices."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from storefront.fakestripe.account import Account, Work
from storefront.fakestripe.billing import prices, subscription_change, subscription_start
from storefront.fakestripe.billing.subscription_body import items_of
from storefront.fakestripe.billing.subscription_change import Wish
from storefront.fakestripe.customers import new_body
from storefront.fakestripe.settings import Settings

amounts = st.integers(0, 1_000_000)
changes = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), amounts, st.integers(1, 9)), max_size=8
)


@contextmanager
def work_alone() -> Iterator[Work]:
    """Open a transaction in an empty stand-in's database."""
    with tempfile.TemporaryDirectory() as folder:
        account = Account(Settings(Path(folder) / "fakestripe.sqlite"))
        try:
            with account.store.writing() as tx:
                yield Work(account, tx)
        finally:
            account.close()


@settings(deadline=None, max_examples=40)
@given(amounts, changes)
@example(0, [(0.75, 1, 1)])  # a quarter of a cent
def test_all_credits_and_charges_of_a_period_are_the_sum_of_what_was_used(
    first: int, later: list[tuple[float, int, int]]
) -> None:
    with work_alone() as work:

        def new_price(amount: int) -> str:
            given = {"currency": "usd", "unit_amount": amount, "product_data": {"name": "Pro"},
                     "recurring": {"interval": "month"}}  # fmt: skip
            return prices.add(work, given).id

        customer = work.add(new_body(work.now))
        terms = subscription_start.Terms(
            customer, [(work.find("price", new_price(first), "price").shown(), 1, {})]
        )
        subscription = subscription_start.begin(work, terms, "active")
        item = items_of(subscription.body)[0]
        start, end = item["current_period_start"], item["current_period_end"]
        charged, used, rounded = first, Fraction(0), 0
        since, each = start, first
        for share, amount, quantity in sorted(later):
            moment = start + int(share * (end - start))
            wanted = {"id": item["id"], "price": new_price(amount), "quantity": quantity}
            wish = Wish([wanted], "create_prorations", moment)
            planned = subscription_change.plan(work, subscription, wish)
            subscription.body.update(planned.after)
            charged += sum(charge.amount for charge in planned.charges)
            rounded += 2  # a credit and a charge, even if one is rounded to nothing and left out
            used += Fraction(each * (moment - since), end - start)
            since, each = moment, amount * quantity
        used += Fraction(each * (end - since), end - start)
        assert abs(charged - used) <= Fraction(rounded, 2)
