"""Installments that come due: in which states of a subscription, and by any number of workers."""

from functools import partial

import pytest
from flask import Flask

from tests.subscriptions.paper import PaperShop, a_line, at
from tests.support import books
from tests.support.books import is_sqlite
from tests.support.lots import assert_lots_add_up
from tests.support.races import at_once, raised
from tests.support.thoroughness import usually

JANUARY, FEBRUARY, MARCH, APRIL = (at(f"2031-0{month}-01") for month in (1, 2, 3, 4))
NEXT_YEAR = at("2032-01-01")


def a_year(app: Flask) -> PaperShop:
    """A customer whose first month of a year has been granted."""
    shop = PaperShop(app)
    shop.subscribed()
    shop.pays(a_line("basic_yearly", 10000, JANUARY, NEXT_YEAR), paid_at=JANUARY)
    return shop


@pytest.mark.parametrize("status", ["trialing", "active", "past_due"])
def test_what_goes_on_is_granted(app: Flask, status: str) -> None:
    shop = a_year(app)
    shop.subscribed(status=status)
    assert shop.grants(FEBRUARY) == 1
    assert shop.amounts() == [1000, 1000]


@pytest.mark.parametrize("status", ["unpaid", "paused", "incomplete"])
def test_what_stands_still_waits_and_is_made_up_for(app: Flask, status: str) -> None:
    shop = a_year(app)
    shop.subscribed(status=status)
    assert shop.grants(MARCH) == 0, "not even looked at, so that nobody looks again and again"
    shop.subscribed(status="active")
    assert shop.grants(MARCH) == 1
    assert shop.amounts() == [1000] * 3


@pytest.mark.parametrize("status", ["canceled", "incomplete_expired"])
def test_what_came_due_before_the_end_is_granted_and_nothing_after_it(
    app: Flask, status: str
) -> None:
    shop = a_year(app)
    shop.subscribed(status=status, ended_at=at("2031-03-15"))
    assert shop.grants(APRIL) == 1
    assert shop.amounts() == [1000] * 3
    assert shop.grants(NEXT_YEAR) == 0
    assert [row.next_at for row in shop.rows().values()] == [None]


def test_a_month_that_begins_with_the_end_is_not_granted(app: Flask) -> None:
    shop = a_year(app)
    shop.subscribed(status="canceled", ended_at=FEBRUARY)
    assert shop.grants(FEBRUARY) == 1
    assert shop.amounts() == [1000]


def test_unused_time_is_given_back_also_after_the_end_was_seen(app: Flask) -> None:
    """Cancelled with a proration; the worker sees the end first, then the invoice."""
    shop = a_year(app)
    end = at("2031-01-16 12:00")
    shop.subscribed(status="canceled", ended_at=end)
    shop.grants(FEBRUARY)
    shop.pays(a_line("basic_yearly", -9575, end, NEXT_YEAR, proration=True), paid_at=end)
    assert (shop.amounts(), shop.owed()) == ([1000], 500)


def test_installments_of_an_unknown_subscription_wait(app: Flask) -> None:
    shop = PaperShop(app)
    shop.pays(a_line("basic_yearly", 10000, JANUARY, NEXT_YEAR), paid_at=JANUARY)
    assert (shop.amounts(), shop.grants(MARCH)) == ([1000], 0)
    shop.subscribed()
    shop.grants(MARCH)
    assert shop.amounts() == [1000] * 3


def test_a_limit_leaves_the_rest_for_the_next_turn(app: Flask) -> None:
    shops = [a_year(app) for _ in range(5)]
    assert [shops[0].grants(FEBRUARY, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert [shop.amounts() for shop in shops] == [[1000, 1000]] * 5


def test_workers_at_the_same_time_grant_once(app: Flask) -> None:
    shops = [a_year(app) for _ in range(4)]
    for month in range(2, 7 if is_sqlite(app) else 12):
        now = at(f"2031-{month:02}-01")
        tasks = [partial(shop.grants, now, 3) for shop in shops] * 2
        assert raised(at_once(app, tasks)) == []
        shops[0].grants(now)
        assert [shop.amounts() for shop in shops] == [[1000] * month] * 4
    books.assert_clean(app)
    assert_lots_add_up(app)


def test_a_plan_change_and_due_months_at_the_same_time(app: Flask) -> None:
    """Credited by two workers while two others grant: each once, and the rest of the year never
    comes. Whether the month was granted before or after the change, the sums are the same."""
    for _ in range(usually(2 if is_sqlite(app) else 8, thorough=25)):
        shop, moment = a_year(app), at("2031-02-15")
        facts = shop.invoice(
            a_line("basic_yearly", -8767, moment, NEXT_YEAR, proration=True),
            a_line("lasting_yearly", 17534, moment, NEXT_YEAR, proration=True),
            paid_at=moment,
        )
        shop.stores(facts)
        tasks = [partial(shop.credits, facts), partial(shop.grants, at("2031-03-05"))] * 2
        outcomes = at_once(app, tasks)
        assert raised(outcomes) == []
        assert sorted(outcomes[::2]) == [False, True]
        shop.grants(at("2031-03-05"))
        assert (sum(shop.amounts()), shop.owed()) == (1000 + 1000 + 500 + 2000, 0)
    books.assert_clean(app)
    assert_lots_add_up(app)
