"""Building the shop's app for a test, and taking it down without leaving anything open."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import stripe
from argon2 import PasswordHasher
from flask import Flask

from storefront import config, create_app, users
from storefront.config import ROOT, Config
from storefront.db import SQLITE_PRAGMAS, db
from tests.support.made_once import build_urls_late, share
from tests.support.thoroughness import THOROUGH

WEBHOOK_SECRET = "whsec_the_secret_of_these_tests"
UNREACHABLE = "http://127.0.0.1:9"
"""The discard port: nothing listens there."""

# stripe-python waits half a second and more before it repeats a request.
stripe.HTTPClient.INITIAL_DELAY = stripe.HTTPClient.MAX_DELAY = 0.01


SHOPS_HASHER = users._hasher
NOBODYS_HASH = users._nobodys_hash
SHOPS_PRAGMAS = dict(SQLITE_PRAGMAS)
"""What hashes passwords, and how SQLite is used, outside of tests."""


def hurry() -> None:
    """Argon2 with the least that it takes: a good hash takes 64 MiB and a tenth of a second, and
    hundreds of tests sign in. And no waiting for the disk: no test pulls the plug, and what a
    killed process had committed is there without that."""
    build_urls_late()
    if not THOROUGH:
        SQLITE_PRAGMAS["synchronous"] = "OFF"
    users._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    users._nobodys_hash = users._hasher.hash("the password of an account that does not exist")


def an_environment(database_url: str, **changes: str) -> dict[str, str]:
    """The settings of a usual test shop, as environment variables; "" unsets one."""
    return {
        "DATABASE_URL": database_url,
        "CATALOG_PATH": str(ROOT / "catalog.toml"),
        "SECRET_KEY": "a key that signs nothing but the sessions of tests",
        "STRIPE_SECRET_KEY": "sk_test_51ofTheseTests",
        "STRIPE_PUBLISHABLE_KEY": "pk_test_51ofTheseTests",
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "STRIPE_API_BASE": UNREACHABLE,
        "REGISTRATIONS_PER_HOUR": "100000",
        "PAYMENTS_PER_HOUR": "100000",
    } | changes


def some_settings(root: Path, database_url: str, **changes: str) -> Config:
    return config.load(an_environment(database_url, **changes), root=root)


def an_app(settings: Config) -> Flask:
    app = create_app(settings)
    app.config["TESTING"] = False  # errors are answered as in production
    return share(app)


@contextmanager
def closing(app: Flask) -> Iterator[Flask]:
    """Dispose of the app's connections at the end: an open one is a warning, so an error."""
    try:
        yield app
    finally:
        with app.app_context():
            dispose()


def dispose() -> None:
    """Close the connections of the current app, and forget its session."""
    db.session.remove()
    for engine in db.engines.values():
        engine.dispose()
