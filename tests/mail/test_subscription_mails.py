"""Mails about subscriptions say what is true at Stripe when they are sent, once each."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import stripe
from flask import Flask

from storefront.config import Config
from storefront.db import transaction
from storefront.ids import new_id
from storefront.subscriptions import PlanCredit
from tests.fakestripe.billing.shop import DAY, payer, price, subscribed, use_card
from tests.fakestripe.harness import FakeStripe
from tests.support.apps import some_settings
from tests.support.billing_rows import a_subscription, an_invoice
from tests.support.builders import Customer, a_user
from tests.support.promised import do_work, promised, states
from tests.support.smtp import MailServer, words

FIRST = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
NEXT = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
UPDATE_CARD = "https://shop.example/billing?action=update_card"


@pytest.fixture
def settings(
    database_url: str, tmp_path: Path, mail_server: MailServer, fakestripe: FakeStripe
) -> Config:
    return some_settings(
        tmp_path,
        database_url,
        MAIL_URL=mail_server.url,
        MAIL_FROM="shop@example.com",
        APP_URL="https://shop.example",
        PROJECT_NAME="Our Shop",
        STRIPE_API_BASE=fakestripe.url,
    )


@pytest.fixture
def client(fakestripe: FakeStripe) -> stripe.StripeClient:
    return fakestripe.client()


@pytest.fixture
def customer(app: Flask, client: stripe.StripeClient) -> Customer:
    """A customer of ours who is one at Stripe, with a card."""
    return a_user(app, stripe_id=payer(client))


def premium(client: stripe.StripeClient, customer: Customer, **params: Any) -> stripe.Subscription:
    return subscribed(client, customer.stripe_id, price(client, 4900).id, **params)


def the_mail(mail_server: MailServer, customer: Customer) -> tuple[str, str]:
    """Subject and text of the only mail that was sent, to this customer."""
    (message,) = mail_server.messages()
    assert message["To"] == customer.email
    return words(message)


def _day(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%-d %B %Y}"


# A paid invoice


def invoice_is_paid(app: Flask, customer: Customer, made: stripe.Subscription) -> str:
    """The mirror's row of its latest invoice, and the promise of what follows; the id."""
    invoice_id = str(made.latest_invoice)
    an_invoice(app, customer, id=invoice_id, stripe_subscription_id=made.id)
    promised(app, "invoice_paid", f"invoice_paid:{invoice_id}", invoice_id=invoice_id)
    return invoice_id


def a_plan_credit(app: Flask, customer: Customer, invoice_id: str, **columns: Any) -> None:
    """What the paid line of an invoice has brought so far."""
    row: dict[str, Any] = {
        "id": f"{invoice_id}:il_1",
        "invoice_id": invoice_id,
        "user_id": customer.id,
        "stripe_subscription_id": "sub_1",
        "plan": "premium_plan",
        "interval": "monthly",
        "whole_start": FIRST,
        "period_start": FIRST,
        "period_end": NEXT,
        "credits": 5000,
        "credits_expire": "period_end",
        "done": 1,
        "earned": 5000,
        "granted": 5000,
    }
    with app.app_context(), transaction() as session:
        session.add(PlanCredit(**row | columns))


def test_a_paid_period_has_a_receipt(
    app: Flask, mail_server: MailServer, client: stripe.StripeClient, customer: Customer
) -> None:
    made = premium(client, customer)
    invoice_id = invoice_is_paid(app, customer, made)
    a_plan_credit(app, customer, invoice_id)
    assert do_work(app) == 2
    subject, text = the_mail(mail_server, customer)
    invoice = client.v1.invoices.retrieve(invoice_id)
    (line,) = invoice.lines.data
    start, end = _day(line.period.start), _day(line.period.end)
    assert subject == "Your receipt from Our Shop: Premium, monthly, $49.00"
    assert "Your payment of $49.00 succeeded, and 5,000 credits are in your balance.\n" in text
    assert f"Period    {start} to {end}\n" in text
    assert f"Invoice   {invoice.number}\n" in text
    assert str(invoice.hosted_invoice_url) in text
    assert "month by month" not in text


def test_a_year_with_credits_month_by_month(
    app: Flask, mail_server: MailServer, client: stripe.StripeClient, customer: Customer
) -> None:
    made = premium(client, customer)
    invoice_id = invoice_is_paid(app, customer, made)
    a_plan_credit(app, customer, invoice_id, interval="yearly", installments=12, next_at=NEXT)
    do_work(app)
    _, text = the_mail(mail_server, customer)
    assert "5,000 credits are in your balance.\nMore credits follow month by month.\n" in text


def test_a_plan_without_credits(
    app: Flask, mail_server: MailServer, client: stripe.StripeClient, customer: Customer
) -> None:
    invoice_is_paid(app, customer, premium(client, customer))
    do_work(app)
    _, text = the_mail(mail_server, customer)
    assert "Your payment of $49.00 succeeded.\n" in text
    assert "redits" not in text


def test_a_change_of_plan_names_the_time_that_is_charged(
    app: Flask,
    mail_server: MailServer,
    client: stripe.StripeClient,
    customer: Customer,
    fakestripe: FakeStripe,
) -> None:
    """The line that gives the old plan's rest back is no period that was bought."""
    made = premium(client, customer)
    fakestripe.advance(10 * DAY)
    dear = price(client, 9900).id
    change: Any = {
        "items": [{"id": made.items.data[0].id, "price": dear}],
        "proration_behavior": "always_invoice",
    }
    changed = client.v1.subscriptions.update(made.id, change)
    invoice_id = invoice_is_paid(app, customer, changed)
    do_work(app)
    _, text = the_mail(mail_server, customer)
    invoice = client.v1.invoices.retrieve(invoice_id)
    (charged,) = (line for line in invoice.lines.data if line.amount > 0)
    assert f"Period    {_day(charged.period.start)} to {_day(charged.period.end)}\n" in text


def test_an_invoice_without_money_has_no_receipt(
    app: Flask, mail_server: MailServer, client: stripe.StripeClient, customer: Customer
) -> None:
    made = premium(client, customer, trial_period_days=14)
    invoice_id = str(made.latest_invoice)
    an_invoice(app, customer, amount=0, id=invoice_id)
    promised(app, "invoice_paid", f"invoice_paid:{invoice_id}", invoice_id=invoice_id)
    assert do_work(app) == 1
    assert mail_server.received == []


def synced(app: Flask, made: stripe.Subscription, event: str) -> None:
    """As after an event about the subscription: both jobs, and all that they promise."""
    customer, args = str(made.customer), {"subscription": made.id}
    promised(app, "sync_subscription", f"sync_subscription:{made.id}:{event}", **args)
    promised(app, "sync_invoices", f"sync_invoices:{customer}:{event}", customer=customer)
    do_work(app)


def test_from_the_event_to_the_mails_of_a_whole_subscription(
    app: Flask, mail_server: MailServer, client: stripe.StripeClient, customer: Customer
) -> None:
    """Nothing here is a row of the test's: Stripe is asked, credits are granted, mail follows."""
    monthly = price(client, 4900, lookup_key="premium_plan_monthly").id
    made = subscribed(client, customer.stripe_id, monthly)
    synced(app, made, "evt_1")
    synced(app, made, "evt_2")
    subject, text = the_mail(mail_server, customer)
    assert subject == "Your receipt from Our Shop: Premium, monthly, $49.00"
    assert "Your payment of $49.00 succeeded, and 5,000 credits are in your balance.\n" in text
    client.v1.subscriptions.cancel(made.id)
    synced(app, made, "evt_3")
    synced(app, made, "evt_4")
    _, last = mail_server.messages()
    assert last["Subject"] == "Your subscription at Our Shop has ended"
    assert "Your subscription to Premium ended on" in words(last)[1]
    assert set(states(app).values()) == {"done"}


# A payment that failed


def fails_later(
    client: stripe.StripeClient, customer: Customer, fake: FakeStripe, card: str
) -> str:
    """Let the first renewal fail with this card; the invoice's id."""
    made = premium(client, customer)
    use_card(client, customer.stripe_id, card)
    end = made.items.data[0].current_period_end
    fake.advance(end - fake.control("clock")["now"] + 3700)
    return str(client.v1.subscriptions.retrieve(made.id).latest_invoice)


def failure_is_told(app: Flask, invoice_id: str, attempt: int = 1) -> str:
    key = f"mail_payment_failed:{invoice_id}:{attempt}"
    promised(app, "mail_payment_failed", key, invoice_id=invoice_id)
    do_work(app)
    return key


def test_a_failed_payment_asks_for_another_card(
    app: Flask,
    mail_server: MailServer,
    client: stripe.StripeClient,
    customer: Customer,
    fakestripe: FakeStripe,
) -> None:
    invoice_id = fails_later(client, customer, fakestripe, "pm_card_chargeCustomerFail")
    an_invoice(app, customer, id=invoice_id, status="open")
    key = failure_is_told(app, invoice_id)
    subject, text = the_mail(mail_server, customer)
    invoice = client.v1.invoices.retrieve(invoice_id)
    assert subject == "Your payment failed at Our Shop: $49.00"
    assert "The payment of $49.00 for Premium, monthly did not succeed." in text
    assert f"\n{UPDATE_CARD}\n" in text
    assert f"\n{invoice.hosted_invoice_url}\n" in text
    assert f"We try again on {_day(invoice.next_payment_attempt or 0)}." in text
    failure_is_told(app, invoice_id)
    assert len(mail_server.received) == 1, "the same attempt is told once"
    assert states(app)[key] == "done"


def test_each_attempt_is_told_and_the_last_one_says_so(
    app: Flask,
    mail_server: MailServer,
    client: stripe.StripeClient,
    customer: Customer,
    fakestripe: FakeStripe,
) -> None:
    invoice_id = fails_later(client, customer, fakestripe, "pm_card_chargeCustomerFail")
    failure_is_told(app, invoice_id, 1)
    fakestripe.advance(16 * DAY)
    failure_is_told(app, invoice_id, 4)
    first, last = mail_server.messages()
    assert first["Message-ID"] != last["Message-ID"]
    assert "We try again on" in first.get_content()
    assert "We do not try again by ourselves" in last.get_content()


def test_a_bank_that_asks_has_words_of_its_own(
    app: Flask,
    mail_server: MailServer,
    client: stripe.StripeClient,
    customer: Customer,
    fakestripe: FakeStripe,
) -> None:
    """Its mirror is not even stored yet: the mail needs none."""
    invoice_id = fails_later(client, customer, fakestripe, "pm_card_authenticationRequired")
    failure_is_told(app, invoice_id)
    subject, text = the_mail(mail_server, customer)
    url = client.v1.invoices.retrieve(invoice_id).hosted_invoice_url
    assert subject == "Please confirm your payment to Our Shop: $49.00"
    assert "Your bank wants you to confirm the payment of $49.00." in text
    assert text.index(f"\n{url}\n") < text.index(f"\n{UPDATE_CARD}\n")


def test_a_payment_that_succeeded_meanwhile_is_no_news(
    app: Flask,
    mail_server: MailServer,
    client: stripe.StripeClient,
    customer: Customer,
    fakestripe: FakeStripe,
) -> None:
    invoice_id = fails_later(client, customer, fakestripe, "pm_card_chargeCustomerFail")
    use_card(client, customer.stripe_id, "pm_card_visa")
    client.v1.invoices.pay(invoice_id)
    key = failure_is_told(app, invoice_id)
    assert (states(app)[key], mail_server.received) == ("done", [])


def test_a_customer_of_somebody_else_is_not_written_to(
    app: Flask, mail_server: MailServer, client: stripe.StripeClient, fakestripe: FakeStripe
) -> None:
    stranger = Customer("usr_x", "x@example.com", payer(client))
    invoice_id = fails_later(client, stranger, fakestripe, "pm_card_chargeCustomerFail")
    key = failure_is_told(app, invoice_id)
    assert (states(app)[key], mail_server.received) == ("done", [])


def test_a_stripe_that_is_away_delays_the_mail(
    app: Flask,
    mail_server: MailServer,
    client: stripe.StripeClient,
    customer: Customer,
    fakestripe: FakeStripe,
) -> None:
    invoice_id = fails_later(client, customer, fakestripe, "pm_card_chargeCustomerFail")
    fakestripe.kill()
    key = failure_is_told(app, invoice_id)
    assert (states(app)[key], mail_server.received) == ("failed", [])


# A trial that ends


def trial_is_told(app: Flask, made: stripe.Subscription) -> str:
    key = f"mail_trial_ending:{made.id}:{made.trial_end}"
    promised(app, "mail_trial_ending", key, subscription=made.id)
    do_work(app)
    return key


def test_a_trial_that_ends_tells_the_day_and_the_price(
    app: Flask, mail_server: MailServer, client: stripe.StripeClient, customer: Customer
) -> None:
    made = premium(client, customer, trial_period_days=14)
    a_subscription(app, customer, "trialing", stripe_subscription_id=made.id)
    trial_is_told(app, made)
    subject, text = the_mail(mail_server, customer)
    day = _day(made.trial_end or 0)
    assert subject == f"Your trial at Our Shop ends on {day}"
    assert f"Your trial of Premium ends on {day}." in text
    assert "your card will then be charged $49.00 each month" in text
    assert "cancel before that day, and you pay nothing:\n\nhttps://shop.example/billing\n" in text
    trial_is_told(app, made)
    assert len(mail_server.received) == 1


def test_a_short_trial_is_told_before_its_mirror_is_stored(
    app: Flask, mail_server: MailServer, client: stripe.StripeClient, customer: Customer
) -> None:
    trial_is_told(app, premium(client, customer, trial_period_days=2))
    _, text = the_mail(mail_server, customer)
    assert "Your trial of your plan ends on" in text


def test_a_trial_that_the_customer_has_cancelled_costs_nothing(
    app: Flask, mail_server: MailServer, client: stripe.StripeClient, customer: Customer
) -> None:
    made = premium(client, customer, trial_period_days=14)
    client.v1.subscriptions.update(made.id, {"cancel_at": made.trial_end or 0})
    trial_is_told(app, made)
    _, text = the_mail(mail_server, customer)
    assert "You have cancelled, so nothing will be charged." in text
    assert "will then be charged" not in text


@pytest.mark.parametrize("how", ["ended now", "cancelled"])
def test_a_trial_that_is_over_is_no_news(
    app: Flask,
    mail_server: MailServer,
    client: stripe.StripeClient,
    customer: Customer,
    how: str,
) -> None:
    made = premium(client, customer, trial_period_days=14)
    if how == "cancelled":
        client.v1.subscriptions.cancel(made.id)
    else:
        client.v1.subscriptions.update(made.id, {"trial_end": "now"})
    key = trial_is_told(app, made)
    assert (states(app)[key], mail_server.received) == ("done", [])


# A subscription that ends


def end_is_told(app: Flask, customer: Customer, status: str = "active", **columns: Any) -> str:
    """The mirror's row, and the promise to tell of its end; the job's key."""
    subscription_id = new_id("sub")
    a_subscription(app, customer, status, id=subscription_id, **columns)
    key = f"mail_subscription_cancelled:{subscription_id}"
    promised(app, "mail_subscription_cancelled", key, subscription_id=subscription_id)
    do_work(app)
    return key


def test_a_subscription_that_has_ended(
    app: Flask, mail_server: MailServer, customer: Customer
) -> None:
    end_is_told(app, customer, "canceled", ended_at=NEXT, cancel_at=NEXT)
    subject, text = the_mail(mail_server, customer)
    assert subject == "Your subscription at Our Shop has ended"
    assert "Your subscription to Premium ended on 1 December 2026" in text
    assert "come back at any time:\n\nhttps://shop.example/billing\n" in text


@pytest.mark.parametrize(
    "columns",
    [{"cancel_at": NEXT}, {"cancel_at_period_end": True, "current_period_end": NEXT}],
    ids=["by a date", "with the period"],
)
def test_a_subscription_that_is_going_to_end(
    app: Flask, mail_server: MailServer, customer: Customer, columns: dict[str, Any]
) -> None:
    end_is_told(app, customer, **columns)
    subject, text = the_mail(mail_server, customer)
    assert subject == "Your subscription at Our Shop ends on 1 December 2026"
    assert "You can use it until 1 December 2026" in text


def test_a_subscription_that_goes_on_is_no_news(
    app: Flask, mail_server: MailServer, customer: Customer
) -> None:
    key = end_is_told(app, customer)
    assert (states(app)[key], mail_server.received) == ("done", [])


def test_a_plan_that_is_none_of_the_catalogues(
    app: Flask, mail_server: MailServer, customer: Customer
) -> None:
    end_is_told(app, customer, "canceled", plan=None, ended_at=FIRST)
    _, text = the_mail(mail_server, customer)
    assert "Your subscription to your plan ended on 1 November 2026" in text
