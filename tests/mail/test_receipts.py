"""A settled top-up is followed by one receipt, on the short way and the long, by SMTP and console,
and whatever stands in names and addresses begins no header of its own."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from storefront.config import Config
from storefront.db import transaction
from storefront.users import User
from tests.support import books
from tests.support.apps import an_app, closing, some_settings
from tests.support.builders import Purchase, a_payment, a_user, deliver, paid
from tests.support.crashes import crash_everywhere
from tests.support.promised import do_work, due_now, row, states
from tests.support.smtp import MailServer, a_mail_server


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with a_mail_server() as server:
        yield server


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


@pytest.mark.parametrize(
    "address",
    ["a@example.com\nBcc: all@example.com", "a@example.com\r\nSubject: free", "a@exa\rmple.com"],
    ids=["new line", "carriage return and new line", "carriage return"],
)
def test_an_address_with_a_header_in_it_is_sent_nothing(
    app: Flask, mail_server: MailServer, address: str
) -> None:
    """Registration refuses such an address; here somebody wrote it into the table."""
    purchase = pays(app)
    with app.app_context(), transaction() as session:
        session.get_one(User, purchase.customer.id).email = address
    do_work(app)
    assert mail_server.received == []
    assert states(app)[f"mail_receipt:{purchase.id}"] == "given up"


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
    assert crash_everywhere(database_url, scenario).violations == []
