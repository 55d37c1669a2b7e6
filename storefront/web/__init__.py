"""HTTP: one file per blueprint. A view reads, calls one verb, answers."""

from flask import Flask
from flask_wtf import CSRFProtect

from storefront.config import Config
from storefront.web import (
    account,
    auth,
    health,
    home,
    pages,
    payments,
    problems,
    security,
    top_up,
    webhooks,
)

BLUEPRINTS = (home.bp, auth.bp, top_up.bp, payments.bp, account.bp, health.bp)


def register(app: Flask, settings: Config) -> None:
    """Hang every route, header and error page onto the app."""
    security.register(app, settings)
    problems.register(app)
    pages.register(app, settings)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    csrf: CSRFProtect = app.extensions["csrf"]
    csrf.exempt(webhooks.bp)  # Stripe has no token; its signature is the proof
    app.register_blueprint(webhooks.bp)
    app.add_url_rule(settings.webhook_path, "webhooks.receive", webhooks.receive, methods=["POST"])
