"""The page that leads a customer's credits back to their causes."""

from datetime import timedelta

from flask import Flask

from storefront import ledger
from storefront.db import transaction, utcnow
from storefront.ledger import Order
from storefront.subscriptions import Invoice
from tests.support import books
from tests.support.builders import Customer, a_payment, deliver, paid
from tests.support.money_back import a_refund, hears, refunded
from tests.web.test_pages import a_customer, counting_queries, move
from tests.web.visitor import main_text

PAGE = "/account/credits"


def a_period(app: Flask, customer: Customer) -> None:
    """Credits of a plan's period, paid by an invoice with a number."""
    now = utcnow()
    invoice = Invoice(
        id="in_1", user_id=customer.id, stripe_subscription_id="sub_1", status="paid",
        currency="usd", total=1900, amount_due=1900, amount_paid=1900, number="AB-0001",
        stripe_intent_id="pi_of_invoice", created_at=now, paid_at=now,
    )  # fmt: skip
    end = now + timedelta(days=30)
    with app.app_context(), transaction() as session:
        session.add(invoice)
        session.flush()
        order = Order("invoice:in_1:il_1", "plan_grant", customer.id, 500, expires_at=end)
        ledger.transfer(session, order)


def test_each_part_of_the_balance_names_its_cause_and_stripes_names(app: Flask) -> None:
    customer, visitor = a_customer(app)
    purchase = a_payment(app, customer)
    deliver(app.test_client(), paid(purchase))
    a_period(app, customer)
    refund = a_refund(purchase, 400)
    hears(app, refunded(refund))
    move(app, customer, "spend", 100)
    text = main_text(visitor.get(PAGE))
    parts, _, movements = text.partition("How it came about")
    assert "1,000 credits" in parts
    assert "Credits of your plan" in parts and "Invoice AB-0001" in parts and "in_1" in parts
    assert "400 left of 500" in parts, "what expires is spent first"
    assert "600 left of 1,000" in parts and purchase.intent_id in parts
    assert "Refund of $4.00: −400 credits" in movements and refund["id"] in movements
    assert "−100 Balance 1,000" in movements
    account = visitor.get("/account").text
    assert f'href="{PAGE}">Where your credits come from' in account


def test_the_balance_at_another_time_and_a_debt(app: Flask) -> None:
    customer, visitor = a_customer(app)
    assert "There are no credits now." in main_text(visitor.get(PAGE))
    move(app, customer, "top_up", 50)
    moment = next(iter(books.read(app).transfers_of(customer.id)))["created_at"]
    then = str(moment).replace(" ", "T").replace("+00:00", "")
    move(app, customer, "adjustment_out", 80)
    assert "30 credits owed" in main_text(visitor.get(PAGE))
    past = main_text(visitor.get(f"{PAGE}?at={then}"))
    assert "50 credits at" in past and "owed" not in past
    assert "Correction" not in past, "what came later is not shown"
    long_ago = main_text(visitor.get(f"{PAGE}?at=2020-01-01T00:00"))
    assert "There were no credits then." in long_ago and "No credits had moved then." in long_ago


def test_a_time_or_a_page_that_is_none_is_refused_with_what_would_be_right(app: Flask) -> None:
    _, visitor = a_customer(app)
    for query, says in (
        ("at=yesterday", "Write it like 2027-01-31T12:00"),
        ("at=9999-12-31T23:00", "has not come yet"),
        ("at=0001-01-01T00:00%2B05:00", "Write it like"),
        ("before=0", "does not exist"),
    ):
        answer = visitor.get(f"{PAGE}?{query}")
        assert answer.status_code == 400, query
        assert says in main_text(answer)


def test_a_long_history_comes_in_pages_of_the_moment_and_costs_the_same(app: Flask) -> None:
    customer, visitor = a_customer(app)
    for number in range(1, 46):
        move(app, customer, "adjustment_in", number, f"number {number}.")
    with counting_queries(app) as queries:
        first = visitor.get(PAGE)
    assert len(queries) <= 14
    shown, page = [], first
    while True:
        shown += [
            n
            for n in range(45, 0, -1)
            if f"number {n}.<" in page.text.split("movements-heading")[-1]
        ]
        older = page.text.partition('pager-older" href="')[2].partition('"')[0]
        if not older:
            break
        page = visitor.get(older.replace("&amp;", "&"))
    assert shown == list(range(45, 0, -1))
