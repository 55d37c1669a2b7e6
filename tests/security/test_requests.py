"""Requests that no page of ours would send: other verbs, other names, more fields, other fields
twice, from other sites, through other hosts."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from storefront import provisioning
from tests.admin.operator import Operator
from tests.fakestripe.harness import FakeStripe
from tests.security.routes import ENDS_THE_SESSION, its_ids, paths
from tests.support import books
from tests.support.apps import an_app, closing, some_settings
from tests.support.builders import a_user
from tests.web.visitor import PASSWORD, Visitor, a_visitor

EVIL = "https://evil.example"
VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")
OVERRIDES = {
    "X-HTTP-Method-Override": "POST", "X-HTTP-Method": "POST", "X-Method-Override": "POST",
    "X-Original-URL": "/admin", "X-Rewrite-URL": "/admin",
}  # fmt: skip
TOO_MUCH = {
    "is_admin": "1", "user_id": "usr_x", "id": "usr_x", "balance": "999999", "session_version": "7",
    "stripe_customer_id": "cus_x", "password_hash": "x", "__class__": "x", "__proto__": "x",
}  # fmt: skip


def test_an_address_answers_to_its_own_verbs_alone(app: Flask, operator: Operator) -> None:
    ids, before = its_ids(app), books.read(app)
    there = {method: dict(paths(app, method, **ids)).values() for method in VERBS}
    every = {path for known in there.values() for path in known}
    for path in every:
        for method in VERBS:
            if path not in there[method]:
                answer = operator.client.open(path, method=method)
                assert answer.status_code in (404, 405), (method, path)  # 404: taken for an id
    assert books.read(app) == before


def test_no_header_or_field_makes_a_get_a_post(app: Flask, mallory: Visitor) -> None:
    token = mallory.token("/account")
    for path in ("/logout", "/account/sign-out-everywhere", "/billing/checkout", "/stripe/webhook"):
        query = {"_method": "POST", "csrf_token": token}
        answer = mallory.get(path, query_string=query, headers=OVERRIDES)
        assert answer.status_code == 405, path
    assert mallory.get("/", headers=OVERRIDES).status_code == 200
    assert mallory.is_signed_in


def test_no_form_sets_what_it_does_not_ask_for(app: Flask, mallory: Visitor) -> None:
    """Every form of a customer's, rightly filled in, with more in it."""
    before = books.read(app)
    right = {
        "csrf_token": mallory.token("/account"), "email": mallory.email, "password": PASSWORD,
        "current": PASSWORD, "new": PASSWORD, "allowed": "no",
    }  # fmt: skip
    for endpoint, path in paths(app, "POST"):
        mallory.client.post(path, data=right | TOO_MUCH)
        right["csrf_token"] = mallory.token("/account")
        assert endpoint not in ENDS_THE_SESSION
    after = books.read(app)
    assert (after.payments, after.wallets) == (before.payments, before.wallets)
    for id, row in after.users.items():
        changed = {name for name in row if row[name] != before.users[id][name]}
        assert changed <= {"session_version", "password_hash", "analytics_consent"}
        assert (row["session_version"], row["is_admin"]) in ((1, 0), (2, 0)), "a password's own"


def test_of_a_field_sent_twice_one_counts_and_the_address_is_none(
    app: Flask, operator: Operator
) -> None:
    """What was shown for confirmation is what is done."""
    page = f"/admin/customers/{a_user(app).id}/credits"
    user_id = page.split("/")[3]
    asked = f"{page}?direction=add&credits=5&credits=5000&reason=gift"
    shown = operator.get(asked).text
    assert "Add 5 credits" in shown
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', shown))
    done = operator.client.post(f"{page}?credits=7000", data={**form, "credits": ["5", "5000"]})
    assert done.status_code == 303
    assert books.balance(app, user_id) == 5


def test_no_answer_is_for_other_sites_or_for_a_cache(app: Flask, operator: Operator) -> None:
    """Neither does an Origin come back, nor may anything on the way keep an answer."""
    ids = its_ids(app)
    asks = {
        "Origin": EVIL, "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-csrftoken", "X-Forwarded-Host": "evil.example",
    }  # fmt: skip
    for method in ("GET", "OPTIONS"):
        for endpoint, path in paths(app, "GET", **ids):
            answer = operator.client.open(path, method=method, headers=asks, buffered=True)
            told = str(answer.headers)
            assert "Access-Control" not in told, endpoint
            assert "evil.example" not in told + answer.text, endpoint
            assert answer.headers["Cache-Control"] == "no-store", endpoint


@pytest.fixture
def https_shop(database_url: str, tmp_path: Path, fakestripe: FakeStripe) -> Iterator[Flask]:
    """Behind one proxy, on https, with everything for sale."""
    settings = some_settings(
        tmp_path, database_url, STRIPE_API_BASE=fakestripe.url, APP_URL="https://shop.example",
        TRUSTED_PROXIES="1",
    )  # fmt: skip
    with closing(an_app(settings)) as app:
        with app.app_context():
            given = app.extensions
            provisioning.apply(given["stripe_gateway"], given["catalog"])
        yield app


POISONED = {
    "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher", "X-Forwarded-Port": "666",
    "X-Forwarded-Prefix": "/evil", "Forwarded": "host=evil.example;proto=http",
    "X-Forwarded-Server": "evil.example", "X-Host": "evil.example",
}  # fmt: skip


def test_stripe_is_told_our_own_address_whatever_the_headers_say(
    https_shop: Flask, fakestripe: FakeStripe
) -> None:
    mallory = a_visitor(https_shop)
    environ = {"base_url": "https://shop.example", "headers": POISONED}
    page = mallory.client.get("/register", **environ).text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    form = {"csrf_token": token[1], "email": mallory.email, "password": PASSWORD}
    sent = {"Referer": "https://shop.example/"} | POISONED
    registered = mallory.client.post(
        "/register", data=form, base_url="https://shop.example", headers=sent
    )
    assert (registered.status_code, registered.location) == (303, "/")
    for cookie in registered.headers.getlist("Set-Cookie"):
        assert cookie.startswith("__Host-session=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    page = mallory.client.get("/billing", **environ).text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    form = {"csrf_token": token[1], "plan": "premium_plan", "interval": "monthly"}
    leaving = mallory.client.post(
        "/billing/checkout", data=form, base_url="https://shop.example", headers=sent
    )
    assert leaving.status_code == 303
    [session] = fakestripe.control("objects?type=checkout.session")["data"]
    for url in (session["success_url"], session["cancel_url"]):
        assert url.startswith("https://shop.example/billing?checkout_status="), url
    assert "evil" not in str(session)
