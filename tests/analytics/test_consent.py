"""The customer's choice about statistics, and the name that reports are made under."""

import threading

from flask import Flask

from storefront import users
from storefront.db import db
from storefront.users import User
from tests.support.builders import Customer, a_user


def chooses(app: Flask, customer: Customer, allowed: bool) -> None:
    with app.app_context():
        users.set_analytics_consent(users.find(customer.id), allowed)


def choice(app: Flask, customer: Customer) -> tuple[bool | None, str | None, str | None]:
    with app.app_context():
        user = db.session.get_one(User, customer.id)
        return user.analytics_consent, user.analytics_client_id, user.analytics_client


def test_nobody_has_chosen_at_first(app: Flask) -> None:
    assert choice(app, a_user(app)) == (None, None, None)


def test_a_yes_makes_a_name_that_another_yes_keeps(app: Flask) -> None:
    customer = a_user(app)
    chooses(app, customer, True)
    consent, name, shown = choice(app, customer)
    assert consent is True
    assert name and name == shown
    chooses(app, customer, True)
    assert choice(app, customer) == (True, name, name)


def test_a_no_forgets_the_name_so_that_a_later_yes_is_somebody_new(app: Flask) -> None:
    customer = a_user(app)
    chooses(app, customer, True)
    before = choice(app, customer)[1]
    chooses(app, customer, False)
    assert choice(app, customer) == (False, None, None)
    chooses(app, customer, True)
    assert choice(app, customer)[1] not in (None, before)


def test_names_are_random_and_tell_nothing(app: Flask) -> None:
    one, other = a_user(app), a_user(app)
    for customer in (one, other):
        chooses(app, customer, True)
    mine, theirs = choice(app, one)[1] or "", choice(app, other)[1] or ""
    assert mine != theirs
    assert one.id.removeprefix("usr_") not in mine


def test_two_answers_at_once_make_one_name(app: Flask) -> None:
    customer = a_user(app)
    barrier = threading.Barrier(8)
    names: list[str | None] = []

    def answer() -> None:
        barrier.wait()
        chooses(app, customer, True)
        names.append(choice(app, customer)[1])

    threads = [threading.Thread(target=answer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names) == 8
    assert len(set(names)) == 1
    assert None not in names


def test_a_choice_changes_nobody_else(app: Flask) -> None:
    one, other = a_user(app), a_user(app)
    chooses(app, one, True)
    assert choice(app, other) == (None, None, None)
