"""A settled top-up is followed by one receipt, on the short way and the long, by SMTP and console,
and whatever stands in names and addresses begins no header of its own."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from storefront.config import ROOT, Config
from storefront.db import transaction
from storefront.users import User
from tests.support import books
from tests.support.apps import an_app, closing, some_settings
from tests.support.builders import Purchase, a_payment, a_user, deliver, paid
from tests.support.crashes import crash_everywhere
from tests.support.promised import do_work, due_now, promised, row, states
from tests.support.smtp import MailServer, words


@pytest.fixture
def settings(database_url: str, tmp_path: Path, mail_server: MailServer) -> Config:
    return some_settings(
        tmp_path,
        database_url,
        MAIL_URL=mail_server.url,
        MAIL_FROM="shop@example.com",
        APP_URL="https://shop.example",
        PROJECT_NAME="Ünser, Shop",
    )


def pays(app: Flask, *, linked: bool = True, email: str | None = None) -> Purchase:
    """`linked` False takes the long way."""
    purchase = a_payment(app, a_user(app, email=email), linked=linked)
    assert deliver(app.test_client(), paid(purchase), Host="shop.example").status_code == 200
    return purchase


@pytest.mark.parametrize("linked", [True, False], ids=["short way", "long way"])
def test_a_settled_top_up_is_followed_by_a_receipt(
    app: Flask, mail_server: MailServer, linked: bool
) -> None:
    purchase = pays(app, linked=linked)
    assert mail_server.received == [], "nothing is sent while the webhook waits"
    assert do_work(app) == 2, "what follows the payment is promised, then done"
    (message,) = mail_server.messages()
    assert message["To"] == purchase.customer.email
    assert message["From"] == '"Ünser, Shop" <shop@example.com>'
    assert message["Subject"] == "Your receipt from Ünser, Shop: $10.00"
    assert message["Message-ID"] == f"<receipt.{purchase.id}@example.com>"
    text = message.get_content()
    assert "Your payment of $10.00 succeeded, and 1,000 credits are in your balance." in text
    assert f"https://shop.example/payments/{purchase.id}" in text


def receipt_of_a_plan(app: Flask, mail_server: MailServer, **columns: Any) -> tuple[str, str]:
    """Subject and text for a one-time plan that was paid."""
    given: Any = {"amount": 2900, "amount_received": 2900, "pack_or_plan": "standard_pack"}
    given |= {"kind": "purchase", "status": "succeeded"}
    payment_id = a_payment(app, **given | columns).id
    promised(app, "payment_settled", f"payment_settled:{payment_id}", payment_id=payment_id)
    do_work(app)
    (message,) = mail_server.messages()
    return words(message)


def test_a_one_time_plan_has_a_receipt_that_names_it(app: Flask, mail_server: MailServer) -> None:
    subject, text = receipt_of_a_plan(app, mail_server, credits=0)
    assert subject == "Your receipt from Ünser, Shop: Standard Pack, $29.00"
    assert "Your payment of $29.00 succeeded.\n" in text
    assert "Bought    Standard Pack\n" in text
    assert "https://shop.example/billing" in text
    assert "redits" not in text


def test_several_of_a_plan_with_credits_and_a_discount(app: Flask, mail_server: MailServer) -> None:
    columns = {"amount": 5800, "amount_received": 5220, "quantity": 2, "credits": 6000}
    _, text = receipt_of_a_plan(app, mail_server, **columns)
    assert "Your payment of $52.20 succeeded, and 6,000 credits are in your balance." in text
    assert "Bought    Standard Pack (2)\n  Paid      $52.20\n  Credits   6,000\n" in text


def test_a_plan_that_a_discount_made_free(app: Flask, mail_server: MailServer) -> None:
    _, text = receipt_of_a_plan(app, mail_server, amount_received=0, credits=3000)
    thanks = "Your order is complete; there was nothing to pay, and 3,000 credits are in your"
    assert thanks in text
    assert "payment of" not in text


def test_a_plan_whose_name_would_begin_a_header(
    database_url: str, tmp_path: Path, mail_server: MailServer
) -> None:
    name = r"Pack\r\nBcc: all@example.com\n\nFree money"
    catalog = (
        (ROOT / "catalog.toml").read_text().replace('name = "Standard Pack"', f'name = "{name}"')
    )
    (tmp_path / "odd.toml").write_text(catalog)
    changes = {"MAIL_URL": mail_server.url, "CATALOG_PATH": str(tmp_path / "odd.toml")}
    with closing(an_app(some_settings(tmp_path, database_url, **changes))) as app:
        subject, _ = receipt_of_a_plan(app, mail_server)
    assert subject == "Your receipt from Storefront: Pack Bcc: all@example.com"
    assert mail_server.messages()[0]["Bcc"] is None


def test_both_ways_promise_the_same(app: Flask) -> None:
    short, long = pays(app), pays(app, linked=False)
    plain = []
    for purchase in (short, long):
        job = row(app, f"payment_settled:{purchase.id}")
        assert json.loads(job.pop("args")) == {"payment_id": purchase.id}
        assert job.pop("key") == f"payment_settled:{purchase.id}"
        assert job.pop("run_at") and job.pop("created_at")
        plain.append(job)
    assert plain[0] == plain[1]


@pytest.mark.parametrize("linked", [True, False], ids=["short way", "long way"])
def test_an_event_that_comes_again_sends_no_second_receipt(
    app: Flask, mail_server: MailServer, linked: bool
) -> None:
    purchase = a_payment(app, linked=linked)
    for event in [paid(purchase)] * 2 + [paid(purchase)]:
        deliver(app.test_client(), event, Host="shop.example")
        do_work(app)
    assert len(mail_server.received) == 1


def test_what_is_not_paid_has_no_receipt(app: Flask) -> None:
    purchase = a_payment(app)
    event = paid(purchase)
    event["data"]["object"]["amount_received"] = 1
    deliver(app.test_client(), event, Host="shop.example")
    assert states(app) == {}


def test_a_mail_server_that_is_away_delays_the_receipt_and_nothing_else(
    app: Flask, mail_server: MailServer
) -> None:
    purchase = pays(app)
    mail_server.refusals[purchase.customer.email] = "451 4.3.0 Try again later"
    do_work(app)
    key = f"mail_receipt:{purchase.id}"
    assert states(app)[key] == "failed"
    assert books.balance(app, purchase.customer.id) == 1000
    mail_server.refusals.clear()
    due_now(app, key)
    do_work(app)
    assert (states(app)[key], len(mail_server.received)) == ("done", 1)


def test_an_address_that_does_not_exist_is_given_up(app: Flask, mail_server: MailServer) -> None:
    purchase = pays(app)
    mail_server.refusals[purchase.customer.email] = "550 5.1.1 No such user"
    do_work(app)
    assert states(app)[f"mail_receipt:{purchase.id}"] == "given up"


@pytest.mark.parametrize("reply", ["451 4.3.0 <{}> later", "550 5.1.1 No such user <{}>"])
def test_no_address_gets_into_the_log_or_the_list_of_jobs(
    app: Flask, mail_server: MailServer, reply: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Servers repeat it in their replies."""
    purchase = pays(app)
    email = purchase.customer.email
    mail_server.refusals[email] = reply.format(email)
    do_work(app)
    told = row(app, f"mail_receipt:{purchase.id}")["last_error"]
    assert reply[:3] in told
    assert reply[:3] in caplog.text
    assert email not in told + caplog.text


@pytest.mark.parametrize(
    "address",
    ["a@example.com\nBcc: all@example.com", "a@example.com\r\nSubject: free", "a@exa\rmple.com"],
    ids=["new line", "carriage return and new line", "carriage return"],
)
def test_an_address_with_a_header_in_it_is_sent_nothing(
    app: Flask, mail_server: MailServer, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Registration refuses such an address; here somebody wrote it into the table."""
    purchase = pays(app)
    with app.app_context(), transaction() as session:
        session.get_one(User, purchase.customer.id).email = address
    do_work(app)
    assert mail_server.received == []
    assert states(app)[f"mail_receipt:{purchase.id}"] == "given up"
    assert "all@example.com" not in caplog.text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_name_with_a_header_in_it_is_one_line(
    database_url: str, tmp_path: Path, mail_server: MailServer
) -> None:
    settings = some_settings(
        tmp_path,
        database_url,
        MAIL_URL=mail_server.url,
        PROJECT_NAME='Shop" <x@evil.example>\r\nBcc: all@example.com\n\nhello\x00',
    )
    with closing(an_app(settings)) as app:
        purchase = a_payment(app)
        deliver(app.test_client(), paid(purchase))
        do_work(app)
    (message,) = mail_server.messages()
    (_, recipients, _) = mail_server.received[0]
    assert recipients == [purchase.customer.email]
    assert message["Bcc"] is None
    assert message["From"].addresses[0].addr_spec == "no-reply@localhost"
    assert message["Subject"].startswith("Your receipt from Shop")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_a_mail_server_mail_goes_to_the_console(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(an_app(some_settings(tmp_path, database_url))) as app:
        purchase = a_payment(app)
        deliver(app.test_client(), paid(purchase))
        result = app.test_cli_runner().invoke(args=["worker", "--once"])
    assert result.exit_code == 0, result.output
    assert f"To: {purchase.customer.email}" in result.output
    assert "jobs were started" in result.output


@pytest.mark.parametrize("scenario", ["PaidWithReceipt", "PaidUnlinkedWithReceipt"])
def test_a_crash_anywhere_leaves_the_credit_and_its_receipt_or_neither(
    database_url: str, scenario: str
) -> None:
    assert crash_everywhere(database_url, scenario, step=3).violations == []
