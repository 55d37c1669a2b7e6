"""Payments and checkouts that grew old, and what `flask payments expire-stale` says of them."""

from datetime import timedelta
from typing import Any

from flask import Flask

from storefront.db import utc_text, utcnow
from tests.fakestripe.harness import JSON, FakeStripe
from tests.support import books
from tests.support.checkouts import rows

OLD = timedelta(hours=25)


def grows_old(app: Flask, id: str | None = None, by: timedelta = OLD) -> None:
    """As if a payment or checkout, or all of them, had been left alone for so long."""
    moment = utcnow() - by
    where = " WHERE id = :id" if id else ""
    values: dict[str, Any] = {"id": id} if id else {}
    values["moment"] = utc_text(moment) if books.is_sqlite(app) else moment
    for table in ("payments", "checkouts"):
        change = f"UPDATE {table} SET created_at = :moment, updated_at = :moment{where}"
        books.execute(app, change, **values)


def forgets_its_intent(app: Flask, payment_id: str) -> None:
    """As if the shop had died between Stripe's answer and writing it down."""
    forget = "UPDATE payments SET stripe_intent_id = NULL, status = 'opened' WHERE id = :id"
    books.execute(app, forget, id=payment_id)


def forgets_its_session(app: Flask, checkout_id: str) -> None:
    forget = "UPDATE checkouts SET stripe_session_id = NULL, status = 'opened' WHERE id = :id"
    books.execute(app, forget, id=checkout_id)


def expire_stale(app: Flask, *options: str) -> tuple[int, list[str]]:
    """The exit code, and the lines, without what they say of time."""
    done = app.test_cli_runner().invoke(args=["payments", "expire-stale", *options])
    return done.exit_code, done.output.splitlines()


def told(lines: list[str], id: str) -> str:
    """What is said of one payment or checkout."""
    (line,) = (line for line in lines if f" {id} " in line)
    return line.split("UTC: ")[1]


def at_stripe(stripe: FakeStripe, id: str) -> JSON:
    return stripe.control(f"objects/{id}")


def statuses(app: Flask) -> dict[str, str]:
    """Payments and checkouts, and their status here."""
    found = rows(app, "checkouts") | books.read(app).payments
    return {id: row["status"] for id, row in found.items()}
