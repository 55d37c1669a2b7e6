"""Rules about every route there is, read off the URL map: new ones are held to them, too."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from storefront.web.security import PUBLIC_ENDPOINTS
from tests.web.visitor import Visitor, a_visitor

NO_TOKEN_NEEDED = {"webhooks.receive"}
"""Posts that carry another proof than a token: Stripe's signature."""


def rules(app: Flask, method: str) -> Iterator[tuple[str, str]]:
    """Endpoint and a path of each route that answers to this method."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if method in (rule.methods or ()):
            yield rule.endpoint, adapter.build(rule.endpoint, _values(rule))


def _values(rule: Rule) -> dict[str, str]:
    return dict.fromkeys(rule.arguments, "x")


def test_what_is_not_listed_as_public_needs_a_sign_in(app: Flask) -> None:
    closed = [(m, *r) for m in ("GET", "POST") for r in rules(app, m)]
    closed = [each for each in closed if each[1] not in PUBLIC_ENDPOINTS]
    assert len(closed) >= 7
    for method, endpoint, path in closed:
        visitor = a_visitor(app)
        json = visitor.client.open(path, method=method, headers={"Accept": "application/json"})
        assert json.status_code == 401, endpoint
        assert json.content_type == "application/problem+json"
        browser = visitor.client.open(path, method=method, headers={"Accept": "text/html"})
        assert browser.status_code in (303, 401), endpoint
        if browser.status_code == 303:
            assert browser.location.startswith("/login"), endpoint


def test_the_public_list_names_nothing_that_is_not_there(app: Flask) -> None:
    assert {rule.endpoint for rule in app.url_map.iter_rules()} >= PUBLIC_ENDPOINTS


def test_every_post_needs_a_token(app: Flask, signed_in: Visitor) -> None:
    posts = [each for each in rules(app, "POST") if each[0] not in NO_TOKEN_NEEDED]
    assert len(posts) >= 6
    stranger = a_visitor(app)
    foreign = stranger.token("/login")
    for endpoint, path in posts:
        for data in ({}, {"csrf_token": ""}, {"csrf_token": foreign}, {"csrf_token": "a.b.c"}):
            answer = signed_in.client.post(path, data=data)
            assert answer.status_code == 403, (endpoint, data)
        plain = signed_in.client.post(path, data='{"pack": "usd_10"}', content_type="text/plain")
        assert plain.status_code == 403, endpoint
    assert signed_in.is_signed_in


def test_no_other_site_can_post_even_with_a_token(app: Flask, signed_in: Visitor) -> None:
    token = signed_in.token("/account")
    for endpoint, path in rules(app, "POST"):
        if endpoint in NO_TOKEN_NEEDED:
            continue
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "http://localhost:8000.evil.example"},
            {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            answer = signed_in.client.post(path, data={"csrf_token": token}, headers=headers)
            assert answer.status_code == 403, (endpoint, headers)
            assert "another site" in answer.text
    assert signed_in.is_signed_in


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost"},
        {"Origin": "http://localhost:8000"},  # APP_URL, whatever a proxy made of the host
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},  # from a page without referrer
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_the_shop_s_own_pages_can_post(signed_in: Visitor, headers: dict[str, str]) -> None:
    token = signed_in.token("/account")
    answer = signed_in.client.post("/logout", data={"csrf_token": token}, headers=headers)
    assert answer.status_code == 303


def test_reading_changes_nothing(app: Flask, signed_in: Visitor) -> None:
    for _, path in rules(app, "GET"):
        signed_in.get(path)
    assert signed_in.is_signed_in


def test_a_wrong_host_gets_400_everywhere(app: Flask) -> None:
    for method in ("GET", "POST"):
        for endpoint, path in rules(app, method):
            for host in ("evil.example", "localhost.evil.example", "localhost@evil.example"):
                answer = app.test_client().open(path, method=method, headers={"Host": host})
                assert answer.status_code == 400, (endpoint, host)
                assert "evil.example" not in answer.text
    assert app.test_client().get("/nowhere", headers={"Host": "evil.example"}).status_code == 400


def test_this_machine_s_names_are_for_development_only(shop_with: Callable[..., Flask]) -> None:
    development = shop_with().test_client()
    for host in ("localhost:8000", "127.0.0.1:8000"):
        assert development.get("/", headers={"Host": host}).status_code == 200
    production = shop_with(
        STOREFRONT_ENV="production", APP_URL="https://shop.example", STRIPE_API_BASE=""
    ).test_client()
    assert production.get("/", headers={"Host": "shop.example"}).status_code == 200
    assert production.get("/", headers={"Host": "127.0.0.1:8000"}).status_code == 400


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded"])
def test_links_come_from_app_url_alone(shop_with: Callable[..., Flask], name: str) -> None:
    shop = shop_with(APP_URL="https://shop.example", TRUSTED_PROXIES="1")
    client = shop.test_client()
    page = client.get("/", headers={"Host": "shop.example", name: "evil.example"})
    assert '<link rel="canonical" href="https://shop.example/">' in page.text
    assert "evil" not in page.text
    sent = client.get("/account", headers={"Host": "shop.example", name: "evil.example"})
    assert sent.location == "/login?next=/account"
