"""What counts as a difference and what does not: things that still move, objects of others, what
lies outside of the time that is compared, customers whom Stripe has deleted."""

import sqlite3
from datetime import timedelta

from storefront.db import utcnow
from storefront.reconciling import MINIMUM_AGE, Tally
from storefront.reconciling.crediting import cause_of
from tests.support import books
from tests.support.at_checkout import buys
from tests.support.builders import a_user
from tests.support.caught_up import KEY, catches_up, sells
from tests.support.compared import differences, kinds, repairs
from tests.support.money_back import rows
from tests.support.served import ServedShop
from tests.support.shopping import opens

DAY = 24 * 3600
A_DAY = timedelta(days=1)


def test_what_still_moves_is_counted_and_not_told(deaf: ServedShop) -> None:
    """An event about it is young, or our row is."""
    sells(deaf, 1)
    (payment,) = books.read(deaf.app).payments.values()
    told = ("paid_not_credited", payment["stripe_intent_id"])
    found = Tally()
    assert kinds(deaf.app, minimum_age=MINIMUM_AGE, tally=found) == []
    assert found.moving == 1
    books.execute(deaf.app, "UPDATE payments SET updated_at = created_at")
    books.execute(deaf.app, "UPDATE payments SET updated_at = :old", old=OLD)
    assert kinds(deaf.app, minimum_age=MINIMUM_AGE) == [], "Stripe told of it a moment ago"
    deaf.stripe.advance(MINIMUM_AGE.total_seconds() + 60)
    sells(deaf, 1)
    assert kinds(deaf.app, minimum_age=MINIMUM_AGE) == [told], "by now its webhook is late"


OLD = "2026-01-01 00:00:00.000000+00:00"


def test_payments_of_others_are_counted_alone(deaf: ServedShop) -> None:
    """Another shop sells on the same account. Who claims to be ours, and is not known, is told."""
    sells(deaf, 1)
    catches_up(deaf.app)
    intents = deaf.stripe.client().v1.payment_intents
    given = {
        "amount": 500,
        "currency": "usd",
        "confirm": True,
        "payment_method": "pm_card_visa",
        "return_url": deaf.url,
    }
    foreign = intents.create(given)  # type: ignore[arg-type]
    deaf.stripe.control(f"payments/{foreign.id}/refund", {"amount": 100})
    deaf.stripe.control(f"payments/{foreign.id}/dispute", {})
    found = Tally()
    assert kinds(deaf.app, tally=found) == []
    assert found.foreign == 3, "the payment, its refund and its dispute"
    claiming = intents.create({**given, "metadata": {"payment_id": "pay_of_nobody"}})  # type: ignore[arg-type]
    (customer,) = {row["stripe_customer_id"] for row in books.read(deaf.app).users.values()}
    by_hand = intents.create({**given, "customer": customer})  # type: ignore[arg-type]
    told = {it.subject: (it.kind, it.money) for it in differences(deaf.app)}
    assert told == {claiming.id: ("unknown_to_us", True), by_hand.id: ("unknown_to_us", False)}


def test_only_what_was_made_since_then_is_compared(deaf: ServedShop) -> None:
    """What happens late to an old payment is seen by its charge and on the balance; a live
    subscription always."""
    deaf.apply_catalog()
    old, disputing = sells(deaf, 2)
    eve = a_user(deaf.app, stripe_id=None)
    buys(deaf.app, eve, "premium_plan", "monthly")
    intents = {
        row["user_id"]: row["stripe_intent_id"] for row in books.read(deaf.app).payments.values()
    }
    dispute = deaf.stripe.control(f"payments/{intents[disputing.id]}/dispute", {})["id"]
    late = opens(deaf.app, deaf.a_buyer()).intent_id
    catches_up(deaf.app)
    deaf.work_once()
    deaf.stripe.advance(2 * DAY)
    books.execute(
        deaf.app, "UPDATE payments SET amount_received = 1 WHERE user_id = :id", id=old.id
    )
    books.execute(deaf.app, "UPDATE subscriptions SET status = 'canceled'")
    deaf.stripe.control(f"disputes/{dispute}", {"outcome": "won"})
    refund = deaf.stripe.control(f"payments/{intents[old.id]}/refund", {"amount": 100})["id"]
    deaf.pays(late)
    since = utcnow() + A_DAY
    (subscription,) = rows_of_subscriptions(deaf)
    assert set(kinds(deaf.app, since=since)) == {
        ("refund_missing", refund),
        ("dispute_missing", dispute),
        ("paid_not_credited", late),
        ("subscription_differs", subscription),
    }
    until = utcnow() + A_DAY
    assert ("amount_differs", intents[old.id]) in kinds(deaf.app, until=until)
    assert ("refund_missing", refund) not in kinds(deaf.app, until=until)


def test_a_renewal_that_was_missed_is_found_by_its_old_invoice(deaf: ServedShop) -> None:
    """The card is declined, the customer pays days later, and only the first half was heard of."""
    deaf.apply_catalog()
    eve = a_user(deaf.app, stripe_id=None)
    buys(deaf.app, eve, "premium_plan", "monthly")
    client = deaf.stripe.client()
    (subscription,) = client.v1.subscriptions.list().data
    (customer,) = {row["stripe_customer_id"] for row in books.read(deaf.app).users.values()}
    decline(deaf, customer)
    deaf.stripe.advance(32 * DAY)
    catches_up(deaf.app)
    deaf.work_once()
    assert sorted(row["status"] for row in rows(deaf.app, "invoices").values()) == ["open", "paid"]
    deaf.stripe.advance(DAY)
    (invoice,) = client.v1.invoices.list({"subscription": subscription.id, "status": "open"}).data
    client.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"})
    assert ("paid_not_credited", invoice.id) in kinds(deaf.app, since=utcnow() + 33 * A_DAY)


def decline(shop: ServedShop, customer: str) -> None:
    """From now on the customer's card is declined when it is charged."""
    client = shop.stripe.client()
    card = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer})
    client.v1.customers.update(customer, {"invoice_settings": {"default_payment_method": card.id}})
    (subscription,) = client.v1.subscriptions.list({"customer": customer}).data
    client.v1.subscriptions.update(subscription.id, {"default_payment_method": card.id})


def rows_of_subscriptions(shop: ServedShop) -> list[str]:
    return [row["stripe_subscription_id"] for row in rows(shop.app, "subscriptions").values()]


def test_a_period_of_a_customer_whom_stripe_has_deleted_is_credited(deaf: ServedShop) -> None:
    """The customer was deleted before we heard of the invoice: only our checkout knows whose it
    was. Another customer of hers since then changes nothing."""
    deaf.apply_catalog()
    eve = a_user(deaf.app, stripe_id=None)
    buys(deaf.app, eve, "premium_plan", "monthly")
    (customer,) = {row["stripe_customer_id"] for row in books.read(deaf.app).users.values()}
    deaf.stripe.client().v1.customers.delete(customer)
    catches_up(deaf.app)
    deaf.work_once()
    assert deaf.balance(eve) == 0, "nobody knows whose invoice it is"
    deaf.buys(eve, "usd_10", KEY)
    catches_up(deaf.app)
    found = differences(deaf.app)
    assert sorted(it.kind for it in found) == ["paid_not_credited", "unknown_to_us"]
    assert {it.user_id for it in found} == {eve.id}
    assert [it.left for it in repairs(deaf.app, found)] == [(), ()]
    assert deaf.balance(eve) == 6000
    (subscription,) = rows(deaf.app, "subscriptions").values()
    assert (subscription["user_id"], subscription["status"]) == (eve.id, "canceled")
    assert kinds(deaf.app) == []
    books.assert_clean(deaf.app)


def test_what_moved_on_the_balance_is_compared_with_what_we_received(deaf: ServedShop) -> None:
    """Stripe's own figures are changed here: they always agree otherwise."""
    sells(deaf, 1)
    catches_up(deaf.app)
    deaf.stripe.advance(60)  # by then the charge is on the balance
    (payment,) = books.read(deaf.app).payments.values()
    told = [("amount_differs", payment["stripe_intent_id"])]
    tally = Tally()
    assert kinds(deaf.app, tally=tally) == []
    assert tally.fees == {"usd": 59}, "2.9 % and 30 cents"
    for type, figure in (("balance_transaction", "amount"), ("charge", "amount_captured")):
        change(deaf, type, figure, 999)
        assert kinds(deaf.app) == told, type
        change(deaf, type, figure, 1000)
    assert kinds(deaf.app) == []


def change(shop: ServedShop, type: str, figure: str, value: int) -> None:
    with sqlite3.connect(shop.stripe.database) as stripe:
        set_to = f"json_set(body, '$.{figure}', {value})"
        stripe.execute(f"UPDATE objects SET body = {set_to} WHERE type = '{type}'")
    stripe.close()


def test_a_transfer_names_its_cause() -> None:
    causes = {
        "payment:pay_1": ("payment", "pay_1"),
        "refund:re_1": ("refund", "re_1"),
        "refund:re_1:failed:2": ("refund", "re_1"),
        "dispute:du_1:withdrawn": ("dispute", "du_1"),
        "invoice:in_1:il_1": ("line", "in_1:il_1"),
        "invoice:in_1:il_1:12": ("line", "in_1:il_1"),
        "invoice:in_1:reversed:3": ("claim", "in_1"),
    }
    for id, (kind, row_id) in causes.items():
        cause = cause_of(id)
        assert cause is not None and (cause.kind, cause.row_id) == (kind, row_id), id
    assert [cause_of(id) for id in ("bonus", "payment:pay_1:2", "expiry:invoice:in_1:il_1")] == (
        [None] * 3
    )
