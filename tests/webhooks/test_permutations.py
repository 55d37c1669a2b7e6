"""R4: every order of one payment's events, each then repeated backwards, ends with the same rows."""

import json

import pytest
from flask import Flask

from storefront.handlers import handle
from tests.support import books
from tests.support.builders import Json, Purchase, a_user, an_event, an_intent, declined, moved, paid
from tests.support.checkers import final_states


def a_bumpy_success(purchase: Purchase) -> list[Json]:
    """3-D Secure, a decline, another card, paid; two event objects for the one success."""
    return [
        an_event(an_intent(purchase, "requires_payment_method"), "payment_intent.created"),
        moved(purchase, "requires_action"),
        declined(purchase),
        moved(purchase, "processing"),
        paid(purchase),
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


@pytest.mark.parametrize("linked", [True, False], ids=["linked", "unlinked"])
def test_all_orders_of_a_success_end_alike(app: Flask, linked: bool) -> None:
    make = a_bumpy_success if linked else paid_after_all
    states = final_states(app, handle, a_user(app), make, linked=linked)
    assert len(states) == 1, summary(states)
    ((state, orders),) = states.items()
    assert len(orders) == (720 if linked else 24)
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
    app: Flask, make: object, status: str, failure: str | None
) -> None:
    states = final_states(app, handle, a_user(app), make)  # type: ignore[arg-type]
    assert len(states) == 1, summary(states)
    end = json.loads(next(iter(states)))
    assert (end["gained"], end["transfers"]) == (0, [])
    assert (end["payment"]["status"], end["payment"]["failure_code"]) == (status, failure)


def summary(states: dict[str, list[tuple[int, ...]]]) -> str:
    """Each final state with one order that led to it."""
    return "\n".join(f"{orders[0]} and {len(orders) - 1} more: {it}" for it, orders in states.items())
