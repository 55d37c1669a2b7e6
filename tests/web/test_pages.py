"""What customers read: the front page, the top-up page, their account, a payment's page."""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event, update

from storefront import ledger
from storefront.db import db, transaction, utcnow
from storefront.payments import Payment
from tests.support.builders import Customer, a_payment, a_user, deliver, paid
from tests.web.visitor import Visitor, a_visitor, main_text

JSON = {"Accept": "application/json"}


def a_customer(app: Flask) -> tuple[Customer, Visitor]:
    """A customer who has signed in."""
    customer = a_user(app)
    visitor = a_visitor(app)
    assert visitor.signs_in(email=customer.email).status_code == 303
    return customer, visitor


def move(app: Flask, customer: Customer, code: str, credits: int, note: str = "") -> None:
    order = ledger.Order(
        id=f"test:{uuid.uuid4().hex}", code=code, user_id=customer.id, credits=credits, note=note
    )
    with app.app_context(), transaction() as session:
        ledger.transfer(session, order)


def age(app: Flask, payment_id: str, by: timedelta) -> None:
    """Let nothing have happened to this payment for a while."""
    with app.app_context(), transaction() as session:
        session.execute(
            update(Payment).where(Payment.id == payment_id).values(updated_at=utcnow() - by)
        )


@contextmanager
def counting_queries(app: Flask) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: object, _cu: object, statement: str, *_rest: object) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
            seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def test_everybody_sees_what_is_for_sale(visitor: Visitor) -> None:
    answer = visitor.get("/")
    assert "Set-Cookie" not in answer.headers, "no cookie before there is a reason for one"
    for text in ("$5", "$10", "$20", "$50", "5,000 credits"):
        assert text in main_text(answer)
    assert 'data-testid="balance"' not in answer.text


def test_every_page_shows_the_balance(app: Flask) -> None:
    customer, visitor = a_customer(app)
    move(app, customer, "top_up", 12_345)
    for path in ("/", "/top-up", "/account", "/account/password", "/nowhere"):
        page = visitor.get(path).text
        assert page.count('data-testid="balance">12,345</strong>') == 1, path
        assert "(required)" not in page


def test_a_low_balance_asks_for_more(shop_with: Callable[..., Flask]) -> None:
    shop = shop_with(LOW_BALANCE_CREDITS="500")
    customer, visitor = a_customer(shop)
    move(shop, customer, "top_up", 499)
    assert "Add credits (required)" in visitor.get("/").text
    assert visitor.get("/balance").get_json() == {"balance": 499, "needs_top_up": True}
    move(shop, customer, "top_up", 1)
    assert "Add credits (required)" not in visitor.get("/").text
    assert visitor.get("/balance").get_json() == {"balance": 500, "needs_top_up": False}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "a stand-in for Stripe. No money moves."),
        ({"STRIPE_API_BASE": ""}, "Test mode:"),
        (
            {
                "STRIPE_API_BASE": "",
                "STRIPE_SECRET_KEY": "sk_live_x",
                "STRIPE_PUBLISHABLE_KEY": "pk_live_x",
            },
            None,
        ),
    ],
)
def test_every_page_says_when_no_money_moves(
    shop_with: Callable[..., Flask], settings: dict[str, str], says: str | None
) -> None:
    visitor = a_visitor(shop_with(**settings))
    for path in ("/", "/login", "/register", "/nowhere"):
        page = visitor.get(path).text
        assert ('class="banner"' in page) == (says is not None)
        assert says is None or says in page
    broken = visitor.client.get("/", headers={"Host": "evil.example"}).text
    assert ('class="banner"' in broken) == (says is not None)


def test_amounts_are_radio_buttons_and_the_button_says_the_price(signed_in: Visitor) -> None:
    page = signed_in.get("/top-up").text
    assert "<legend>Amount</legend>" in page
    for code, label in (("usd_5", "$5"), ("usd_10", "$10"), ("usd_20", "$20"), ("usd_50", "$50")):
        assert f'<label for="pack-{code}">{label}</label>' in page
    assert re.findall(r'value="(\w+)"[^>]*checked', page) == ["usd_10"]
    assert "Pay $10.00" in page
    assert 'id="payment-element"' in page


@pytest.mark.parametrize(
    ("asked", "chosen"), [("usd_50", "usd_50"), ("usd_7", "usd_10"), ("<b>", "usd_10")]
)
def test_the_address_may_choose_a_pack(signed_in: Visitor, asked: str, chosen: str) -> None:
    page = signed_in.get("/top-up", query_string={"pack": asked}).text
    assert re.findall(r'value="(\w+)"[^>]*checked', page) == [chosen]


def test_packs_in_other_currencies_and_with_a_bonus(
    shop_with: Callable[..., Flask], tmp_path: Path
) -> None:
    catalog = tmp_path / "catalog.toml"
    catalog.write_text(
        '[[packs]]\ncode = "jpy_1500"\nname = "Big <pack>"\nprice = 1500\ncurrency = "jpy"\n'
        "credits = 1100\nbonus = 100\n"
    )
    page = a_visitor(shop_with(CATALOG_PATH=str(catalog))).registers().get("/top-up").text
    assert '<label for="pack-jpy_1500">¥1,500</label>' in page
    assert "Pay ¥1,500" in page
    assert "1,100 credits, 100 of them bonus" in re.sub(r"\s+", " ", page)
    assert 'data-amount="1500" data-currency="jpy"' in page
    assert "<pack>" not in page


def test_a_new_account_page_helps(signed_in: Visitor) -> None:
    text = main_text(signed_in.get("/account"))
    assert "Nothing yet." in text
    assert "Buy your first credits" in text


def test_movements_with_cause_amount_time_and_running_balance(app: Flask) -> None:
    customer, visitor = a_customer(app)
    payment = a_payment(app, customer)
    deliver(app.test_client(), paid(payment))
    move(app, customer, "spend", 250, note="<i>report</i> 7")
    page = visitor.get("/account")
    text = main_text(page)
    assert text.index("Credits spent") < text.index("Credits bought"), "newest first"
    assert "−250 Balance 750" in text
    assert "+1,000 Balance 1,000" in text
    assert "$10.00 payment" in text
    assert f'href="/payments/{payment.id}"' in page.text
    assert "<i>report" not in page.text
    assert re.search(r'<time datetime="\d{4}-\d\d-\d\dT[\d:.]+\+00:00">[^<]+ UTC</time>', page.text)
    assert visitor.get(f"/payments/{payment.id}").status_code == 200


def test_the_pages_of_an_account_show_each_movement_once(app: Flask) -> None:
    customer, visitor = a_customer(app)
    for credits in range(1, 46):
        move(app, customer, "top_up", credits)
    seen: list[str] = []
    path: str | None = "/account"
    while path:
        page = visitor.get(path).text
        seen += re.findall(r'class="credits-in">\+(\d+)<', page)
        older = re.search(r'class="pager-older" href="([^"]+)"', page)
        path = older[1] if older else None
    assert seen == [str(credits) for credits in range(45, 0, -1)]


@pytest.mark.parametrize("before", ["0", "-1", "x", "", "1e3", "٣", "9" * 30, "1 OR 1=1", "1.5"])
def test_pages_that_cannot_be(signed_in: Visitor, before: str) -> None:
    answer = signed_in.get("/account", query_string={"before": before})
    assert answer.status_code == 400
    assert "does not exist" in main_text(answer)


def test_the_end_of_the_pages(signed_in: Visitor) -> None:
    assert "nothing earlier" in main_text(signed_in.get("/account?before=1"))


@pytest.mark.parametrize(
    "path", ["/", "/top-up", "/account", "/account?before=9", "/payments/{}", "/account/password"]
)
def test_a_page_takes_three_queries_at_most(app: Flask, path: str) -> None:
    customer, visitor = a_customer(app)
    payment = a_payment(app, customer, status="succeeded")  # so that Stripe is not asked
    for credits in range(1, 10):
        move(app, customer, "top_up", credits)
    with counting_queries(app) as queries:
        assert visitor.get(path.format(payment.id)).status_code == 200
    assert 1 <= len(queries) <= 3, queries


def test_a_paid_payment_says_so_with_the_new_balance(app: Flask) -> None:
    customer, visitor = a_customer(app)
    payment = a_payment(app, customer)
    deliver(app.test_client(), paid(payment))
    text = main_text(visitor.get(f"/payments/{payment.id}"))
    assert "Payment succeeded" in text
    assert "Your balance is now 1,000 credits." in text
    json = visitor.get(f"/payments/{payment.id}", headers=JSON).get_json()
    expected = {"payment_id": payment.id, "status": "succeeded", "amount": 1000}
    expected |= {"currency": "usd", "credits": 1000, "balance": 1000}
    assert json.items() >= expected.items()
    assert json["outcome"]["settled"] is True


@pytest.mark.parametrize("status", ["opened", "requires_payment_method", "requires_action"])
def test_before_stripe_was_asked_nothing_is_called_failed(app: Flask, status: str) -> None:
    """The customer may have confirmed a second ago, with the webhook still on its way."""
    customer, visitor = a_customer(app)
    payment = a_payment(
        app, customer, status=status, failure_code="card_declined", failure_message="Declined."
    )
    text = main_text(visitor.get(f"/payments/{payment.id}"))
    assert "Payment processing… this can take a moment" in text
    json = visitor.get(f"/payments/{payment.id}", headers=JSON).get_json()
    assert json["outcome"]["name"] == "pending"


def test_an_old_failure_says_why_and_offers_another_try(app: Flask) -> None:
    customer, visitor = a_customer(app)
    reason = "Your card has <insufficient> funds."
    payment = a_payment(app, customer, failure_code="card_declined", failure_message=reason)
    age(app, payment.id, timedelta(hours=1))
    page = visitor.get(f"/payments/{payment.id}")
    assert "Payment failed" in main_text(page)
    assert "Your card has &lt;insufficient&gt; funds. Nothing was charged." in page.text
    assert re.search(r'class="btn btn-primary btn-block"\s+href="/top-up\?pack=usd_10"', page.text)


@pytest.mark.parametrize(
    ("status", "heading"),
    [
        ("requires_payment_method", "Payment not completed"),
        ("canceled", "Payment canceled"),
        ("processing", "Payment processing… this can take a moment"),
    ],
)
def test_other_ends(app: Flask, status: str, heading: str) -> None:
    customer, visitor = a_customer(app)
    payment = a_payment(app, customer, status=status)
    age(app, payment.id, timedelta(hours=1))
    text = main_text(visitor.get(f"/payments/{payment.id}"))
    assert heading in text
    assert visitor.get("/balance").get_json()["balance"] == 0


def test_what_the_return_address_claims_is_ignored_and_taken_off(app: Flask) -> None:
    customer, visitor = a_customer(app)
    payment = a_payment(app, customer)
    claims = {
        "payment_intent": payment.intent_id,
        "payment_intent_client_secret": f"{payment.intent_id}_secret_x",
        "redirect_status": "succeeded",
    }
    answer = visitor.get(f"/payments/{payment.id}", query_string=claims)
    assert (answer.status_code, answer.location) == (303, f"/payments/{payment.id}")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "_secret_" not in answer.text
    json = visitor.get(f"/payments/{payment.id}", query_string=claims, headers=JSON).get_json()
    assert json["status"] == "requires_payment_method"
    assert visitor.get("/balance").get_json()["balance"] == 0


def test_without_javascript_the_page_asks_by_itself(app: Flask) -> None:
    customer, visitor = a_customer(app)
    payment = a_payment(app, customer)
    refresh = '<noscript><meta http-equiv="refresh"'
    assert refresh in visitor.get(f"/payments/{payment.id}").text
    deliver(app.test_client(), paid(payment))
    assert refresh not in visitor.get(f"/payments/{payment.id}").text


def test_top_up_is_honest_without_javascript(signed_in: Visitor) -> None:
    page = signed_in.get("/top-up").text
    [notice] = re.findall(r"<noscript>(.*?)</noscript>", page, re.DOTALL)
    assert "Paying needs JavaScript" in notice
