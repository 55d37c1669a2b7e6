"""Credits taken back because their money went back: how many, from where, what is owed, and how
they return."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from functools import partial
from itertools import permutations

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from storefront import ledger
from storefront.db import transaction
from storefront.errors import TransferConflict
from storefront.ledger import Order, credits_taken_back
from tests.support import books
from tests.support.builders import Customer, a_user
from tests.support.lots import FIRST_OF_JANUARY, assert_lots_add_up, remainders, uses
from tests.support.races import at_once, raised

DAY = timedelta(days=1)
JANUARY, FEBRUARY, MARCH = (FIRST_OF_JANUARY + month * 31 * DAY for month in (0, 1, 2))
amounts = st.integers(1, 10**6)


@pytest.fixture(autouse=True)
def books_are_clean_afterwards(app: Flask) -> Iterator[None]:
    yield
    books.assert_clean(app)
    assert_lots_add_up(app)


def move(app: Flask, *orders: Order) -> None:
    with app.app_context(), transaction() as session:
        ledger.transfer_all(session, orders)


def buys(app: Flask, user: Customer, credits: int, id: str) -> None:
    move(app, Order(id, "top_up", user.id, credits))


def grants(app: Flask, user: Customer, credits: int, end: datetime, id: str) -> None:
    move(app, Order(id, "plan_grant", user.id, credits, expires_at=end))


def spends(app: Flask, user: Customer, credits: int, id: str = "spend") -> None:
    move(app, Order(id, "spend", user.id, credits, happened_at=JANUARY))


def takes_back(
    app: Flask,
    user: Customer,
    total: int,
    *grants: str,
    id: str = "refund",
    taken: int = 0,
    at: datetime = JANUARY,
) -> int:
    """How many credits were taken."""
    order = Order(id, "refund", user.id, total, happened_at=at, take_from=grants)
    with app.app_context(), transaction() as session:
        made = ledger.take_back(session, order, taken=taken)
        return made.credits if made else 0


def gives_back(
    app: Flask,
    user: Customer,
    credits: int,
    *of: str,
    id: str = "failed",
    returned: int = 0,
    at: datetime = JANUARY,
) -> dict[str, int]:
    """Transfer -> credits that came back with it."""
    order = Order(id, "refund_reversed", user.id, credits, happened_at=at)
    with app.app_context(), transaction() as session:
        made = ledger.give_back(session, order, of=of, returned=returned)
        return {transfer.id: transfer.credits for transfer in made}


def expire(app: Flask, now: datetime) -> None:
    with app.app_context(), transaction() as session:
        ledger.expire_due(session, now)


# How many: the proportional rule


@pytest.mark.parametrize(
    ("credits", "amount", "refunded", "taken"),
    [
        (1000, 1000, 0, 0),
        (1000, 1000, 1000, 1000),
        (1000, 1000, 250, 250),
        (1100, 1000, 333, 366),  # 366.3: bonus credits go back in the same proportion
        (1100, 1000, 999, 1098),  # 1,098.9
        (100, 3, 1, 33),
        (100, 3, 2, 66),
        (100, 3, 3, 100),
        (1, 1000, 999, 0),  # a fraction stays with the customer
        (0, 1000, 1000, 0),
        (1000, 1000, 1200, 1000),  # a disputed amount may be larger than the charge
        (2**62, 2**40, 2**39, 2**61),
    ],
)
def test_credits_go_back_in_proportion_rounded_down(
    credits: int, amount: int, refunded: int, taken: int
) -> None:
    assert credits_taken_back(credits, amount, refunded) == taken


@given(st.integers(0, 10**6), st.lists(amounts, min_size=1, max_size=8), st.randoms())
def test_any_split_in_any_order_takes_the_same_and_a_full_refund_takes_all(
    credits: int, refunds: list[int], chance: object
) -> None:
    amount = sum(refunds)
    chance.shuffle(refunds)  # type: ignore[attr-defined]
    refunded, taken = 0, []
    for refund in refunds:
        before = credits_taken_back(credits, amount, refunded)
        refunded += refund
        taken.append(credits_taken_back(credits, amount, refunded) - before)
        assert 0 <= Fraction(credits * refunded, amount) - sum(taken) < 1
    assert min(taken) >= 0
    assert sum(taken) == credits


@pytest.mark.parametrize("wrong", [(-1, 1, 1), (1, 0, 0), (1, 1, -1)])
def test_what_cannot_have_been_sold_is_a_mistake_of_the_caller(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(AssertionError):
        credits_taken_back(*wrong)


# From where


def test_the_lot_of_that_payment_goes_first_even_if_another_expires_before_it(app: Flask) -> None:
    ada = a_user(app)
    grants(app, ada, 30, FEBRUARY, "january's")
    grants(app, ada, 50, MARCH, "february's")
    assert takes_back(app, ada, 40, "february's") == 40
    assert remainders(app, ada.id) == {"january's": 30, "february's": 10}


def test_what_that_lot_lacks_comes_from_the_others_and_then_from_lasting_credits(
    app: Flask,
) -> None:
    ada = a_user(app)
    grants(app, ada, 50, FEBRUARY, "refunded")
    spends(app, ada, 30)
    grants(app, ada, 20, MARCH, "other")
    buys(app, ada, 15, "bought")
    takes_back(app, ada, 50, "refunded")
    assert remainders(app, ada.id) == {"refunded": 0, "other": 0}
    assert books.balance(app, ada.id) == 5
    assert uses(app)["refund", "refunded"] == 20
    assert uses(app)["refund", "other"] == 20


def test_refunding_credits_that_never_expire_leaves_the_plans_lots_alone(app: Flask) -> None:
    ada = a_user(app)
    buys(app, ada, 100, "bought")
    grants(app, ada, 30, FEBRUARY, "plan")
    takes_back(app, ada, 100, "bought")
    assert (books.balance(app, ada.id), remainders(app, ada.id)) == (30, {"plan": 30})


def test_lasting_credits_go_first_only_as_far_as_that_payment_brought_them(app: Flask) -> None:
    ada = a_user(app)
    buys(app, ada, 20, "refunded")
    buys(app, ada, 10, "other")
    grants(app, ada, 30, FEBRUARY, "plan")
    takes_back(app, ada, 25, "refunded")
    assert remainders(app, ada.id) == {"plan": 25}, "20 of its own, then the lot"
    assert books.balance(app, ada.id) == 35


def test_several_grants_of_one_invoice_go_first_the_next_to_expire_before_the_others(
    app: Flask,
) -> None:
    ada = a_user(app)
    grants(app, ada, 10, JANUARY + DAY, "other")
    grants(app, ada, 20, MARCH, "second line")
    grants(app, ada, 30, FEBRUARY, "first line")
    takes_back(app, ada, 40, "first line", "second line")
    assert remainders(app, ada.id) == {"other": 10, "first line": 0, "second line": 10}


def test_what_is_spent_becomes_a_debt_that_the_next_credits_pay(app: Flask) -> None:
    ada = a_user(app)
    buys(app, ada, 100, "bought")
    spends(app, ada, 80)
    takes_back(app, ada, 100, "bought")
    assert books.balance(app, ada.id) == -80
    grants(app, ada, 100, FEBRUARY, "next")
    assert (books.balance(app, ada.id), remainders(app, ada.id)["next"]) == (20, 20)


def test_a_refund_before_its_credits_is_a_debt_until_they_come(app: Flask) -> None:
    ada = a_user(app)
    assert takes_back(app, ada, 100, "bought") == 100
    assert books.balance(app, ada.id) == -100
    buys(app, ada, 100, "bought")
    assert books.balance(app, ada.id) == 0


def test_grants_of_somebody_else_are_nothing_here(app: Flask) -> None:
    ada, bob = a_user(app), a_user(app)
    buys(app, bob, 100, "bob's")
    grants(app, bob, 50, MARCH, "bob's plan")
    buys(app, ada, 10, "ada's")
    grants(app, ada, 10, MARCH, "ada's plan")
    takes_back(app, ada, 10, "bob's", "bob's plan")
    assert [books.balance(app, user.id) for user in (ada, bob)] == [10, 150]
    assert remainders(app, ada.id) == {"ada's plan": 0}, "as anything that leaves a wallet"
    assert remainders(app, bob.id) == {"bob's plan": 50}


def test_only_what_goes_out_is_taken_from_somewhere(app: Flask) -> None:
    with pytest.raises(AssertionError):
        move(app, Order("in", "top_up", a_user(app).id, 5, take_from=("other",)))


# Totals, repeats and expiry


def test_a_total_is_reached_once_whatever_the_split(app: Flask) -> None:
    ada = a_user(app)
    buys(app, ada, 1100, "bought")
    taken = 0
    for number, refunded in enumerate((333, 666, 1000)):
        total = credits_taken_back(1100, 1000, refunded)
        taken += takes_back(app, ada, total, "bought", id=f"refund {number}", taken=taken)
        assert taken == total
    assert books.balance(app, ada.id) == 0
    assert takes_back(app, ada, 1100, "bought", id="late", taken=taken) == 0
    assert "late" not in books.read(app).transfers


def test_the_same_refund_again_is_the_same_transfer_whatever_the_total_is_then(app: Flask) -> None:
    ada = a_user(app)
    buys(app, ada, 100, "bought")
    assert takes_back(app, ada, 50, "bought", id="first") == 50
    assert takes_back(app, ada, 80, "bought", id="second", taken=50) == 30
    assert takes_back(app, ada, 80, "bought", id="first", taken=30) == 50
    assert books.balance(app, ada.id) == 20


def test_an_id_of_another_movement_or_customer_is_a_conflict(app: Flask) -> None:
    ada, bob = a_user(app), a_user(app)
    buys(app, ada, 100, "bought")
    with pytest.raises(TransferConflict):
        takes_back(app, ada, 50, "bought", id="bought")
    takes_back(app, ada, 50, "bought")
    with pytest.raises(TransferConflict):
        takes_back(app, bob, 50, "bought")
    with pytest.raises(TransferConflict):
        gives_back(app, ada, 50, "refund", id="refund")


@pytest.mark.parametrize("order", list(permutations(("spend", "expire", "refund"))))
def test_what_expired_is_no_debt_and_it_makes_no_difference_when_that_was_booked(
    app: Flask, order: tuple[str, ...]
) -> None:
    """Of a plan's 100, 40 are used and 60 expire; bought credits pay for the 40, and nothing for
    the 60, which nobody used."""
    ada = a_user(app)
    grants(app, ada, 100, FEBRUARY, "plan")
    buys(app, ada, 40, "bought")
    for step in order:
        if step == "spend":
            move(app, Order("spend", "adjustment_out", ada.id, 40, happened_at=JANUARY))
        elif step == "expire":
            expire(app, MARCH)
        else:
            takes_back(app, ada, 100, "plan", at=JANUARY)
    assert books.balance(app, ada.id) == 0


def test_a_lot_past_its_end_that_nobody_swept_yet_counts_as_expired(app: Flask) -> None:
    ada = a_user(app)
    grants(app, ada, 100, FEBRUARY, "plan")
    spends(app, ada, 40)
    assert takes_back(app, ada, 100, "plan", at=MARCH) == 40
    assert books.balance(app, ada.id) == -40


# Returning


def test_a_failed_refund_brings_back_what_was_there_with_the_end_it_had(app: Flask) -> None:
    ada = a_user(app)
    grants(app, ada, 100, FEBRUARY, "plan")
    spends(app, ada, 40)
    takes_back(app, ada, 100, "plan")
    assert books.balance(app, ada.id) == -40
    assert gives_back(app, ada, 100, "refund") == {"failed": 40, "failed:2": 60}
    assert books.balance(app, ada.id) == 60
    assert remainders(app, ada.id) == {"plan": 0, "failed:2": 60}
    expire(app, FEBRUARY)
    assert books.balance(app, ada.id) == 0


def test_credits_of_several_ends_come_back_each_with_its_own(app: Flask) -> None:
    ada = a_user(app)
    grants(app, ada, 10, FEBRUARY, "sooner")
    grants(app, ada, 20, MARCH, "later")
    buys(app, ada, 5, "bought")
    takes_back(app, ada, 35, "later")
    assert gives_back(app, ada, 35, "refund") == {"failed": 5, "failed:2": 20, "failed:3": 10}
    expire(app, FEBRUARY)
    assert books.balance(app, ada.id) == 25
    expire(app, MARCH)
    assert books.balance(app, ada.id) == 5


def test_credits_whose_end_has_passed_meanwhile_come_back_for_good(app: Flask) -> None:
    ada = a_user(app)
    grants(app, ada, 10, FEBRUARY, "sooner")
    grants(app, ada, 20, MARCH, "later")
    takes_back(app, ada, 30, "sooner")
    assert gives_back(app, ada, 30, "refund", at=FEBRUARY) == {"failed": 10, "failed:2": 20}
    expire(app, MARCH)
    assert books.balance(app, ada.id) == 10


def test_returning_in_parts_never_returns_a_part_twice(app: Flask) -> None:
    ada = a_user(app)
    grants(app, ada, 60, FEBRUARY, "plan")
    buys(app, ada, 40, "bought")
    takes_back(app, ada, 100, "plan")
    assert gives_back(app, ada, 30, "refund", id="part 1") == {"part 1": 30}
    assert gives_back(app, ada, 50, "refund", id="part 2", returned=30) == {
        "part 2": 10,
        "part 2:2": 40,
    }
    assert gives_back(app, ada, 20, "refund", id="part 3", returned=80) == {"part 3": 20}
    assert remainders(app, ada.id) == {"plan": 0, "part 2:2": 40, "part 3": 20}
    assert books.balance(app, ada.id) == 100


def test_what_goes_beyond_the_transfers_named_comes_back_for_good(app: Flask) -> None:
    """Rounding may owe one credit more than this refund took by itself."""
    ada = a_user(app)
    grants(app, ada, 100, FEBRUARY, "plan")
    takes_back(app, ada, 33, "plan")
    assert gives_back(app, ada, 34, "refund") == {"failed": 1, "failed:2": 33}


def test_the_same_return_again_is_the_same_and_another_sum_a_conflict(app: Flask) -> None:
    ada = a_user(app)
    grants(app, ada, 60, FEBRUARY, "plan")
    buys(app, ada, 40, "bought")
    takes_back(app, ada, 100, "plan")
    first = gives_back(app, ada, 100, "refund")
    assert gives_back(app, ada, 100, "refund", at=MARCH) == first
    with pytest.raises(TransferConflict):
        gives_back(app, ada, 99, "refund")
    assert books.balance(app, ada.id) == 100


def test_two_clawbacks_a_spend_and_a_grant_at_once_end_where_any_order_ends(app: Flask) -> None:
    for round in range(12):
        ada = a_user(app)
        buys(app, ada, 100, f"{round}:bought")
        grants(app, ada, 50, MARCH, f"{round}:plan")

        def spend(user: Customer = ada, round: int = round) -> None:
            with transaction() as session:
                ledger.spend(session, user.id, 20, id=f"{round}:spend")

        tasks = [
            partial(takes_back, app, ada, 100, f"{round}:bought", id=f"{round}:r1"),
            partial(takes_back, app, ada, 50, f"{round}:plan", id=f"{round}:r2"),
            partial(takes_back, app, ada, 50, f"{round}:plan", id=f"{round}:r2"),
            partial(grants, app, ada, 30, MARCH, f"{round}:next"),
            partial(gives_back, app, ada, 10, f"{round}:bought", id=f"{round}:back"),
            partial(move, app, Order(f"{round}:d", "dispute", ada.id, 5)),
        ]
        outcomes = at_once(app, [*tasks, spend])
        spent = 0 if raised(outcomes) else 20  # it may have come when too little was left
        assert len(raised(outcomes)) <= 1, raised(outcomes)
        assert books.balance(app, ada.id) == 100 + 50 - 100 - 50 + 30 + 10 - 5 - spent
    books.assert_clean(app)
