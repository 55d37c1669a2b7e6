"""Accounts as their owners, and those who would like to be, meet them."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from argon2 import extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY
from flask import Flask
from sqlalchemy import update

from storefront import sessions
from storefront.db import db, transaction, utcnow
from storefront.sessions import EndedSession
from storefront.users import User
from tests.support.apps import NOBODYS_HASH, SHOPS_HASHER
from tests.web.visitor import PASSWORD, Visitor, a_visitor, main_text

FOREIGN = [
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    "https:evil.example",
    "https://evil.example/",
    "https:///evil.example",
    "javascript:alert(1)",
    "//user@evil.example",
    "https://localhost@evil.example",
    "http://localhost:8000.evil.example",
    "evil.example",
    " /top-up",
    "/ü",
    "",
]


def test_registering_signs_in_and_the_account_stays(visitor: Visitor) -> None:
    visitor.registers()
    assert visitor.is_signed_in
    assert 'data-testid="balance">0</strong>' in visitor.get("/").text
    visitor.signs_out()
    assert not visitor.is_signed_in
    assert visitor.signs_in().status_code == 303
    assert visitor.is_signed_in


def test_the_address_is_found_however_it_is_typed(visitor: Visitor) -> None:
    visitor.registers()
    visitor.signs_out()
    assert visitor.signs_in(email=f"  {visitor.email.upper()} ").status_code == 303


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(visitor: Visitor) -> None:
    visitor.registers()
    visitor.signs_out()
    wrong = visitor.signs_in(password="something else")
    unknown = visitor.signs_in(email="nobody@example.com", password="something else")
    assert wrong.status_code == unknown.status_code == 401
    assert _without_input(wrong.text, visitor.email) == _without_input(
        unknown.text, "nobody@example.com"
    )
    assert "do not belong together" in main_text(wrong)
    assert not visitor.is_signed_in


def test_passwords_are_hashed_as_the_standard_recommends() -> None:
    """RFC 9106, section 4, the second choice: for machines where memory is scarce."""
    assert extract_parameters(SHOPS_HASHER.hash(PASSWORD)) == RFC_9106_LOW_MEMORY
    assert extract_parameters(NOBODYS_HASH) == RFC_9106_LOW_MEMORY, "as long as everybody's"


def test_both_cost_one_password_hash(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal work is what makes equal time; time itself is no fit thing for a test."""
    from argon2 import PasswordHasher

    visitor.registers()
    visitor.signs_out()
    verified: list[int] = []
    real = PasswordHasher.verify

    def counting(hasher: PasswordHasher, known: str, given: str) -> bool:
        verified.append(len(known))
        return real(hasher, known, given)

    monkeypatch.setattr(PasswordHasher, "verify", counting)
    for email in (visitor.email, "nobody@example.com", "not an address"):
        visitor.signs_in(email=email, password="something else")
    assert len(verified) == 3
    assert len(set(verified)) == 1


def test_an_address_has_one_account(app: Flask, visitor: Visitor) -> None:
    visitor.registers()
    second = a_visitor(app).submit("/register", email=visitor.email, password=PASSWORD)
    assert second.status_code == 400
    assert "There is an account with this e-mail address" in main_text(second)


@pytest.mark.parametrize(
    ("email", "password", "says"),
    [
        ("", PASSWORD, "Enter your e-mail address"),
        ("no address", PASSWORD, "Enter an e-mail address"),
        ("a@b@example.com", PASSWORD, "Enter an e-mail address"),
        ("a\x00@example.com", PASSWORD, "Enter an e-mail address"),
        ("a@example.com", "short", "Choose 8 to 200 characters"),
        ("a@example.com", "x" * 201, "Choose 8 to 200 characters"),
        ("a@example.com", "", "Choose a password"),
    ],
)
def test_unusable_registrations_say_what_is_wrong(
    visitor: Visitor, email: str, password: str, says: str
) -> None:
    answer = visitor.submit("/register", email=email, password=password)
    assert answer.status_code == 400
    assert says in main_text(answer)
    assert 'aria-invalid="true"' in answer.text
    assert not visitor.is_signed_in


@pytest.mark.parametrize("password", ["        ", "p" * 200, "пароль-пароль", "'; DROP TABLE--"])
def test_any_characters_make_a_password(visitor: Visitor, password: str) -> None:
    visitor.registers(password)
    visitor.signs_out()
    assert visitor.signs_in(password).status_code == 303


def test_a_password_in_another_unicode_form_is_the_same(visitor: Visitor) -> None:
    visitor.registers("cafe\u0301 au lait")
    visitor.signs_out()
    assert visitor.signs_in("caf\u00e9 au lait").status_code == 303


def test_nothing_that_was_typed_becomes_markup(visitor: Visitor) -> None:
    answer = visitor.submit("/login", email='"><script>x</script>', password="<script>y</script>")
    assert "<script>x" not in answer.text
    assert "<script>y" not in answer.text


def test_a_form_cannot_set_more_than_it_asks(app: Flask, visitor: Visitor) -> None:
    visitor.submit(
        "/register", email=visitor.email, password=PASSWORD, is_admin="1", session_version="9"
    )
    with app.app_context():
        user = db.session.query(User).filter_by(email=visitor.email).one()
        assert (user.is_admin, user.session_version) == (False, 1)


def test_after_signing_in_one_is_where_one_wanted_to_be(visitor: Visitor) -> None:
    visitor.registers()
    visitor.signs_out()
    sent = visitor.get("/top-up?pack=usd_20")
    assert sent.status_code == 303
    assert sent.location == "/login?next=/top-up?pack%3Dusd_20"
    answer = visitor.submit(sent.location, email=visitor.email, password=PASSWORD)
    assert (answer.status_code, answer.location) == (303, "/top-up?pack=usd_20")


@pytest.mark.parametrize(
    ("page", "target"),
    [*(("/login", each) for each in FOREIGN), *(("/register", each) for each in FOREIGN[:4])],
)
def test_next_leads_nowhere_else(app: Flask, page: str, target: str) -> None:
    visitor = a_visitor(app)
    form = visitor.get(page, query_string={"next": target}).text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
    assert token
    if page == "/login":
        a_visitor_account = a_visitor(app).registers()
        visitor.email = a_visitor_account.email
    answer = visitor.client.post(
        page,
        query_string={"next": target},
        data={"csrf_token": token[1], "email": visitor.email, "password": PASSWORD},
    )
    assert (answer.status_code, answer.location) == (303, "/")


def test_next_of_who_is_signed_in_leads_nowhere_else(signed_in: Visitor) -> None:
    answer = signed_in.get("/login", query_string={"next": "//evil.example"})
    assert (answer.status_code, answer.location) == (303, "/")


def test_signing_in_makes_a_new_session(visitor: Visitor) -> None:
    visitor.registers()
    visitor.signs_out()
    visitor.get("/login")
    planted, token = visitor.cookie, visitor.token("/login")
    visitor.signs_in()
    assert visitor.cookie != planted
    assert visitor.token("/account") != token
    stale = visitor.client.post("/logout", data={"csrf_token": token})
    assert stale.status_code == 403, "the token from before signing in is no good any more"


def test_a_cookie_planted_before_signing_in_stays_worthless(app: Flask, visitor: Visitor) -> None:
    visitor.registers()
    visitor.signs_out()
    visitor.get("/login")
    planted = visitor.cookie
    visitor.signs_in()
    assert not a_visitor(app).steals(planted).is_signed_in


def test_signing_out_takes_the_cookie_away_and_no_answer_brings_it_back(visitor: Visitor) -> None:
    visitor.registers()
    assert "Set-Cookie" not in visitor.get("/balance").headers
    answer = visitor.signs_out()
    assert (answer.status_code, answer.location) == (303, "/")
    assert visitor.cookie == ""


def test_signing_out_needs_a_post(signed_in: Visitor) -> None:
    assert signed_in.get("/logout").status_code == 405
    assert signed_in.is_signed_in


def test_signing_out_everywhere_ends_every_session(app: Flask, signed_in: Visitor) -> None:
    elsewhere = a_visitor(app)
    elsewhere.signs_in(email=signed_in.email)
    copied = signed_in.cookie
    assert elsewhere.is_signed_in
    answer = signed_in.submit("/account/sign-out-everywhere", token_from="/account/password")
    assert (answer.status_code, answer.location) == (303, "/login")
    assert "You are signed out everywhere." in main_text(signed_in.get("/login"))
    assert not elsewhere.is_signed_in
    assert not a_visitor(app).steals(copied).is_signed_in
    assert signed_in.signs_in().status_code == 303


def test_another_password_ends_the_other_sessions(app: Flask, signed_in: Visitor) -> None:
    elsewhere = a_visitor(app)
    elsewhere.signs_in(email=signed_in.email)
    copied = signed_in.cookie
    answer = signed_in.submit("/account/password", current=PASSWORD, new="another long one")
    assert (answer.status_code, answer.location) == (303, "/account")
    assert "Your password is changed" in main_text(signed_in.get("/account"))
    assert signed_in.is_signed_in
    assert not elsewhere.is_signed_in
    assert not a_visitor(app).steals(copied).is_signed_in
    assert a_visitor(app).signs_in(email=signed_in.email).status_code == 401
    assert a_visitor(app).signs_in("another long one", signed_in.email).status_code == 303


def test_changing_the_password_needs_the_current_one(signed_in: Visitor) -> None:
    answer = signed_in.submit("/account/password", current="not this", new="another long one")
    assert answer.status_code == 400
    assert "The current password is not right." in main_text(answer)
    signed_in.signs_out()
    assert signed_in.signs_in().status_code == 303


@pytest.mark.parametrize("forged", ["usr_x:1", "", "a.b.c", "eyJfdXNlcl9pZCI6InVzcl94OjEifQ.x.y"])
def test_a_forged_cookie_is_nobody(app: Flask, forged: str) -> None:
    assert not a_visitor(app).steals(forged).is_signed_in


def test_cookies_over_http_and_https(shop_with: Callable[..., Flask]) -> None:
    plain = a_visitor(shop_with()).get("/login").headers["Set-Cookie"]
    assert plain.startswith("session=")
    assert "HttpOnly" in plain
    assert "SameSite=Lax" in plain
    assert "Secure" not in plain
    shop = shop_with(APP_URL="https://shop.example")
    secure = shop.test_client().get("/login", base_url="https://shop.example")
    cookie = secure.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    assert all(part in cookie for part in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"))
    assert "Domain" not in cookie


def _without_input(page: str, email: str) -> str:
    page = page.replace(email, "EMAIL")
    return re.sub(r'(name="csrf_token"[^>]*value|nonce)="[^"]+"', "", page)


def a_copy_of(visitor: Visitor) -> Visitor:
    """Somebody who got hold of the session cookie."""
    app = visitor.client.application
    thief, settings = a_visitor(app), app.config
    name, domain = settings["SESSION_COOKIE_NAME"], settings["TRUSTED_HOSTS"][0]
    thief.client.set_cookie(name, visitor.cookie, domain=domain)
    return thief


def test_a_copied_cookie_is_worth_nothing_after_signing_out(visitor: Visitor) -> None:
    visitor.registers()
    thief = a_copy_of(visitor)
    assert thief.is_signed_in
    visitor.signs_out()
    assert not thief.is_signed_in
    visitor.signs_in()
    assert visitor.is_signed_in
    assert not thief.is_signed_in


def test_signing_out_ends_this_session_alone(app: Flask, visitor: Visitor) -> None:
    visitor.registers()
    elsewhere = a_visitor(app)
    elsewhere.signs_in(email=visitor.email)
    visitor.signs_out()
    assert elsewhere.is_signed_in


def test_another_password_ends_the_session_that_was_copied(visitor: Visitor) -> None:
    visitor.registers()
    thief = a_copy_of(visitor)
    changed = visitor.submit("/account/password", current=PASSWORD, new="another battery")
    assert changed.status_code == 303, changed.text
    assert visitor.is_signed_in
    assert not thief.is_signed_in


def test_ended_sessions_are_forgotten_when_their_cookies_have_run_out(
    app: Flask, visitor: Visitor
) -> None:
    visitor.registers()
    visitor.signs_out()
    with app.app_context():
        with transaction() as session:
            assert sessions.prune(session, 10) == 0
            session.execute(update(EndedSession).values(ended_at=utcnow() - timedelta(days=15)))
        with transaction() as session:
            assert (sessions.prune(session, 10), sessions.prune(session, 10)) == (1, 0)
