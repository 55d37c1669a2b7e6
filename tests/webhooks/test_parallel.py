"""R3: duplicates at the same moment. PostgreSQL shows races that BEGIN IMMEDIATE hides on SQLite,
so that is where the rounds are."""

from functools import partial

from flask import Flask

from storefront import payments
from storefront.db import transaction
from storefront.handlers import handle
from storefront.stripe_gateway import Event, Intent
from tests.support import books
from tests.support.builders import (
    Json,
    Purchase,
    a_payment,
    declined,
    deliver,
    event_of,
    moved,
    paid,
)
from tests.support.checkers import THREADS, race, race_duplicates
from tests.support.races import at_once
from tests.support.thoroughness import usually


def rounds(app: Flask) -> int:
    few, many = (4, 10) if books.is_sqlite(app) else (12, 40)
    return usually(few, thorough=many)


def one_event_many_times(purchase: Purchase) -> list[Json]:
    return [paid(purchase)] * THREADS


def many_events_for_one_intent(purchase: Purchase) -> list[Json]:
    return [paid(purchase) for _ in range(THREADS)]


def everything_at_once(purchase: Purchase) -> list[Json]:
    success = paid(purchase)
    unpaid = [moved(purchase, "processing"), moved(purchase, "requires_action")]
    return [success, success, paid(purchase), declined(purchase), *unpaid, *unpaid]


def test_the_same_event_in_parallel_credits_once(app: Flask) -> None:
    assert race_duplicates(app, handle, one_event_many_times, rounds(app)) == ([], [])
    books.assert_clean(app)


def test_different_events_for_one_intent_in_parallel_credit_once(app: Flask) -> None:
    assert race_duplicates(app, handle, many_events_for_one_intent, rounds(app)) == ([], [])
    books.assert_clean(app)


def test_all_of_a_payments_events_in_parallel_credit_once(app: Flask) -> None:
    assert race_duplicates(app, handle, everything_at_once, rounds(app)) == ([], [])
    books.assert_clean(app)


def test_parallel_events_for_a_row_that_does_not_know_its_intent_credit_once(app: Flask) -> None:
    for _ in range(rounds(app)):
        purchase = a_payment(app, linked=False)
        events = [event_of(app, event) for event in many_events_for_one_intent(purchase)]
        tasks = [partial(handle, event) for event in events]
        assert race(app, purchase, tasks, events, handle) == ([], [])
    books.assert_clean(app)


def settle_as_the_return_page(event: Event) -> None:
    """What payments.refresh() does once Stripe has answered."""
    with transaction() as session:
        payments.settle(session, Intent.from_dict(event.object), asked=True)


def test_webhook_and_return_page_in_parallel_credit_once(app: Flask) -> None:
    for _ in range(rounds(app)):
        purchase = a_payment(app)
        event = event_of(app, paid(purchase))
        tasks = [partial(handle, event), partial(settle_as_the_return_page, event)] * (THREADS // 2)
        assert race(app, purchase, tasks, [event], handle) == ([], [])
    books.assert_clean(app)


def test_one_customers_purchases_in_parallel_are_all_credited(app: Flask) -> None:
    """The wallet is the contended row: nothing may be lost on it."""
    first = a_payment(app)
    purchases = [first, *(a_payment(app, first.customer) for _ in range(THREADS * 5 - 1))]
    events = [event_of(app, paid(purchase)) for purchase in purchases]

    def handles(writer: int) -> list[object]:
        return [handle(event) for event in events[writer::THREADS]]

    outcomes = at_once(app, [partial(handles, writer) for writer in range(THREADS)])
    assert all(isinstance(it, list) and {o.state for o in it} == {"handled"} for it in outcomes)
    assert books.balance(app, first.customer.id) == 1000 * len(purchases)
    books.assert_clean(app)


def test_parallel_deliveries_over_http_are_all_answered_200(app: Flask) -> None:
    purchase = a_payment(app)
    event = paid(purchase)

    def delivers() -> int:
        return deliver(app.test_client(), event).status_code

    assert at_once(app, [delivers] * THREADS) == [200] * THREADS
    assert books.balance(app, purchase.customer.id) == 1000
    assert books.read(app).events[event["id"]]["attempts"] == 1
