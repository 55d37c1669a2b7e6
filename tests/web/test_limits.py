"""How often things may be tried, whoever tries, however many at once."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from sqlalchemy import func, select, update

from storefront import attempts
from storefront.attempts import Attempt, Limit
from storefront.db import db, transaction
from storefront.errors import TooMany
from tests.support.races import at_once
from tests.web.visitor import PASSWORD, Visitor, a_visitor, main_text

FIVE = Limit("test", "somebody", 5, timedelta(minutes=15))


def test_of_twenty_parallel_tries_exactly_the_allowed_get_through(app: Flask) -> None:
    outcomes = at_once(app, [lambda: attempts.take(FIVE)] * 20)
    refused = [outcome for outcome in outcomes if isinstance(outcome, TooMany)]
    assert (len(outcomes), len(refused)) == (20, 15)
    assert all(isinstance(outcome, list | TooMany) for outcome in outcomes)


def test_two_limits_in_either_order_do_not_block_each_other(app: Flask) -> None:
    other = Limit("other", "somebody", 1000, timedelta(minutes=15))
    many = Limit("test", "somebody", 1000, timedelta(minutes=15))
    tasks = [lambda: attempts.take(many, other), lambda: attempts.take(other, many)] * 8
    assert all(isinstance(outcome, list) for outcome in at_once(app, tasks))


def test_a_refused_try_counts_under_no_limit(app: Flask) -> None:
    roomy = Limit("roomy", "somebody", 100, timedelta(minutes=15))
    with app.app_context():
        for _ in range(5):
            attempts.take(FIVE)
        for _ in range(3):
            _expect_refusal(FIVE, roomy)
        counted = db.session.scalar(select(func.count()).where(Attempt.kind == "roomy"))
        assert counted == 0


def test_the_limit_opens_when_the_window_has_passed(app: Flask) -> None:
    with app.app_context():
        for _ in range(5):
            attempts.take(FIVE)
        refusal = _expect_refusal(FIVE)
        assert refusal.retry_after_seconds is not None
        assert 14 * 60 < refusal.retry_after_seconds <= 15 * 60
        _age(timedelta(minutes=15))
        attempts.take(FIVE)


def test_old_rows_go_away(app: Flask) -> None:
    with app.app_context():
        attempts.take(FIVE)
        _age(timedelta(days=2))
        attempts.take(FIVE)
        assert db.session.scalar(select(func.count()).select_from(Attempt)) == 1


def test_rows_of_those_who_never_return_go_away_too(app: Flask) -> None:
    with app.app_context():
        stranger = Limit("test", "stranger", 5, timedelta(minutes=15))
        [first] = attempts.take(stranger)
        _age(timedelta(days=2))
        roomy = Limit("test", "regular", 10_000, timedelta(minutes=15))
        for _ in range(attempts.PRUNE_ALL_EVERY):
            attempts.take(roomy)
        assert db.session.get(Attempt, first) is None


def test_an_account_takes_ten_failures(app: Flask, visitor: Visitor) -> None:
    visitor.registers()
    visitor.signs_out()
    for _ in range(10):
        assert visitor.signs_in("wrong").status_code == 401
    refused = a_visitor(app).signs_in(PASSWORD, visitor.email)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 15 * 60
    assert "Too many attempts" in main_text(refused)
    assert a_visitor(app).registers().is_signed_in, "others are not locked out"
    with app.app_context():
        _age(timedelta(minutes=15))
    assert visitor.signs_in().status_code == 303, "nor is the owner for ever"


def test_an_address_without_account_takes_as_many(visitor: Visitor) -> None:
    answers = [visitor.signs_in("wrong", "Nobody@example.com").status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]


def test_a_success_forgets_the_failures(visitor: Visitor) -> None:
    visitor.registers()
    visitor.signs_out()
    for _ in range(2):
        for _ in range(8):
            assert visitor.signs_in("wrong").status_code == 401
        assert visitor.signs_in().status_code == 303
        visitor.signs_out()


def test_a_success_elsewhere_does_not_forget_the_failures_of_an_address(
    app: Flask, visitor: Visitor
) -> None:
    """Who has an account cannot use it to go on guessing at others' for ever."""
    visitor.registers()
    visitor.signs_out()
    visitor.signs_in("wrong", "victim@example.com")
    visitor.signs_in()
    with app.app_context():
        kinds = db.session.scalars(select(Attempt.kind).order_by(Attempt.kind)).all()
    expected = ["register", "register_account", "sign_in_account", "sign_in_network"]
    assert list(kinds) == expected


def test_the_password_page_is_no_way_around(signed_in: Visitor) -> None:
    answers = [
        signed_in.submit("/account/password", current="wrong", new="another long one").status_code
        for _ in range(11)
    ]
    assert answers == [400] * 10 + [429]


def test_one_account_is_asked_for_only_so_often(app: Flask) -> None:
    """From wherever: whether an address is taken cannot be asked for ever."""
    taken = a_visitor(app).registers().email
    stranger = a_visitor(app)
    answers = [
        stranger.submit("/register", email=address, password=PASSWORD).status_code
        for address in (taken, taken.upper()) * 5
    ]
    assert answers == [400] * 9 + [429]
    assert a_visitor(app).registers().is_signed_in, "other addresses are not concerned"


def test_registrations_per_address_hold_across_processes(shop_with: Callable[..., Flask]) -> None:
    one, other = (shop_with(REGISTRATIONS_PER_HOUR="2") for _ in range(2))
    a_visitor(one).registers()
    a_visitor(other).registers()
    visitor = a_visitor(one)
    refused = visitor.submit("/register", email=visitor.email, password=PASSWORD)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) <= 3600


def test_a_made_up_forwarded_for_does_not_help(shop_with: Callable[..., Flask]) -> None:
    shop = shop_with(REGISTRATIONS_PER_HOUR="1")
    assert _register_from(shop, "203.0.113.1") == 303
    assert _register_from(shop, "203.0.113.2") == 429


def test_behind_a_proxy_its_word_counts_and_the_client_s_does_not(
    shop_with: Callable[..., Flask],
) -> None:
    shop = shop_with(REGISTRATIONS_PER_HOUR="1", TRUSTED_PROXIES="1")
    assert _register_from(shop, "1.1.1.1, 203.0.113.1") == 303
    assert _register_from(shop, "2.2.2.2, 203.0.113.1") == 429
    assert _register_from(shop, "1.1.1.1, 203.0.113.2") == 303


def test_one_customer_s_ipv6_addresses_are_one(shop_with: Callable[..., Flask]) -> None:
    shop = shop_with(REGISTRATIONS_PER_HOUR="1", TRUSTED_PROXIES="1")
    assert _register_from(shop, "2001:db8:1:2::1") == 303
    assert _register_from(shop, "2001:db8:1:2:ffff::9") == 429
    assert _register_from(shop, "2001:db8:1:3::1") == 303


def _register_from(shop: Flask, forwarded_for: str) -> int:
    visitor = a_visitor(shop)
    data = {"csrf_token": visitor.token("/register"), "email": visitor.email, "password": PASSWORD}
    headers = {"X-Forwarded-For": forwarded_for}
    return visitor.client.post("/register", data=data, headers=headers).status_code


def _expect_refusal(*limits: Limit) -> TooMany:
    try:
        attempts.take(*limits)
    except TooMany as refusal:
        return refusal
    raise AssertionError("this should have been refused")


def _age(by: timedelta) -> None:
    """Let the counted attempts be older than they are."""
    with transaction() as session:
        for attempt in session.scalars(select(Attempt)):
            session.execute(
                update(Attempt).where(Attempt.id == attempt.id).values(at=attempt.at - by)
            )
