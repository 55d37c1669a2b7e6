"""Subscriptions at fakestripe and our rows of them: stories, and answers that come late."""

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from storefront import subscriptions
from storefront.db import db, transaction
from storefront.errors import StripeUnavailable
from storefront.stripe_gateway import SubscriptionFacts
from storefront.users import User
from tests.fakestripe.billing.shop import use_card
from tests.subscriptions.real import DAY, Billing, catalog, gateway
from tests.support import books
from tests.support.builders import a_user
from tests.support.promised import states


def test_our_row_says_what_stripe_says(billing: Billing) -> None:
    ada = billing.a_customer()
    id = billing.subscribes(ada, "basic_monthly", metadata={"user_id": ada.id})
    billing.sync(id)
    row, theirs = billing.row(id), billing.client.v1.subscriptions.retrieve(id)
    item: Any = theirs["items"].data[0]
    assert (row.user_id, row.plan, row.interval, row.status) == (
        ada.id, "basic", "monthly", "active",
    )  # fmt: skip
    assert (row.stripe_item_id, row.stripe_price_id) == (item.id, billing.prices["basic_monthly"])
    assert row.stripe_product_id == item.price.product
    assert row.current_period_start == moment(item.current_period_start)
    assert row.current_period_end == moment(item.current_period_end)
    assert (row.quantity, row.version, row.trial_end, row.ended_at) == (1, 1, None, None)
    assert row.started_at == moment(theirs.start_date)


def test_a_change_in_the_portal_is_mirrored(billing: Billing) -> None:
    ada = billing.a_customer()
    id = billing.subscribes(ada, "basic_monthly")
    billing.sync(id)
    billing.changes(id, "pro_yearly")
    billing.client.v1.subscriptions.update(id, {"cancel_at": "min_period_end"})
    billing.sync(id)
    row = billing.row(id)
    assert (row.plan, row.interval, row.version) == ("pro", "yearly", 2)
    assert (row.cancel_at, row.cancel_at_period_end) == (row.current_period_end, False)


def test_a_cancellation_ends_the_row_and_promises_one_mail(billing: Billing) -> None:
    ada = billing.a_customer()
    id = billing.subscribes(ada, "basic_monthly")
    billing.sync(id)
    assert states(billing.app) == {}
    billing.client.v1.subscriptions.cancel(id)
    for _ in range(3):
        billing.sync(id)
    row = billing.row(id)
    assert (row.status, row.ended_at is not None) == ("canceled", True)
    assert list(states(billing.app)) == [f"mail_subscription_cancelled:{id}"]


def test_past_due_is_dated_by_when_it_was_first_seen(billing: Billing) -> None:
    ada = billing.a_customer()
    id = billing.subscribes(ada, "basic_monthly")
    use_card(billing.client, ada.stripe_id, "pm_card_chargeCustomerFail")
    billing.stripe.advance(32 * DAY)
    billing.sync(id)
    since = billing.row(id).past_due_since
    assert billing.row(id).status == "past_due" and since is not None
    billing.sync(id)
    assert billing.row(id).past_due_since == since
    use_card(billing.client, ada.stripe_id, "pm_card_visa")
    billing.stripe.advance(5 * DAY)
    billing.sync(id)
    assert (billing.row(id).status, billing.row(id).past_due_since) == ("active", None)


def test_a_price_that_is_none_of_ours_is_mirrored_without_a_plan(billing: Billing) -> None:
    ada = billing.a_customer()
    product = billing.client.v1.products.create({"name": "Somebody else's"})
    foreign = billing.client.v1.prices.create(
        {
            "product": product.id,
            "unit_amount": 100,
            "currency": "usd",
            "recurring": {"interval": "month"},
        }
    )
    billing.prices["foreign"] = foreign.id
    id = billing.subscribes(ada, "foreign")
    billing.syncs(ada, id)
    assert (billing.row(id).plan, billing.row(id).interval) == (None, None)
    (invoice,) = billing.invoices(ada)
    assert (invoice.description, invoice.credited_at is not None) == ("Subscription", True)
    assert billing.amounts(ada) == []


def test_nobody_elses_subscription_is_stored(billing: Billing) -> None:
    stranger = billing.a_customer()
    id = billing.subscribes(stranger, "basic_monthly")
    with billing.app.app_context(), transaction() as session:
        session.get_one(User, stranger.id).stripe_customer_id = None
    assert billing.sync(id) is None
    billing.sync_invoices(stranger)
    assert billing.invoices(stranger) == []


def test_a_subscription_that_stripe_does_not_know(billing: Billing) -> None:
    assert billing.sync("sub_of_other_keys") is None
    ada = billing.a_customer()
    id = billing.subscribes(ada, "basic_monthly")
    billing.sync(id)
    books.execute(billing.app, "UPDATE subscriptions SET stripe_subscription_id = 'sub_gone'")
    kept = billing.sync("sub_gone")
    assert kept is not None and kept.status == "active"


def test_the_owner_stays_when_the_customer_is_deleted_at_stripe(billing: Billing) -> None:
    ada = billing.a_customer()
    id = billing.subscribes(ada, "basic_monthly")
    billing.syncs(ada, id)
    billing.client.v1.customers.delete(ada.stripe_id)
    with billing.app.app_context(), transaction() as session:
        session.get_one(User, ada.id).stripe_customer_id = None
    billing.syncs(ada, id)
    assert (billing.row(id).user_id, billing.row(id).status) == (ada.id, "canceled")


class LateAnswers:
    """A gateway whose first answers come late: before each is handed over, something happens."""

    def __init__(self, app: Flask, *meanwhile: Any) -> None:
        self.real = gateway(app)
        self.meanwhile = list(meanwhile)
        self.asked = 0

    def retrieve_subscription(self, id: str) -> SubscriptionFacts:
        self.asked += 1
        return self._late(self.real.retrieve_subscription(id))

    def list_invoices(self, customer: str) -> Any:
        self.asked += 1
        return self._late(self.real.list_invoices(customer))

    def retrieve_price(self, id: str) -> Any:
        return self.real.retrieve_price(id)

    def _late(self, answer: Any) -> Any:
        if self.meanwhile:
            self.meanwhile.pop(0)()
        return answer


def syncs_late(billing: Billing, late: Any, id: str) -> None:
    with billing.app.app_context():
        subscriptions.sync(late, catalog(billing.app), False, id)


def test_an_older_answer_never_overwrites_a_newer_one(billing: Billing) -> None:
    ada = billing.a_customer()
    id = billing.subscribes(ada, "basic_monthly")
    billing.sync(id)

    def overtakes() -> None:
        billing.changes(id, "pro_monthly")
        billing.sync(id)

    late = LateAnswers(billing.app, overtakes)
    syncs_late(billing, late, id)
    assert (billing.row(id).plan, late.asked) == ("pro", 2)


def test_a_first_answer_that_is_overtaken_makes_no_second_row(billing: Billing) -> None:
    ada = billing.a_customer()
    id = billing.subscribes(ada, "basic_monthly")
    late = LateAnswers(billing.app, lambda: billing.sync(id))
    syncs_late(billing, late, id)
    assert late.asked == 2
    with billing.app.app_context():
        assert len(subscriptions.of_user(db.session(), ada.id)) == 1


def test_who_is_overtaken_twice_leaves_the_newer_row(billing: Billing) -> None:
    ada = billing.a_customer()
    id = billing.subscribes(ada, "basic_monthly")

    def another(price: str) -> Any:
        def overtakes() -> None:
            billing.changes(id, price)
            billing.sync(id)

        return overtakes

    late = LateAnswers(billing.app, another("pro_monthly"), another("lasting_monthly"))
    syncs_late(billing, late, id)
    assert (billing.row(id).plan, late.asked) == ("lasting", 2)


def test_what_is_over_stays_so(billing: Billing) -> None:
    """Even should the versions agree: a row of an old backup, say."""
    ada = billing.a_customer()
    id = billing.subscribes(ada, "basic_monthly")
    billing.sync(id)
    books.execute(billing.app, "UPDATE subscriptions SET status = 'canceled'")
    billing.sync(id)
    assert billing.row(id).status == "canceled"


def test_an_older_list_of_invoices_undoes_nothing(billing: Billing) -> None:
    ada = billing.a_customer("pm_card_chargeCustomerFail")
    id = billing.subscribes(ada, "basic_monthly", payment_behavior="default_incomplete")
    billing.syncs(ada, id)
    (invoice,) = billing.invoices(ada)
    assert (invoice.status, billing.amounts(ada)) == ("open", [])

    def pays() -> None:
        use_card(billing.client, ada.stripe_id, "pm_card_visa")
        billing.client.v1.invoices.pay(invoice.id)
        billing.syncs(ada, id)

    late: Any = LateAnswers(billing.app, pays)
    with billing.app.app_context():
        subscriptions.sync_invoices(late, catalog(billing.app), False, ada.stripe_id)
    (invoice,) = billing.invoices(ada)
    assert (invoice.status, billing.amounts(ada)) == ("paid", [1000])


def test_when_stripe_does_not_answer_nothing_is_stored(app: Flask) -> None:
    ada = a_user(app)
    with app.app_context():
        with pytest.raises(StripeUnavailable):
            subscriptions.sync(gateway(app), catalog(app), False, "sub_1")
        with pytest.raises(StripeUnavailable):
            subscriptions.sync_invoices(gateway(app), catalog(app), False, ada.stripe_id)
        assert subscriptions.of_user(db.session(), ada.id) == []


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
