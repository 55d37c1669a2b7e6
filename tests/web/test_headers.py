"""What every answer tells the browser about what it may do, and whom it may tell."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.visitor import Visitor, a_visitor

REAL_STRIPE = {"STRIPE_API_BASE": "https://api.stripe.com"}
STAND_IN = {"STRIPE_API_BASE": "http://127.0.0.1:9", "STRIPE_JS_URL": "http://127.0.0.1:9/v3/"}
OFF = ("camera", "geolocation", "microphone", "usb")


def every_kind_of_answer(client: FlaskClient) -> dict[str, TestResponse]:
    json = {"Accept": "application/json"}
    return {
        "page": client.get("/"),
        "redirect": client.get("/account"),
        "json": client.get("/healthz"),
        "signed out": client.get("/balance", headers=json),
        "not found": client.get("/nowhere"),
        "not found, json": client.get("/nowhere", headers=json),
        "wrong method": client.get("/logout"),
        "no token": client.post("/login"),
        "too large": client.post("/login", data={"email": "x" * 100_000}),
        "wrong host": client.get("/", headers={"Host": "evil.example"}),
        "webhook": client.post("/stripe/webhook", data="{}"),
        "style sheet": client.get("/static/css/storefront.css"),
        "script": client.get("/static/js/top_up.js"),
        "missing file": client.get("/static/nothing.css"),
        "bootstrap": client.get("/bootstrap/static/css/bootstrap.min.css"),
        "options": client.options("/login"),
    }


def policy_of(answer: TestResponse) -> dict[str, list[str]]:
    directives = answer.headers["Content-Security-Policy"].split("; ")
    return {name: sources for name, *sources in map(str.split, directives)}


def test_every_kind_of_answer_carries_them(app: Flask) -> None:
    answers = every_kind_of_answer(app.test_client())
    statuses = {answer.status_code for answer in answers.values()}
    assert statuses >= {200, 303, 400, 401, 403, 404, 405, 413}
    for kind, answer in answers.items():
        answer.close()
        policy = policy_of(answer)
        assert policy["default-src"] == ["'none'"], kind
        for name in ("object-src", "base-uri", "frame-ancestors"):
            assert policy[name] == ["'none'"], kind
        assert "unsafe" not in answer.headers["Content-Security-Policy"], kind
        assert answer.headers["X-Content-Type-Options"] == "nosniff", kind
        assert answer.headers["X-Frame-Options"] == "DENY", kind
        assert answer.headers["Referrer-Policy"] in ("same-origin", "no-referrer"), kind
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin", kind
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin", kind
        for power in OFF:
            assert f"{power}=()" in answer.headers["Permissions-Policy"], kind
        assert "Access-Control-Allow-Origin" not in answer.headers, kind
        assert "Strict-Transport-Security" not in answer.headers, kind


def test_an_unexpected_error_carries_them_and_tells_nothing(app: Flask) -> None:
    @app.get("/healthz/breaks")
    def breaks() -> str:
        raise RuntimeError("sk_test_secret")

    app.view_functions["health.healthz"] = breaks
    for accept, kind in (("text/html", "text/html"), ("application/json", "problem+json")):
        answer = app.test_client().get("/healthz", headers={"Accept": accept})
        assert answer.status_code == 500
        assert kind in answer.content_type
        assert policy_of(answer)["default-src"] == ["'none'"]
        assert "sk_test_secret" not in answer.text
        assert "Something went wrong" in answer.text


def test_a_year_of_https_only_where_there_is_https(shop_with: Callable[..., Flask]) -> None:
    client = shop_with(APP_URL="https://shop.example").test_client()
    for path in ("/", "/nowhere", "/static/css/storefront.css", "/login"):
        with client.get(path, base_url="https://shop.example") as answer:
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_nonces_are_new_each_time_and_on_every_script(app: Flask) -> None:
    client, seen = app.test_client(), set()
    for path in ("/", "/", "/login", "/register", "/nowhere"):
        answer = client.get(path)
        [source] = policy_of(answer)["script-src"]
        nonce = re.fullmatch(r"'nonce-([\w-]{22,})'", source)
        assert nonce
        seen.add(nonce[1])
        tags = re.findall(r"<script[^>]*>", answer.text)
        assert tags
        assert all(f'nonce="{nonce[1]}"' in tag for tag in tags)
    assert len(seen) == 5


@pytest.mark.parametrize("path", ["/", "/login", "/register", "/top-up", "/account", "/nowhere"])
def test_no_page_has_inline_script_or_style(signed_in: Visitor, path: str) -> None:
    page = signed_in.get(path).text
    assert not re.search(r"\son\w+=|\sstyle=|<style|javascript:", page)
    for tag in re.findall(r"<script[^>]*>", page):
        assert "src=" in tag


def test_with_stripe_the_documented_hosts_are_allowed_where_one_pays(
    shop_with: Callable[..., Flask],
) -> None:
    shop = shop_with(**REAL_STRIPE)
    visitor = a_visitor(shop).registers()
    policy = policy_of(visitor.get("/top-up"))
    assert policy["script-src"][1:] == ["https://js.stripe.com", "https://*.js.stripe.com"]
    assert policy["connect-src"] == ["'self'", "https://api.stripe.com"]
    assert policy["frame-src"] == [
        "https://js.stripe.com",
        "https://*.js.stripe.com",
        "https://hooks.stripe.com",
    ]
    redirects = ["https://checkout.stripe.com", "https://billing.stripe.com"]
    assert policy["form-action"] == ["'self'", *redirects]
    assert policy_of(visitor.get("/account"))["form-action"] == ["'self'", *redirects]
    permissions = visitor.get("/top-up").headers["Permissions-Policy"]
    assert 'payment=(self "https://js.stripe.com")' in permissions


def test_with_a_stand_in_only_its_origin_is(shop_with: Callable[..., Flask]) -> None:
    visitor = a_visitor(shop_with(**STAND_IN)).registers()
    answer = visitor.get("/top-up")
    policy = policy_of(answer)
    assert policy["script-src"][1:] == ["http://127.0.0.1:9"]
    assert policy["connect-src"] == ["'self'", "http://127.0.0.1:9"]
    assert policy["frame-src"] == ["http://127.0.0.1:9"]
    assert "stripe.com" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/", "/account", "/account/password", "/nowhere"])
def test_no_other_page_depends_on_stripe_s_script(signed_in: Visitor, path: str) -> None:
    answer = signed_in.get(path)
    policy = policy_of(answer)
    assert len(policy["script-src"]) == 1
    assert policy["frame-src"] == ["'none'"]
    assert policy["connect-src"] == ["'self'"]
    assert "payment=()" in answer.headers["Permissions-Policy"]
    assert "stripe.js" not in answer.text


def test_where_one_pays_nothing_is_told_and_windows_may_report_back(signed_in: Visitor) -> None:
    answer = signed_in.get("/top-up")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin-allow-popups"
    assert signed_in.get("/payments/pay_x").headers["Referrer-Policy"] == "no-referrer"


def test_personal_answers_are_kept_nowhere(signed_in: Visitor) -> None:
    for path in ("/", "/top-up", "/account", "/account/password", "/balance", "/payments/pay_x"):
        answer = signed_in.get(path)
        assert answer.headers["Cache-Control"] == "no-store", path
        assert "Cookie" in answer.headers["Vary"], path


def test_files_may_be_kept(client: FlaskClient) -> None:
    with client.get("/static/css/storefront.css") as answer:
        assert "no-store" not in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/static/../wsgi.py", "/static/%2e%2e/wsgi.py", "/.git/config"])
def test_nothing_beside_the_files_is_served(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404
