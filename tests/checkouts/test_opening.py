"""Opening a checkout: one session for one wish, refusals in words, and never two things to pay."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from storefront.checkouts import Checkout, Opened
from storefront.db import transaction, utcnow
from storefront.errors import BadInput, StripeUnavailable
from tests.fakestripe.harness import FakeStripe
from tests.support import books
from tests.support.at_checkout import buys, comes_back, confirms, opens_checkout, refusal
from tests.support.billing_rows import a_subscription
from tests.support.builders import Customer, a_user
from tests.support.checkouts import rows
from tests.support.races import at_once, raised

PREMIUM = ("premium_plan", "monthly")
YEARLY = ("premium_plan", "yearly")
DAY = 24 * 3600


@pytest.fixture
def buyer(app: Flask) -> Customer:
    return a_user(app, stripe_id=None)


def session_of(app: Flask, opened: Opened) -> str:
    id: str = rows(app, "checkouts")[opened.checkout_id or ""]["stripe_session_id"]
    return id


def at_stripe(fakestripe: FakeStripe, app: Flask, opened: Opened) -> Any:
    return fakestripe.control(f"objects/{session_of(app, opened)}")


def mine(app: Flask, customer: Customer) -> list[str]:
    """The states of the customer's checkouts, oldest first."""
    found = [it for it in rows(app, "checkouts").values() if it["user_id"] == customer.id]
    return [it["status"] for it in sorted(found, key=lambda it: str(it["created_at"]))]


def test_a_session_says_what_is_bought_by_whom_and_where_to_go_back(
    app: Flask, buyer: Customer, fakestripe: FakeStripe
) -> None:
    opened = opens_checkout(app, buyer, *PREMIUM)
    session = at_stripe(fakestripe, app, opened)
    row = rows(app, "checkouts")[opened.checkout_id or ""]
    names = {
        "user_id": buyer.id,
        "checkout_id": opened.checkout_id,
        "plan": "premium_plan",
        "interval": "monthly",
    }
    assert (opened.kind, opened.url) == ("checkout", session["url"])
    assert (session["mode"], session["amount_total"]) == ("subscription", 4900)
    assert session["client_reference_id"] == buyer.id
    assert session["customer"] == books.read(app).users[buyer.id]["stripe_customer_id"]
    assert session["metadata"] == names
    assert session["allow_promotion_codes"] is True
    back = "https://shop.example/billing?checkout_status="
    assert session["success_url"] == back + "success&session_id={CHECKOUT_SESSION_ID}"
    assert session["cancel_url"] == back + "canceled&plan=premium_plan&interval=monthly"
    assert (row["status"], row["amount_cents"], row["credits"]) == ("open", 4900, 0)


def test_what_a_session_makes_has_its_metadata(
    app: Flask, buyer: Customer, fakestripe: FakeStripe
) -> None:
    once = buys(app, buyer, "standard_pack")
    monthly = buys(app, buyer, *PREMIUM)
    intent = fakestripe.control(f"objects/{at_stripe(fakestripe, app, once)['payment_intent']}")
    made = fakestripe.control(f"objects/{at_stripe(fakestripe, app, monthly)['subscription']}")
    assert intent["metadata"]["checkout_id"] == once.checkout_id
    assert made["metadata"]["checkout_id"] == monthly.checkout_id
    assert made["metadata"]["user_id"] == intent["metadata"]["user_id"] == buyer.id


def test_a_double_click_makes_one_session(app: Flask, buyer: Customer) -> None:
    assert opens_checkout(app, buyer, *PREMIUM) == opens_checkout(app, buyer, *PREMIUM)
    assert mine(app, buyer) == ["open"]


def test_clicks_at_the_same_moment_make_one_session(app: Flask, buyer: Customer) -> None:
    clicks = [partial(opens_checkout, app, buyer, *PREMIUM)] * 6
    outcomes = at_once(app, clicks)
    assert raised(outcomes) == []
    assert len({str(it) for it in outcomes}) == 1
    assert mine(app, buyer) == ["open"]


def test_different_choices_at_the_same_moment_leave_one_to_pay(
    app: Flask, buyer: Customer, fakestripe: FakeStripe
) -> None:
    """Who was overtaken is told so, or was given a page that is closed by now."""
    clicks = [partial(opens_checkout, app, buyer, *each) for each in (PREMIUM, YEARLY) * 3]
    errors = raised(at_once(app, clicks))
    assert {type(it) for it in errors} <= {BadInput}, errors
    assert sorted(set(mine(app, buyer))) in (["expired", "open"], ["open"])
    assert mine(app, buyer).count("open") == 1
    sessions = fakestripe.control("objects?type=checkout.session&limit=1000")["data"]
    shown = {it["stripe_session_id"] for it in rows(app, "checkouts").values()}
    still_open = [it for it in sessions if it["status"] == "open" and it["id"] in shown]
    assert [it["client_reference_id"] for it in still_open].count(buyer.id) == 1


REFUSED = {
    "an unknown plan": (("gold", "monthly"), "There is no such plan. Plans: free_tier,"),
    "no plan": ((None, "monthly"), "There is no such plan."),
    "the free plan": (("free_tier", "monthly"), "Free costs nothing, so there is nothing to buy."),
    "an interval": (
        ("premium_plan", "weekly"),
        "Premium is not sold that way. It is sold: monthly or yearly.",
    ),
    "a pack by the month": (
        ("standard_pack", "monthly"),
        "Standard Pack is not sold that way. It is sold: one-time.",
    ),
    "two subscriptions": ((*PREMIUM, 2), "The quantity of Premium must be 1."),
    "nothing": (("seats", "one_time", 0), "The quantity of Seats must be a whole number from 1"),
    "too many": (("seats", "one_time", 6), "The quantity of Seats must be a whole number from 1"),
}


@pytest.mark.parametrize(("asked", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_bought_is_refused_in_words(
    app: Flask, buyer: Customer, asked: tuple[Any, ...], says: str
) -> None:
    assert refusal(app, buyer, *asked).startswith(says)
    assert rows(app, "checkouts") == {}
    assert books.read(app).users[buyer.id]["stripe_customer_id"] is None


def test_a_plan_whose_price_stripe_does_not_have_is_not_available(
    app: Flask, buyer: Customer
) -> None:
    books.execute(app, "DELETE FROM stripe_prices")
    assert refusal(app, buyer, *PREMIUM) == "Premium is not available yet. Nothing was charged."


def test_a_price_that_stripe_stopped_selling_is_not_offered_again(
    app: Flask, buyer: Customer, fakestripe: FakeStripe
) -> None:
    prices = rows(app, "stripe_prices").values()
    id = next(it["id"] for it in prices if it["plan"] == "tried_plan")
    client = fakestripe.client()
    client.v1.prices.update(id, {"active": False})
    try:
        assert refusal(app, buyer, "tried_plan", "monthly").startswith("Tried is not available")
        assert not rows(app, "stripe_prices")[id]["current"]
    finally:
        client.v1.prices.update(id, {"active": True})


def test_a_one_time_plan_is_bought_once(app: Flask, buyer: Customer) -> None:
    opened = buys(app, buyer, "standard_pack")
    assert comes_back(app, buyer, opened) == "active"
    assert refusal(app, buyer, "standard_pack", "one_time") == (
        "You have bought Standard Pack already."
    )


def test_a_purchase_that_nobody_told_us_of_is_found_and_not_sold_again(
    app: Flask, buyer: Customer
) -> None:
    """Neither webhook nor success page: the open checkout turns out to be paid."""
    buys(app, buyer, "standard_pack")
    assert books.balance(app, buyer.id) == 0
    assert refusal(app, buyer, "standard_pack", "one_time").startswith("You have bought")
    assert books.balance(app, buyer.id) == 3000


def test_of_some_plans_several_may_be_had(app: Flask, buyer: Customer) -> None:
    opened = opens_checkout(app, buyer, "seats", "one_time", 3)
    confirms(opened)
    assert comes_back(app, buyer, opened) == "active"
    assert books.balance(app, buyer.id) == 30
    payment = next(iter(books.read(app).payments.values()))
    assert (payment["quantity"], payment["amount_cents"]) == (3, 2100)
    said = refusal(app, buyer, "seats", "one_time", 3)
    assert said == "You may have 5 of Seats, and you have 3 already."
    assert opens_checkout(app, buyer, "seats", "one_time", 2).kind == "checkout"


def test_what_was_refunded_in_full_may_be_bought_again(app: Flask, buyer: Customer) -> None:
    opened = buys(app, buyer, "standard_pack")
    comes_back(app, buyer, opened)
    books.execute(app, "UPDATE payments SET amount_refunded = 1000")
    assert refusal(app, buyer, "standard_pack", "one_time").startswith("You have bought")
    books.execute(app, "UPDATE payments SET amount_refunded = amount_received")
    assert opens_checkout(app, buyer, "standard_pack").kind == "checkout"


def test_who_has_a_subscription_changes_it_in_the_portal(app: Flask, buyer: Customer) -> None:
    opened = buys(app, buyer, *PREMIUM)
    assert comes_back(app, buyer, opened) == "active"
    assert opens_checkout(app, buyer, *YEARLY) == Opened(
        "portal", plan="premium_plan", interval="yearly"
    )
    assert refusal(app, buyer, *PREMIUM) == "This is your plan already."
    assert opens_checkout(app, buyer, "standard_pack").kind == "checkout", "that is another thing"


def test_a_subscription_that_nobody_told_us_of_is_found_and_not_sold_again(
    app: Flask, buyer: Customer
) -> None:
    buys(app, buyer, *PREMIUM)
    assert opens_checkout(app, buyer, *YEARLY).kind == "portal"
    assert refusal(app, buyer, *PREMIUM) == "This is your plan already."


@pytest.mark.parametrize("status", ["unpaid", "paused", "incomplete"])
def test_what_must_be_put_right_first_leads_to_the_portal(app: Flask, status: str) -> None:
    customer = a_user(app)
    a_subscription(app, customer, status)
    assert opens_checkout(app, customer, *YEARLY) == Opened("portal")
    assert opens_checkout(app, customer, *PREMIUM) == Opened("portal")


@pytest.mark.parametrize("end", [{"cancel_at_period_end": True}, {"cancel_at": utcnow()}])
def test_a_subscription_that_will_end_can_be_resumed_in_the_portal(
    app: Flask, end: dict[str, Any]
) -> None:
    customer = a_user(app)
    a_subscription(app, customer, **end)
    assert opens_checkout(app, customer, *PREMIUM) == Opened("portal")


@pytest.mark.parametrize("status", ["canceled", "incomplete_expired"])
def test_who_had_a_subscription_may_buy_another(app: Flask, buyer: Customer, status: str) -> None:
    a_subscription(app, buyer, status)
    assert opens_checkout(app, buyer, *PREMIUM).kind == "checkout"


def test_a_trial_is_given_once(app: Flask, buyer: Customer, fakestripe: FakeStripe) -> None:
    first = opens_checkout(app, buyer, "tried_plan", "monthly")
    assert at_stripe(fakestripe, app, first)["amount_total"] == 0
    other = a_user(app, stripe_id=None)
    a_subscription(app, other, "canceled")
    again = opens_checkout(app, other, "tried_plan", "monthly")
    assert at_stripe(fakestripe, app, again)["amount_total"] == 1500


def test_another_choice_closes_the_page_that_was_open(
    app: Flask, buyer: Customer, fakestripe: FakeStripe
) -> None:
    monthly = opens_checkout(app, buyer, *PREMIUM)
    yearly = opens_checkout(app, buyer, *YEARLY)
    assert at_stripe(fakestripe, app, monthly)["status"] == "expired"
    assert at_stripe(fakestripe, app, yearly)["status"] == "open"
    assert mine(app, buyer) == ["expired", "open"]


def test_another_thing_closes_nothing(app: Flask, buyer: Customer) -> None:
    for choice in (PREMIUM, ("standard_pack", "one_time"), ("seats", "one_time")):
        opens_checkout(app, buyer, *choice)
    assert mine(app, buyer) == ["open"] * 3


def test_a_changed_price_opens_another_page(app: Flask, buyer: Customer) -> None:
    first = opens_checkout(app, buyer, *PREMIUM)
    books.execute(app, "UPDATE checkouts SET amount_cents = 100")
    second = opens_checkout(app, buyer, *PREMIUM)
    assert first.checkout_id != second.checkout_id
    assert mine(app, buyer) == ["expired", "open"]


def test_a_page_that_has_expired_is_opened_anew(
    app: Flask, buyer: Customer, fakestripe: FakeStripe
) -> None:
    first = opens_checkout(app, buyer, *PREMIUM)
    fakestripe.client().v1.checkout.sessions.expire(session_of(app, first))
    second = opens_checkout(app, buyer, *PREMIUM)
    assert first.url != second.url
    assert mine(app, buyer) == ["expired", "open"]


def test_a_page_that_is_about_to_expire_is_not_taken_up(app: Flask, buyer: Customer) -> None:
    first = opens_checkout(app, buyer, *PREMIUM)
    with app.app_context(), transaction() as session:
        session.execute(update(Checkout).values(created_at=utcnow() - timedelta(hours=23.5)))
    second = opens_checkout(app, buyer, *PREMIUM)
    assert first.checkout_id != second.checkout_id
    assert mine(app, buyer) == ["expired", "open"]


def test_a_page_made_with_other_keys_is_forgotten(app: Flask, buyer: Customer) -> None:
    first = opens_checkout(app, buyer, *PREMIUM)
    books.execute(app, "UPDATE checkouts SET stripe_session_id = 'cs_test_of_another_account'")
    second = opens_checkout(app, buyer, *PREMIUM)
    assert first.checkout_id != second.checkout_id
    assert mine(app, buyer) == ["expired", "open"]


def test_a_customer_whom_stripe_does_not_know_is_made_anew(app: Flask) -> None:
    customer = a_user(app, stripe_id="cus_of_another_account")
    assert opens_checkout(app, customer, *PREMIUM).kind == "checkout"
    stored = books.read(app).users[customer.id]["stripe_customer_id"]
    assert stored not in (None, "cus_of_another_account")
    assert mine(app, customer) == ["open"]


@contextmanager
def troubled(fakestripe: FakeStripe, *faults: dict[str, Any]) -> Iterator[None]:
    """These faults for whatever is asked of Checkout Sessions."""
    for fault in faults:
        fakestripe.control("faults", fault | {"path": "/v1/checkout/sessions*"})
    try:
        yield
    finally:
        fakestripe.control("faults", method="DELETE")


DOWN = ({"kind": "drop"},)
ANSWER_LOST = ({"kind": "drop", "count": 1}, {"kind": "drop_after"})
"""The first request is lost, the repeated one is done and its answer lost."""


@pytest.mark.parametrize("faults", [DOWN, ANSWER_LOST], ids=["down", "answer lost"])
def test_when_stripe_does_not_answer_the_next_click_takes_up_the_same(
    app: Flask, buyer: Customer, fakestripe: FakeStripe, faults: tuple[dict[str, Any], ...]
) -> None:
    """Also when only the answer was lost: the idempotency key finds the session again."""
    with troubled(fakestripe, *faults), pytest.raises(StripeUnavailable):
        opens_checkout(app, buyer, *PREMIUM)
    assert mine(app, buyer) == ["opened"]
    assert opens_checkout(app, buyer, *PREMIUM).kind == "checkout"
    assert mine(app, buyer) == ["open"]
    sessions = fakestripe.control("objects?type=checkout.session&limit=1000")["data"]
    assert [it["client_reference_id"] for it in sessions].count(buyer.id) == 1


def test_after_a_500_another_idempotency_key_is_used(
    app: Flask, buyer: Customer, fakestripe: FakeStripe
) -> None:
    """Stripe repeats a 500 for the same key, for ever."""
    fault = {"kind": "status", "status": 500, "count": 2}
    with troubled(fakestripe, fault), pytest.raises(StripeUnavailable):
        opens_checkout(app, buyer, *PREMIUM)
    assert opens_checkout(app, buyer, *PREMIUM).kind == "checkout"
    assert [it["attempt"] for it in rows(app, "checkouts").values()] == [2]
