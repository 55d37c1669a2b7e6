"""What customers are shown and told of money back, and what a dispute can bar them from."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest
from flask import Flask

from storefront import reversals, users
from storefront.config import BarOnDispute
from storefront.db import db, transaction
from storefront.errors import Disputed
from tests.support import books
from tests.support.apps import an_app, closing, some_settings
from tests.support.billing_rows import known_prices
from tests.support.builders import PASSWORD, Customer, a_user
from tests.support.ga4 import Analytics, google_analytics
from tests.support.money_back import a_dispute, a_paid_top_up, a_refund, disputed, hears, refunded
from tests.support.promised import do_work
from tests.support.smtp import a_mail_server, words
from tests.web.visitor import Visitor, a_visitor, main_text

BuildShop = Callable[..., Flask]


@pytest.fixture
def shop_with(database_url: str, tmp_path: Path) -> Iterator[BuildShop]:
    """Builds shops on the test's database, with settings of their own."""
    with ExitStack() as opened:

        def build(**settings: str) -> Flask:
            app = an_app(some_settings(tmp_path, database_url, **settings))
            return opened.enter_context(closing(app))

        yield build


def signed_in(app: Flask, customer: Customer) -> Visitor:
    visitor = a_visitor(app)
    visitor.signs_in(PASSWORD, customer.email)
    return visitor


def test_account_and_payment_say_it_in_plain_words(app: Flask) -> None:
    bought = a_paid_top_up(app)
    refund, dispute = a_refund(bought, 250), a_dispute(bought, 750)
    hears(
        app,
        refunded(refund),
        refunded(refund, "failed"),
        disputed(dispute, "funds_withdrawn"),
        disputed(dispute, "funds_reinstated", status="won"),
        refunded(a_refund(bought, 1000)),
    )
    visitor = signed_in(app, bought.customer)
    account = main_text(visitor.get("/account"))
    said = [
        "Refund of $10.00: −1,000 credits",
        "Dispute settled, $7.50 given back: +750 credits returned",
        "Payment disputed, $7.50 withdrawn: −750 credits",
        "Refund of $2.50 failed: +250 credits returned",
        "Refund of $2.50: −250 credits",
        "Credits bought",
    ]
    places = [account.index(sentence) for sentence in said]
    assert places == sorted(places), "newest first"
    page = main_text(visitor.get(f"/payments/{bought.id}"))
    assert "Payment refunded" in page
    assert "Refund of $10.00" in page
    assert "Refund of $2.50: failed, your bank did not take it" in page
    assert "Dispute of $7.50: settled, your payment stands" in page
    assert "Refunds and disputes" in page


SAID = {
    ("needs_response", "updated"): "your bank has taken it back until it has decided",
    ("lost", "closed"): "your bank keeps the money for you",
    ("warning_needs_response", "created"): "Your bank asked about $10.00",
    ("warning_closed", "closed"): "Your bank asked about $10.00: settled, nothing changes",
}


def test_a_dispute_on_the_payments_page(app: Flask) -> None:
    ada = a_user(app)
    visitor = signed_in(app, ada)
    for (status, event), said in SAID.items():
        bought = a_paid_top_up(app, ada)
        dispute = a_dispute(bought, status=status)
        if not status.startswith("warning_"):
            hears(app, disputed(dispute, "funds_withdrawn"))
        hears(app, disputed(dispute, event))
        page = main_text(visitor.get(f"/payments/{bought.id}"))
        assert said in page
        inquiry = status.startswith("warning_")
        assert ("Payment succeeded" if inquiry else "Payment disputed") in page


def test_an_open_dispute_bars_from_what_the_setting_says(app: Flask) -> None:
    bought = a_paid_top_up(app)
    a_paid_top_up(app, bought.customer)
    dispute = a_dispute(bought)
    nothing: dict[str, set[str]] = {"none": set(), "top_up": set(), "spend": set(), "both": set()}
    hears(app, disputed(dispute, "created"))
    assert barred(app, bought.customer) == nothing, "no money has moved yet"
    hears(app, disputed(dispute, "funds_withdrawn"))
    assert barred(app, bought.customer) == nothing | {
        "top_up": {"top_up"},
        "spend": {"spend"},
        "both": {"top_up", "spend"},
    }
    hears(app, disputed(dispute, "closed", status="lost"))
    assert barred(app, bought.customer) == nothing, "it is settled"


def barred(app: Flask, customer: Customer) -> dict[str, set[str]]:
    """Setting -> what the customer cannot do."""
    found: dict[str, set[str]] = {}
    for bar in get_args(BarOnDispute):
        mine = found.setdefault(bar, set())
        try:
            with app.app_context():
                reversals.refuse_top_up(db.session(), bar, customer.id)
        except Disputed:
            mine.add("top_up")
        if not spends(app, customer, bar, f"job-{bar}-{len(books.read(app).transfers)}"):
            mine.add("spend")
    return found


def test_who_is_barred_is_told_why_where_one_buys(shop_with: BuildShop) -> None:
    """Stripe is not reached by these tests: 503 means that nothing barred the way."""
    app = shop_with(BAR_ON_DISPUTE="both")
    known_prices(app)
    bought = a_paid_top_up(app)
    dispute = a_dispute(bought)
    visitor = signed_in(app, bought.customer)
    hears(app, disputed(dispute, "funds_withdrawn"))
    plan = {"plan": "standard_pack", "interval": "one_time"}
    order = visitor.order({"pack": "usd_10"})
    visit = visitor.submit("/billing/checkout", token_from="/billing", **plan)
    assert (order.status_code, visit.status_code) == (403, 403)
    sentence = "Your bank disputes a payment of $10.00. Until that is settled nothing more can be"
    assert sentence in order.get_json()["detail"]
    assert order.get_json()["code"] == "payment_disputed"
    assert sentence in visit.text
    hears(app, disputed(dispute, "funds_reinstated", status="won"))
    assert visitor.order({"pack": "usd_10"}).status_code == 503


def spends(app: Flask, customer: Customer, bar: BarOnDispute, id: str) -> bool:
    """Whether the customer may."""
    try:
        with app.app_context(), transaction() as session:
            reversals.spend(session, bar, customer.id, 10, id=id)
    except Disputed as refusal:
        assert "credits cannot be spent" in refusal.detail
        return False
    return True


def test_a_spend_that_was_made_stays_made(app: Flask) -> None:
    """The host repeats a call whose answer it did not get; a dispute came between."""
    bought = a_paid_top_up(app)
    a_paid_top_up(app, bought.customer)
    assert spends(app, bought.customer, "both", "job-1")
    hears(app, disputed(a_dispute(bought), "funds_withdrawn"))
    assert spends(app, bought.customer, "both", "job-1")
    assert not spends(app, bought.customer, "both", "job-2")
    assert books.balance(app, bought.customer.id) == 990


def test_people_and_google_analytics_are_told(shop_with: BuildShop) -> None:
    with a_mail_server() as server, google_analytics() as google:
        app = shop_with(MAIL_URL=server.url, MAIL_FROM="shop@example.com", **ga4(google))
        ada = a_user(app, email="ada@example.com")
        with app.app_context():
            users.set_analytics_consent(users.find(ada.id), True)
        bought = a_paid_top_up(app, ada)
        refund = a_refund(bought, 250)
        hears(app, refunded(refund))
        do_work(app)
        hears(app, refunded(refund, "failed"))
        hears(app, disputed(a_dispute(a_paid_top_up(app, ada)), "funds_withdrawn"))
        do_work(app)
        do_work(app)
        mails = dict(words(message) for message in server.messages())
        assert {message["To"] for message in server.messages()} == {"ada@example.com"}
    given_back = [it.event["params"] for it in google.reports if it.event["name"] == "refund"]
    assert [(it["transaction_id"], it["value"]) for it in given_back] == [
        (bought.id, Decimal("2.5"))
    ]
    told = {subject: text for subject, text in mails.items() if "receipt" not in subject}
    assert set(told) == {
        "Your refund from Storefront: $2.50",
        "Your refund of $2.50 from Storefront did not arrive",
        "Your payment of $10.00 to Storefront is disputed",
    }
    made, failed, taken = told.values()
    assert "250 credits that it had paid for were taken out of your balance" in made
    assert "250 credits that the refund had taken are back in your balance" in failed
    assert "1,000 credits that it had paid for were taken out of your balance" in taken


def ga4(google: Analytics) -> dict[str, str]:
    return {
        "GA4_MEASUREMENT_ID": "G-ABC1234567",
        "GA4_API_SECRET": "collecting-0123456789",
        "GA4_ENDPOINT": google.url,
    }


def test_old_news_is_not_told(shop_with: BuildShop) -> None:
    """What came back before the mail was sent."""
    with a_mail_server() as server:
        app = shop_with(MAIL_URL=server.url, MAIL_FROM="shop@example.com")
        bought = a_paid_top_up(app)
        refund, dispute = a_refund(bought, 250), a_dispute(bought, 750)
        hears(app, refunded(refund), refunded(refund, "failed"))
        hears(app, disputed(dispute, "funds_withdrawn"), disputed(dispute, "funds_reinstated"))
        do_work(app)
        subjects = [words(message)[0] for message in server.messages()]
    assert sorted(subjects) == [
        "Your receipt from Storefront: $10.00",
        "Your refund of $2.50 from Storefront did not arrive",
    ]
