"""Top-ups that nobody went on with: Stripe is asked, and what it says is applied."""

from datetime import timedelta

import pytest

from storefront import sweeping
from tests.support import books
from tests.support.builders import Customer, deliver
from tests.support.served import ServedShop
from tests.support.shopping import opens
from tests.support.swept import (
    at_stripe,
    expire_stale,
    forgets_its_intent,
    grows_old,
    statuses,
    told,
)

SLOW_BANK = "pm_card_standInProcessingSucceeds"


@pytest.fixture
def ada(deaf: ServedShop) -> Customer:
    return deaf.a_buyer()


def test_what_was_never_paid_is_canceled_and_the_customer_begins_anew(
    deaf: ServedShop, ada: Customer
) -> None:
    old = opens(deaf.app, ada)
    grows_old(deaf.app)
    code, lines = expire_stale(deaf.app)
    assert (code, told(lines, old.payment_id)) == (0, "canceled")
    assert lines[-1] == "settled: 0, canceled: 1, left alone: 0, failed: 0"
    assert at_stripe(deaf.stripe, old.intent_id)["status"] == "canceled"
    assert statuses(deaf.app) == {old.payment_id: "canceled"}
    assert not deaf.pays(old.intent_id).ok, "nobody pays it now"
    new = opens(deaf.app, ada)
    assert new.payment_id != old.payment_id
    assert expire_stale(deaf.app)[1] == ["settled: 0, canceled: 0, left alone: 0, failed: 0"]
    deaf.pays(new.intent_id)


def test_what_was_paid_is_settled_once_and_the_late_webhook_changes_nothing(
    deaf: ServedShop, ada: Customer
) -> None:
    payment_id = deaf.buys(ada, "usd_10", "a-key-0123456789")
    grows_old(deaf.app)
    assert told(expire_stale(deaf.app)[1], payment_id) == "settled"
    (event,) = deaf.stripe.events("payment_intent.succeeded")
    assert deliver(deaf.app.test_client(), event).status_code == 200
    assert expire_stale(deaf.app)[1] == ["settled: 0, canceled: 0, left alone: 0, failed: 0"]
    assert deaf.balance(ada) == 1000
    books.assert_clean(deaf.app)


def test_what_the_bank_works_on_is_left_alone_until_it_is_decided(
    deaf: ServedShop, ada: Customer
) -> None:
    payment_id = deaf.buys(ada, "usd_10", "a-key-0123456789", card=SLOW_BANK)
    grows_old(deaf.app)
    assert told(expire_stale(deaf.app)[1], payment_id) == "left alone"
    deaf.stripe.advance(600)
    grows_old(deaf.app)
    assert told(expire_stale(deaf.app)[1], payment_id) == "settled"
    assert deaf.balance(ada) == 1000


def test_what_is_young_or_was_touched_lately_is_not_looked_at(
    deaf: ServedShop, ada: Customer
) -> None:
    """A customer who takes up an old payment may be at it."""
    opened = opens(deaf.app, ada)
    grows_old(deaf.app, by=timedelta(hours=23))
    assert len(expire_stale(deaf.app)[1]) == 1
    grows_old(deaf.app)
    assert opens(deaf.app, ada) == opened, "taken up again"
    assert len(expire_stale(deaf.app)[1]) == 1
    assert told(expire_stale(deaf.app, "--older-than", "0m")[1], opened.payment_id) == "canceled"


def test_rows_that_do_not_know_their_intent_are_looked_up_at_stripe(
    deaf: ServedShop, ada: Customer
) -> None:
    """A crash between the phases: the intent was made and left, made and paid, never made."""
    left = opens(deaf.app, ada, key="left-0123456789ab")
    paid = opens(deaf.app, ada, key="paid-0123456789ab")
    never = opens(deaf.app, a := deaf.a_buyer(), key="never-0123456789")
    deaf.pays(paid.intent_id)
    for opened in (left, paid, never):
        forgets_its_intent(deaf.app, opened.payment_id)
    books.execute(deaf.app, "UPDATE users SET stripe_customer_id = NULL WHERE id = :id", id=a.id)
    grows_old(deaf.app)
    code, lines = expire_stale(deaf.app)
    said = [told(lines, it.payment_id) for it in (left, paid, never)]
    assert (code, said) == (0, ["canceled", "settled", "canceled"])
    assert at_stripe(deaf.stripe, left.intent_id)["status"] == "canceled"
    assert [statuses(deaf.app)[it.payment_id] for it in (left, paid, never)] == [
        "canceled",
        "succeeded",
        "canceled",
    ]
    assert deaf.balance(ada) == 1000
    assert len(deaf.stripe.control("objects?type=payment_intent")["data"]) == 3, "none is made"


def test_an_intent_whose_customer_stripe_deleted_is_closed_all_the_same(
    deaf: ServedShop, ada: Customer
) -> None:
    opened = opens(deaf.app, ada)
    books.execute(deaf.app, "UPDATE users SET stripe_customer_id = NULL")
    grows_old(deaf.app)
    assert told(expire_stale(deaf.app)[1], opened.payment_id) == "canceled"
    assert at_stripe(deaf.stripe, opened.intent_id)["status"] == "canceled"
    assert statuses(deaf.app) == {opened.payment_id: "canceled"}


def test_a_dry_run_tells_and_changes_nothing(deaf: ServedShop, ada: Customer) -> None:
    unpaid = opens(deaf.app, ada)
    paid_id = deaf.buys(deaf.a_buyer(), "usd_5", "a-key-0123456789")
    grows_old(deaf.app)
    before = books.read(deaf.app)
    code, lines = expire_stale(deaf.app, "--dry-run")
    assert (code, told(lines, unpaid.payment_id)) == (0, "would be canceled")
    assert told(lines, paid_id) == "would be settled"
    assert books.read(deaf.app) == before
    assert at_stripe(deaf.stripe, unpaid.intent_id)["status"] == "requires_payment_method"


def test_one_that_fails_stops_no_other_and_is_named(
    deaf: ServedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over several pages; with money that contradicts our row in the first place."""
    monkeypatch.setattr(sweeping.walking, "PAGE", 2)
    opened = [opens(deaf.app, deaf.a_buyer()) for _ in range(5)]
    for each, hours in zip(opened, range(40, 30, -2), strict=True):
        grows_old(deaf.app, each.payment_id, timedelta(hours=hours))
    bad = opened[0].payment_id
    deaf.pays(opened[0].intent_id)
    books.execute(deaf.app, "UPDATE payments SET amount_cents = 7 WHERE id = :id", id=bad)
    code, lines = expire_stale(deaf.app)
    assert code == 1
    assert "of 1000 usd" in told(lines, bad) and "of 7 usd" in told(lines, bad)
    assert lines[-1] == "settled: 0, canceled: 4, left alone: 0, failed: 1"
    assert books.read(deaf.app).transfers == {}


def test_a_stripe_that_does_not_answer_is_not_asked_a_thousand_times(deaf: ServedShop) -> None:
    for _ in range(5):
        opens(deaf.app, deaf.a_buyer())
    grows_old(deaf.app)
    deaf.stripe.control("faults", {"path": "/v1/payment_intents*", "kind": "status", "status": 503})
    code, lines = expire_stale(deaf.app)
    assert code == 1
    assert [line for line in lines if line.startswith("settled")] == [
        "settled: 0, canceled: 0, left alone: 0, failed: 3"
    ]
    assert lines[-1].startswith("Error: Ended early: The payment service does not answer.")
    deaf.stripe.control("faults", method="DELETE")
    assert expire_stale(deaf.app)[0] == 0
    assert set(statuses(deaf.app).values()) == {"canceled"}


def test_an_age_that_is_none_is_refused_with_what_would_be_one(deaf: ServedShop) -> None:
    code, lines = expire_stale(deaf.app, "--older-than", "a day")
    assert code == 2
    assert "'a day' is not an age; write such as 90d, 12h or 30m." in lines[-1]
