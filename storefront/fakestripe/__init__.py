"""fakestripe: a stateful stand-in for Stripe on a port of its own.

It plays one Stripe account in test mode over HTTP: the API, Stripe.js, signed webhooks, a clock
that can be moved and faults that can be switched on. It imports nothing of the shop, and the
shop nothing of it.
"""

from __future__ import annotations

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from . import api, browser, control, payer_pages
from .account import Account, install
from .deliverer import Deliverer
from .settings import Settings

MAX_BODY_BYTES = 1_000_000


def create_fakestripe(settings: Settings) -> Flask:
    """Build the app. Threads (deliveries, clock) are started by `serve`, not here."""
    app = Flask(__name__, static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    account = Account(settings)
    account.deliverer = Deliverer(account)
    install(app, account)
    api.register(app, account)
    control.register(app)
    payer_pages.register(app)
    browser.register(app)
    _answer_unexpected(app, account)
    return app


def _answer_unexpected(app: Flask, account: Account) -> None:
    """Show a fault of our own in the form that an API client understands."""

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response | HTTPException:
        if isinstance(error, HTTPException):
            return error
        return api.unexpected(account, error)
