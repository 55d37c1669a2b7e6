"""Invoices at fakestripe, from the first month to the last: rows, credits, and the wrong order."""

import random
from collections.abc import Callable
from functools import partial
from itertools import pairwise

from flask import Flask

from storefront import ledger, subscriptions
from storefront.db import db, transaction
from tests.fakestripe.billing.shop import use_card
from tests.subscriptions.real import (
    DAY,
    Billing,
    everything,
    plan_credits,
    the_same_customer,
)
from tests.support import books
from tests.support.books import is_sqlite
from tests.support.builders import Customer
from tests.support.lots import assert_lots_add_up
from tests.support.promised import states
from tests.support.races import at_once, raised
from tests.support.thoroughness import usually


def test_a_month_and_its_renewal(billing: Billing) -> None:
    ada = billing.a_customer()
    id = billing.subscribes(ada, "basic_monthly")
    billing.syncs(ada, id)
    assert billing.amounts(ada) == [1000]
    billing.stripe.advance(32 * DAY)
    billing.syncs(ada, id)
    assert billing.amounts(ada) == [1000, 1000]
    newest, oldest = billing.invoices(ada)
    assert (oldest.billing_reason, newest.billing_reason) == (
        "subscription_create", "subscription_cycle",
    )  # fmt: skip
    assert (newest.description, newest.status, newest.amount_paid) == (
        "Basic, monthly",
        "paid",
        1000,
    )
    assert newest.stripe_intent_id and newest.hosted_invoice_url and newest.invoice_pdf
    assert {f"invoice_paid:{it.id}" for it in (newest, oldest)} == set(states(billing.app))
    first, second = plan_credits(billing.app, ada)
    assert first.period_end == second.period_start
    books.assert_clean(billing.app)


def test_a_trial_brings_credits_when_it_is_over(billing: Billing) -> None:
    ada = billing.a_customer()
    id = billing.subscribes(ada, "basic_monthly", trial_period_days=7)
    billing.syncs(ada, id)
    assert (billing.row(id).status, billing.amounts(ada)) == ("trialing", [])
    (invoice,) = billing.invoices(ada)
    assert (invoice.total, invoice.credited_at is not None) == (0, True)
    billing.stripe.advance(8 * DAY)
    billing.syncs(ada, id)
    assert (billing.row(id).status, billing.amounts(ada)) == ("active", [1000])


def test_a_coupon_takes_money_off_and_no_credits(billing: Billing) -> None:
    ada = billing.a_customer()
    coupon = billing.client.v1.coupons.create({"percent_off": 100, "duration": "once"})
    billing.subscribes(ada, "basic_monthly", discounts=[{"coupon": coupon.id}])
    billing.sync_invoices(ada)
    assert billing.amounts(ada) == [1000]
    assert [it.total for it in billing.invoices(ada)] == [0]


def test_upgrade_spend_downgrade_brings_no_free_credits(billing: Billing) -> None:
    """In the end she had what a month of Basic, and the time on Pro, bring."""
    ada = billing.a_customer()
    id = billing.subscribes(ada, "basic_monthly")
    billing.syncs(ada, id)
    for _ in range(3):
        billing.changes(id, "pro_monthly")
        billing.syncs(ada, id)
        with billing.app.app_context(), transaction() as session:
            left = ledger.balance(session, ada.id)
            if left:
                ledger.spend(session, ada.id, left, id=f"spends {left} {billing.amounts(ada)}")
        billing.changes(id, "basic_monthly")
        billing.syncs(ada, id)
    granted = sum(billing.amounts(ada))
    assert 2980 <= granted <= 3000, "Pro was there for seconds: its credits were lent"
    assert 1990 <= billing.owed(ada) <= 2010
    for _ in range(2):
        billing.stripe.advance(32 * DAY)
        billing.syncs(ada, id)
    assert sum(billing.amounts(ada)) == granted, "two months of Basic pay it off"
    assert billing.owed(ada) < 20
    books.assert_clean(billing.app)


def test_a_change_to_yearly_is_described_by_what_was_bought(billing: Billing) -> None:
    ada = billing.a_customer()
    id = billing.subscribes(ada, "basic_monthly")
    billing.stripe.advance(5 * DAY)
    billing.changes(id, "lasting_yearly")
    billing.syncs(ada, id)
    assert [it.description for it in billing.invoices(ada)] == ["Lasting, yearly", "Basic, monthly"]
    by_credits = sorted(plan_credits(billing.app, ada), key=lambda row: row.credits)
    returned, basic, lasting = by_credits
    assert (basic.ended_at, returned.credits < 0) == (returned.period_start, True)
    assert (lasting.installments, lasting.done, lasting.credits) == (12, 1, 2000)


def test_a_failed_renewal_brings_its_credits_when_it_is_paid(billing: Billing) -> None:
    ada = billing.a_customer()
    id = billing.subscribes(ada, "basic_monthly")
    use_card(billing.client, ada.stripe_id, "pm_card_chargeCustomerFail")
    billing.stripe.advance(32 * DAY)
    billing.syncs(ada, id)
    open_one = billing.invoices(ada)[0]
    assert (open_one.status, open_one.attempt_count) == ("open", 1)
    assert open_one.next_payment_attempt is not None and open_one.paid_at is None
    assert billing.amounts(ada) == [1000]
    use_card(billing.client, ada.stripe_id, "pm_card_visa")
    billing.stripe.advance(4 * DAY)
    billing.syncs(ada, id)
    paid = billing.invoices(ada)[0]
    assert (paid.id, paid.status, paid.next_payment_attempt) == (open_one.id, "paid", None)
    assert billing.amounts(ada) == [1000, 1000]


def test_drafts_are_stored_and_not_shown(billing: Billing) -> None:
    ada = billing.a_customer()
    id = billing.subscribes(ada, "basic_monthly")
    billing.sync(id)
    end = billing.row(id).current_period_end
    now = billing.stripe.control("clock")["now"]
    billing.stripe.advance(end.timestamp() - now + 60)
    billing.syncs(ada, id)
    assert [it.status for it in billing.invoices(ada)] == ["paid"]
    assert sorted(it["status"] for it in everything(billing.app, ada)["invoices"]) == [
        "draft",
        "paid",
    ]


def test_an_invoice_of_no_subscription_is_left_alone(billing: Billing) -> None:
    ada = billing.a_customer()
    billing.sync_invoices(ada)
    assert everything(billing.app, ada)["invoices"] == []


def a_life(billing: Billing, ada: Customer, told: Callable[[str], None]) -> list[str]:
    """Two subscriptions with everything that can happen to them; `told` hears after each step
    which subscription it was about."""
    first = billing.subscribes(ada, "basic_yearly", trial_period_days=3)
    told(first)
    billing.stripe.advance(4 * DAY)
    told(first)
    billing.stripe.advance(40 * DAY)
    billing.changes(first, "lasting_yearly")
    told(first)
    billing.stripe.advance(10 * DAY)
    billing.changes(first, "pro_monthly")
    told(first)
    use_card(billing.client, ada.stripe_id, "pm_card_chargeCustomerFail")
    billing.stripe.advance(32 * DAY)
    told(first)
    use_card(billing.client, ada.stripe_id, "pm_card_visa")
    billing.stripe.advance(4 * DAY)
    told(first)
    billing.client.v1.subscriptions.cancel(first, {"prorate": True, "invoice_now": True})
    told(first)
    billing.stripe.advance(2 * DAY)
    second = billing.subscribes(ada, "basic_yearly")
    told(second)
    billing.stripe.advance(70 * DAY)
    billing.changes(second, "basic_monthly")
    told(second)
    return [first, second]


def test_whoever_hears_late_or_in_another_order_ends_alike(
    billing: Billing, another_shop: Callable[[], Flask]
) -> None:
    """One shop hears of each step at once. Others hear of everything afterwards, doubled and in
    orders that are drawn; the invoices come first, or last, or between."""
    ada = billing.a_customer()
    ids = a_life(billing, ada, lambda id: billing.syncs(ada, id))
    expected = everything(billing.app, ada)
    assert len(expected["invoices"]) >= 8 and len(expected["transfers"]) >= 5
    draw = random.Random(20310101)
    for _ in range(usually(2, thorough=6)):
        app = another_shop()
        the_same_customer(app, ada)
        jobs = [partial(billing.sync, id, app) for id in ids * 2]
        jobs += [partial(billing.sync_invoices, ada, app)] * 2
        draw.shuffle(jobs)
        for job in jobs:
            job()
        assert everything(app, ada) == expected
        books.assert_clean(app)


def test_a_shop_that_hears_only_now_and_then_ends_alike(
    billing: Billing, another_shop: Callable[[], Flask]
) -> None:
    draw = random.Random(7)
    ada, other = billing.a_customer(), another_shop()
    the_same_customer(other, ada)

    def told(id: str) -> None:
        billing.syncs(ada, id)
        for job in draw.sample(
            [partial(billing.sync, id, other), partial(billing.sync_invoices, ada, other)],
            draw.randint(0, 2),
        ):
            job()

    ids = a_life(billing, ada, told)
    billing.sync_invoices(ada, other)
    for id in ids:
        billing.sync(id, other)
    assert everything(other, ada) == everything(billing.app, ada)


def test_many_at_once_store_and_credit_once(billing: Billing) -> None:
    """Workers and the success page, all at the same moment, from nothing and after a change."""
    for round in range(usually(2 if is_sqlite(billing.app) else 6, thorough=20)):
        ada = billing.a_customer()
        id = billing.subscribes(ada, "basic_monthly")
        if round % 2:
            billing.changes(id, "pro_monthly")
        tasks = [partial(billing.sync, id), partial(billing.sync_invoices, ada)] * 3
        assert raised(at_once(billing.app, tasks)) == []
        assert len(billing.invoices(ada)) == (2 if round % 2 else 1)
        assert billing.row(id).plan == ("pro" if round % 2 else "basic")
        assert sum(billing.amounts(ada)) in ((3000, 2999, 2998) if round % 2 else (1000,))
    books.assert_clean(billing.app)
    assert_lots_add_up(billing.app)


def test_everything_is_read_with_one_query_each(billing: Billing) -> None:
    ada = billing.a_customer()
    first = billing.subscribes(ada, "basic_monthly")
    billing.client.v1.subscriptions.cancel(first)
    billing.stripe.advance(DAY)
    second = billing.subscribes(ada, "pro_monthly", trial_period_days=30)
    billing.stripe.advance(DAY)
    third = billing.subscribes(ada, "lasting_monthly")
    stranger = billing.a_customer()
    billing.syncs(ada, first, second, third)
    with billing.app.app_context():
        session = db.session()
        mine = subscriptions.of_user(session, ada.id)
        assert [it.stripe_subscription_id for it in mine] == [third, second, first]
        live = subscriptions.live(session, ada.id)
        assert live is not None and live.stripe_subscription_id == third
        assert subscriptions.ever(session, ada.id) and not subscriptions.ever(session, stranger.id)
        assert subscriptions.live(session, stranger.id) is None
        dates = [it.created_at for it in subscriptions.invoices(session, ada.id)]
        assert all(newer >= older for newer, older in pairwise(dates))
        assert len(subscriptions.invoices(session, ada.id, limit=2)) == 2
        assert subscriptions.owed(session, stranger.id) == 0
