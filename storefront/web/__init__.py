"""HTTP: one file per blueprint. A view reads, calls one verb, answers."""

from flask import Flask
from flask_wtf import CSRFProtect
from werkzeug.exceptions import HTTPException, NotFound

from storefront.config import Config
from storefront.errors import ConfigError
from storefront.web import (
    account,
    admin,
    auth,
    billing,
    credits,
    health,
    home,
    metrics,
    observed,
    pages,
    payments,
    problems,
    reports,
    security,
    top_up,
    webhooks,
)

BLUEPRINTS = (
    home.bp, auth.bp, top_up.bp, payments.bp, account.bp, credits.bp, billing.bp, reports.bp,
    health.bp, metrics.bp, admin.bp,
)  # fmt: skip


def register(app: Flask, settings: Config) -> None:
    """Hang every route, header and error page onto the app."""
    security.register(app, settings)
    problems.register(app)
    pages.register(app, settings)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    _add_return_paths(app, settings)
    csrf: CSRFProtect = app.extensions["csrf"]
    csrf.exempt(webhooks.bp)  # Stripe has no token; its signature is the proof
    app.register_blueprint(webhooks.bp)
    app.add_url_rule(settings.webhook_path, "webhooks.receive", webhooks.receive, methods=["POST"])
    observed.register(app, settings)


def _add_return_paths(app: Flask, settings: Config) -> None:
    """Have Billing answer where Stripe is told to send customers back to, if nothing else of ours
    does: /dashboard/billing, say. What stands behind a ? is no part of a route."""
    paths = {
        "CHECKOUT_SUCCESS_PATH": settings.checkout_success_path,
        "CHECKOUT_CANCEL_PATH": settings.checkout_cancel_path,
        "CUSTOMER_PORTAL_RETURN_PATH": settings.portal_return_path,
    }
    for setting, configured in paths.items():
        path = configured.partition("?")[0]
        if "<" in path:
            raise ConfigError(f"{setting} is {configured!r}; a path of this shop has no < in it.")
        if not _answers(app, path):
            app.add_url_rule(path, f"billing.{setting.lower()}", billing.index)


def _answers(app: Flask, path: str) -> bool:
    try:
        app.url_map.bind("localhost").match(path, method="GET")
    except NotFound:
        return False
    except HTTPException:  # another method's, or with a slash at the end
        return True
    return True
