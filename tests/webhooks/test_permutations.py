"""R4: one payment's events, with duplicates, in every order, end with the same rows."""

import json
from collections.abc import Callable

import pytest
from flask import Flask

from storefront.handlers import handle
from tests.support import books
from tests.support.builders import Json, Purchase, a_user, declined, moved, paid
from tests.support.checkers import final_states
from tests.support.thoroughness import MOST_CASES, usually

MakeEvents = Callable[[Purchase], list[Json]]


def a_bumpy_success(purchase: Purchase) -> list[Json]:
    """3-D Secure, a decline, another card, paid: told twice, and by a second event besides."""
    success = paid(purchase)
    return [
        moved(purchase, "requires_action"),
        declined(purchase),
        moved(purchase, "processing"),
        success,
        success,
        paid(purchase),
    ]


def a_failure(purchase: Purchase) -> list[Json]:
    """Two declines for different reasons, and never paid."""
    return [
        moved(purchase, "requires_action"),
        declined(purchase, "insufficient_funds"),
        moved(purchase, "processing"),
        declined(purchase, "expired_card"),
        moved(purchase, "requires_confirmation"),
    ]


def a_canceled_payment(purchase: Purchase) -> list[Json]:
    return [
        moved(purchase, "requires_action"),
        declined(purchase),
        moved(purchase, "processing"),
        moved(purchase, "canceled"),
    ]


def paid_after_all(purchase: Purchase) -> list[Json]:
    """Canceled says one event, paid says another: money that came is credited."""
    return [moved(purchase, "canceled"), paid(purchase), declined(purchase), paid(purchase)]


@pytest.mark.parametrize(
    ("make", "orders", "linked"),
    [(a_bumpy_success, 720, True), (paid_after_all, 24, True), (paid_after_all, 24, False)],
    ids=["bumpy", "canceled and paid", "unlinked"],
)
def test_all_orders_of_a_success_end_alike(
    app: Flask, make: MakeEvents, orders: int, linked: bool
) -> None:
    repeat = make is not a_bumpy_success  # it brings its own duplicates
    states = final_states(app, handle, a_user(app), make, linked=linked, repeat=repeat)
    assert len(states) == 1, summary(states)
    ((state, found),) = states.items()
    assert len(found) == usually(min(orders // 2, MOST_CASES), thorough=orders)
    end = json.loads(state)
    assert (end["gained"], end["transfer ids"], end["linked"]) == (1000, [True], True)
    assert (end["payment"]["status"], end["payment"]["failure_code"]) == ("succeeded", None)
    books.assert_clean(app)


@pytest.mark.parametrize(
    ("make", "status", "failure"),
    [
        (a_failure, "requires_payment_method", "insufficient_funds"),
        (a_canceled_payment, "canceled", None),
    ],
    ids=["failure", "canceled"],
)
def test_all_orders_of_what_was_never_paid_end_alike(
    app: Flask, make: MakeEvents, status: str, failure: str | None
) -> None:
    states = final_states(app, handle, a_user(app), make)
    assert len(states) == 1, summary(states)
    end = json.loads(next(iter(states)))
    assert (end["gained"], end["transfers"]) == (0, [])
    assert (end["payment"]["status"], end["payment"]["failure_code"]) == (status, failure)


def summary(states: dict[str, list[tuple[int, ...]]]) -> str:
    """Each final state with one order that led to it."""
    return "\n".join(
        f"{orders[0]} and {len(orders) - 1} more: {it}" for it, orders in states.items()
    )
