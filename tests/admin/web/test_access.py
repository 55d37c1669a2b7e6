"""Who gets in: operators alone, and for what moves money those who typed their password lately."""

from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from storefront.auditing import ACTIONS
from storefront.config import ROOT
from storefront.web import proof
from storefront.web.admin.blueprint import PAGES
from tests.admin.operator import Operator, deeds, made_operator
from tests.support import books
from tests.support.builders import Customer, a_user
from tests.web.visitor import PASSWORD, Visitor, a_visitor, main_text


def admin_rules(app: Flask, method: str) -> Iterator[str]:
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("admin.") and method in (rule.methods or ()):
            yield adapter.build(rule.endpoint, _values(rule))


def _values(rule: Rule) -> dict[str, str]:
    return dict.fromkeys(rule.arguments, "x")


def long_ago(visitor: Visitor) -> None:
    """As if the password had been typed a while ago."""
    with visitor.client.session_transaction() as session:
        session[proof.KEY] -= int(proof.LASTS.total_seconds())


def test_for_customers_there_is_nothing_here(app: Flask) -> None:
    customer = a_visitor(app).registers()
    unknown = main_text(customer.get("/no-such-page"))
    paths = list(admin_rules(app, "GET"))
    assert len(paths) >= 18
    for path in paths:
        answer = customer.get(path)
        assert (answer.status_code, main_text(answer)) == (404, unknown), path
    token = customer.token("/account")
    for path in admin_rules(app, "POST"):
        assert customer.client.post(path, data={"csrf_token": token}).status_code == 404, path
    assert "Admin" not in customer.get("/").text


def test_promoted_and_demoted_by_command(app: Flask) -> None:
    visitor = a_visitor(app).registers()
    run = app.test_cli_runner().invoke
    assert visitor.get("/admin").status_code == 404
    said = run(args=["users", "promote", visitor.email]).output
    assert said == f"{visitor.email} is an operator now\n"
    assert visitor.get("/admin").status_code == 200
    assert run(args=["users", "promote", visitor.email]).output.endswith("operator already\n")
    assert run(args=["users", "demote", visitor.email]).output.endswith("no operator any more\n")
    assert visitor.get("/admin").status_code == 404  # in the session that is open
    unknown = run(args=["users", "promote", "nobody@example.com"])
    assert unknown.exit_code == 1
    assert "There is no customer with the address nobody@example.com." in unknown.output
    said_so = [(it.action, it.who, it.after) for it in deeds(app)]
    assert said_so == [
        ("user_promoted", "command line", '{"is_admin": true}'),
        ("user_demoted", "command line", '{"is_admin": false}'),
    ]


def test_what_moves_money_asks_for_the_password_again(app: Flask, operator: Operator) -> None:
    customer = a_user(app)
    page = f"/admin/customers/{customer.id}/credits"
    assert operator.get(page).status_code == 200  # signed in a moment ago
    long_ago(operator)
    assert operator.get("/admin/payments").status_code == 200  # reading is free
    sent = operator.get(f"{page}?credits=5")
    assert (sent.status_code, sent.location) == (
        303, f"/account/confirm?next=/admin/customers/{customer.id}/credits?credits%3D5",
    )  # fmt: skip
    assert operator.submit(sent.location, password="wrong").status_code == 400
    right = operator.submit(sent.location, password=PASSWORD)
    assert (right.status_code, right.location) == (303, f"{page}?credits=5")
    assert operator.get(page).status_code == 200


def test_a_post_without_it_does_nothing(app: Flask, operator: Operator) -> None:
    customer = a_user(app)
    page = f"/admin/customers/{customer.id}/credits"
    token = operator.token(f"{page}?direction=add&credits=5&reason=x")
    long_ago(operator)
    form = {
        "csrf_token": token, "form_id": "adj_" + "0" * 32, "direction": "add", "credits": "5",
        "reason": "x", "back": page,
    }  # fmt: skip
    sent = operator.client.post(page, data=form)
    assert (sent.status_code, sent.location) == (303, f"/account/confirm?next={page}")
    assert "Nothing was done yet" in operator.get(sent.location).text
    elsewhere = operator.client.post(page, data=form | {"back": "https://evil.example/"})
    assert elsewhere.location == "/account/confirm?next=/"
    assert (books.read(app).transfers, deeds(app)) == ({}, [])
    changing = set(admin_rules(app, "POST")) - {"/admin/ledger/verification"}
    for path in changing:
        answer = operator.client.post(path, data={"csrf_token": token})
        assert answer.location == "/account/confirm?next=/", path


def test_guesses_at_the_password_are_counted_with_those_of_signing_in(
    app: Flask, operator: Operator
) -> None:
    for _ in range(10):
        assert operator.submit("/account/confirm", password="wrong").status_code == 400
    assert operator.submit("/account/confirm", password=PASSWORD).status_code == 429
    other = Visitor(app.test_client(), operator.email)
    assert other.signs_in().status_code == 429


def test_everything_that_is_written_down_stands_in_the_document(database_url: str) -> None:
    document = (ROOT / "docs/admin.md").read_text()
    assert {action for action in ACTIONS if f"`{action}`" not in document} == set()
    assert {name for name in PAGES.values() if f"| **{name}** |" not in document} == set()


def test_the_audit_log_cannot_be_rewritten(app: Flask) -> None:
    account: Customer = made_operator(app, a_user(app))
    app.test_cli_runner().invoke(args=["users", "demote", account.email])
    for change in ("UPDATE audit_entries SET who = 'x'", "DELETE FROM audit_entries"):
        with pytest.raises(Exception, match="the audit log is append-only"):
            books.execute(app, change)
    assert len(deeds(app)) == 1
