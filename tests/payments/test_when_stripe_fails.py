"""Stripe down, slow, busy, refusing, or answering into the void: no double charge, no row that
counts for anything, and the next try takes up what is there."""

import pytest
from flask import Flask

from storefront import stripe_gateway
from storefront.config import Config
from storefront.errors import StripeRateLimited, StripeRefused, StripeUnavailable
from tests.support import books
from tests.support.apps import an_app, closing
from tests.support.builders import Customer, a_user, an_event, deliver
from tests.support.crashes import crash_everywhere
from tests.support.shopping import KEY, opens
from tests.support.stub_stripe import (
    ANSWER_LOST,
    BROKEN,
    BUSY,
    DOWN,
    REFUSES,
    WRONG_KEY,
    Fault,
    StubStripe,
)

INTENTS, CUSTOMERS = "/v1/payment_intents", "/v1/customers"


@pytest.fixture
def ada(app: Flask) -> Customer:
    return a_user(app, stripe_id=None)


def assert_nothing_counts(app: Flask, ada: Customer) -> None:
    """At most a row that was opened, without an intent and worth nothing."""
    after = books.read(app)
    assert after.transfers == {}
    for row in after.payments.values():
        assert (row["status"], row["stripe_intent_id"]) == ("opened", None)


def assert_next_try_pays_once(app: Flask, ada: Customer, stripe: StubStripe) -> None:
    """The customer tries again, pays, and has one purchase, one intent, one credit."""
    opened = opens(app, ada)
    stripe.move(opened.intent_id, "succeeded")
    for _ in range(2):
        event = an_event(stripe.intents[opened.intent_id])
        assert deliver(app.test_client(), event).status_code == 200
    paid = [row for row in books.read(app).payments.values() if row["status"] == "succeeded"]
    assert len(paid) == len(books.read(app).payments) == 1
    assert len(stripe.intents) == len(stripe.customers) == 1
    assert books.balance(app, ada.id) == 1000
    books.assert_clean(app)


@pytest.mark.parametrize("path", [CUSTOMERS, INTENTS])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (DOWN, StripeUnavailable),
        (BROKEN, StripeUnavailable),
        (Fault(status=503), StripeUnavailable),
        (Fault(status=409), StripeUnavailable),
        (BUSY, StripeRateLimited),
        (WRONG_KEY, StripeRefused),
        (REFUSES, StripeRefused),
    ],
    ids=["down", "500", "503", "409", "429", "401", "400"],
)
def test_a_failure_is_told_and_the_next_try_succeeds(
    app: Flask, ada: Customer, stripe: StubStripe, path: str, fault: Fault, error: type[Exception]
) -> None:
    stripe.fails(path, *[fault] * (stripe_gateway.NETWORK_RETRIES + 1))
    with pytest.raises(error, match="Nothing was charged"):
        opens(app, ada)
    assert_nothing_counts(app, ada)
    left_over = len(stripe._faults)
    stripe._faults.clear()
    assert left_over == (1 if fault.status in (400, 401, 429) else 0), "these are not repeated"
    assert_next_try_pays_once(app, ada, stripe)


@pytest.mark.parametrize("path", [CUSTOMERS, INTENTS])
@pytest.mark.parametrize("fault", [DOWN, BROKEN, ANSWER_LOST], ids=["down", "500", "answer lost"])
def test_one_failure_is_repeated_with_the_same_key_unnoticed(
    app: Flask, ada: Customer, stripe: StubStripe, path: str, fault: Fault
) -> None:
    stripe.fails(path, fault)
    opens(app, ada)
    first, second = stripe.calls(path)
    assert first == second
    assert_next_try_pays_once(app, ada, stripe)


@pytest.mark.parametrize("path", [CUSTOMERS, INTENTS])
def test_an_answer_lost_after_the_effect_leads_to_the_same_object(
    app: Flask, ada: Customer, stripe: StubStripe, path: str
) -> None:
    stripe.fails(path, *[ANSWER_LOST] * (stripe_gateway.NETWORK_RETRIES + 1))
    with pytest.raises(StripeUnavailable):
        opens(app, ada)
    assert_nothing_counts(app, ada)
    assert len({asked.key for asked in stripe.calls(path)}) == 1
    assert_next_try_pays_once(app, ada, stripe)


def test_an_intent_whose_answer_was_lost_and_which_was_paid_all_the_same_is_credited(
    app: Flask, ada: Customer, stripe: StubStripe
) -> None:
    stripe.fails(INTENTS, *[ANSWER_LOST] * (stripe_gateway.NETWORK_RETRIES + 1))
    with pytest.raises(StripeUnavailable):
        opens(app, ada)
    (intent,) = stripe.intents.values()
    stripe.move(intent["id"], "succeeded")
    assert deliver(app.test_client(), an_event(intent)).status_code == 200
    assert books.balance(app, ada.id) == 1000


def test_a_slow_stripe_is_not_waited_for(
    settings: Config, stripe: StubStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time-out is a constant of the gateway, shortened before the app is built."""
    monkeypatch.setattr(stripe_gateway, "READ_TIMEOUT_SECONDS", 0.5)
    with closing(an_app(settings)) as app:
        ada = a_user(app, stripe_id=None)
        slow = Fault(drop=True, delay_seconds=1, after=True)
        stripe.fails(INTENTS, *[slow] * (stripe_gateway.NETWORK_RETRIES + 1))
        with pytest.raises(StripeUnavailable, match="does not answer"):
            opens(app, ada)
        assert_nothing_counts(app, ada)
        assert_next_try_pays_once(app, ada, stripe)


def test_a_refusal_makes_the_next_try_another_request(
    app: Flask, ada: Customer, stripe: StubStripe
) -> None:
    """Stripe keeps a refused request's key for the request as it was."""
    stripe.fails(INTENTS, REFUSES, REFUSES)
    for _ in range(2):
        with pytest.raises(StripeRefused):
            opens(app, ada)
    opened = opens(app, ada)
    keys = [asked.key for asked in stripe.calls(INTENTS)]
    assert keys == [f"{opened.payment_id}:{attempt}" for attempt in (1, 2, 3)]


@pytest.mark.parametrize("fault", [DOWN, Fault(status=503), BUSY], ids=["down", "503", "429"])
def test_an_outage_keeps_the_key(
    app: Flask, ada: Customer, stripe: StubStripe, fault: Fault
) -> None:
    """The outcome is unknown, or nothing was done: a repeat must be the same request."""
    stripe.fails(INTENTS, *[fault] * (stripe_gateway.NETWORK_RETRIES + 1))
    with pytest.raises(StripeUnavailable):
        opens(app, ada)
    stripe._faults.clear()
    opened = opens(app, ada)
    assert {asked.key for asked in stripe.calls(INTENTS)} == {f"{opened.payment_id}:1"}


@pytest.mark.parametrize("path", [CUSTOMERS, INTENTS])
def test_a_500_that_stripe_keeps_for_its_key_is_got_past(
    app: Flask, ada: Customer, stripe: StubStripe, path: str
) -> None:
    """Stripe answers the same 500 to the same key for a day: the next try needs another one."""
    stripe.fails(path, *[BROKEN] * (stripe_gateway.NETWORK_RETRIES + 1))
    with pytest.raises(StripeUnavailable):
        opens(app, ada)
    opens(app, ada)
    first, *_, last = stripe.calls(path)
    assert first.key != last.key


def test_an_intent_behind_a_500_that_is_paid_all_the_same_is_not_credited_twice(
    app: Flask, ada: Customer, stripe: StubStripe
) -> None:
    """Stripe made it, answered 500, and we went on with another: two intents, one purchase. Only
    one of them can be settled; money for the other is left to a person."""
    behind = Fault(status=500, after=True)
    stripe.fails(INTENTS, *[behind] * (stripe_gateway.NETWORK_RETRIES + 1))
    with pytest.raises(StripeUnavailable):
        opens(app, ada)
    (hidden,) = stripe.intents
    opened = opens(app, ada)
    assert opened.intent_id != hidden
    for intent_id in (opened.intent_id, hidden):
        stripe.move(intent_id, "succeeded")
        event = an_event(stripe.intents[intent_id])
        assert deliver(app.test_client(), event).status_code == 200
    assert sorted(books.read(app).event_states().values()) == ["handled", "parked"]
    assert books.balance(app, ada.id) == 1000
    books.assert_clean(app)


def test_a_customer_that_stripe_forgot_is_replaced(
    app: Flask, ada: Customer, stripe: StubStripe
) -> None:
    opens(app, ada, key="before-0123456789")
    (gone,) = stripe.customers
    stripe.forgets(gone)
    opened = opens(app, ada, key="afterwards-0123456789")
    (new,) = stripe.customers
    assert books.read(app).users[ada.id]["stripe_customer_id"] == new != gone
    assert stripe.intents[opened.intent_id]["customer"] == new
    first, second = stripe.calls(CUSTOMERS)
    assert first.key != second.key


@pytest.mark.parametrize("key", [KEY, None], ids=["with a key", "without"])
def test_an_intent_that_stripe_forgot_is_replaced(
    app: Flask, ada: Customer, stripe: StubStripe, key: str | None
) -> None:
    gone = opens(app, ada, key=key)
    stripe.forgets(gone.intent_id)
    new = opens(app, ada, key=key)
    assert new.intent_id != gone.intent_id
    rows = books.read(app).payments
    assert (rows[gone.payment_id]["status"], rows[new.payment_id]["status"]) == (
        "canceled",
        "requires_payment_method",
    )


def test_everything_forgotten_at_once_is_made_anew(
    app: Flask, ada: Customer, stripe: StubStripe
) -> None:
    """Other keys in .env: neither customer nor intent exists."""
    gone = opens(app, ada)
    stripe.forgets(gone.intent_id)
    stripe.customers.clear()
    new = opens(app, ada)
    assert new.intent_id in stripe.intents
    assert stripe.intents[new.intent_id]["customer"] in stripe.customers


@pytest.mark.parametrize(
    ("database_url", "scenario"),
    [("sqlite", "Opening"), ("postgresql", "Opening"), ("postgresql", "OpeningWithoutAKey")],
    indirect=["database_url"],
)
def test_a_crash_anywhere_while_opening_costs_nothing(
    database_url: str, stripe: StubStripe, scenario: str
) -> None:
    """R2 for the phases of opening: killed around each statement and each request to Stripe."""
    report = crash_everywhere(database_url, scenario, stripe_url=stripe.url, step=3)
    print(f"{scenario}: killed at {len(report.points)} points")
    assert len(report.points) > 24 // report.step
    assert report.violations == []
    users = {intent["metadata"]["user_id"] for intent in stripe.intents.values()}
    assert all(len(stripe.intents_of(user)) == 1 for user in users)
    assert (
        len(stripe.customers) == len(users) == len(report.points) + 2
    )  # one got through, one went before
