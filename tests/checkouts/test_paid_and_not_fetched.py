"""A subscription that was paid, and of which we know no more than its name: the worker that would
ask Stripe is away, or Stripe was when it was asked."""

import pytest
from flask import Flask

from storefront import handlers
from storefront.errors import StripeUnavailable
from tests.fakestripe.harness import FakeStripe
from tests.support import books
from tests.support.at_checkout import buys, opens_checkout, refusal
from tests.support.builders import Customer, a_user, event_of

PREMIUM = ("premium_plan", "monthly")
YEARLY = ("premium_plan", "yearly")


@pytest.fixture
def subscriber(app: Flask, fakestripe: FakeStripe) -> Customer:
    """Stripe has told that Checkout is complete, and nobody has done what that promised."""
    customer = a_user(app, stripe_id=None)
    buys(app, customer, *PREMIUM)
    told = fakestripe.events("checkout.session.completed")[-1]
    with app.app_context():
        assert handlers.handle(event_of(app, told)).state == "handled"
    return customer


def test_it_is_fetched_and_not_sold_again(app: Flask, subscriber: Customer) -> None:
    assert opens_checkout(app, subscriber, *YEARLY).kind == "portal"
    assert refusal(app, subscriber, *PREMIUM) == "This is your plan already."


def test_no_other_is_sold_as_long_as_stripe_cannot_be_asked(
    app: Flask, subscriber: Customer, fakestripe: FakeStripe
) -> None:
    fakestripe.control("faults", {"kind": "drop", "path": "/v1/subscriptions/*"})
    with pytest.raises(StripeUnavailable):
        opens_checkout(app, subscriber, *YEARLY)
    fakestripe.control("faults", method="DELETE")
    assert opens_checkout(app, subscriber, *YEARLY).kind == "portal"


def test_one_that_stripe_does_not_know_is_in_nobodys_way(app: Flask, subscriber: Customer) -> None:
    """It was made with other keys."""
    books.execute(app, "UPDATE checkouts SET stripe_subscription_id = 'sub_of_other_keys'")
    assert opens_checkout(app, subscriber, *PREMIUM).kind == "checkout"
