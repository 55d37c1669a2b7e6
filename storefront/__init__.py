"""Storefront: sell credits and subscriptions with Stripe, and keep the books right.

create_app() is the one place where everything is wired. It imports what it wires inside, because
fakestripe lives in this package as a program of its own and must start without loading the shop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from storefront.config import Config

MAXIMUM_BODY_BYTES = 64 * 1024
"""Larger than any form or JSON of ours; the webhook has a limit of its own."""


def create_app(settings: Config | None = None) -> Flask:
    """The shop as a WSGI application. Raises ConfigError when a setting is not usable."""
    from flask import Flask

    from storefront import catalog, cli, config, web
    from storefront.observing import crashes
    from storefront.stripe_gateway import StripeGateway

    settings = settings or config.load()
    if settings.sentry_dsn:
        crashes.report_to(settings.sentry_dsn, settings.env)
    app = Flask(
        __name__,
        instance_path=str(settings.instance),
        template_folder=str(config.ROOT / "templates"),
        static_folder=str(config.ROOT / "static"),
    )
    app.config.from_mapping(_flask_settings(settings))
    app.extensions["storefront_config"] = settings
    app.extensions["catalog"] = catalog.load(settings.catalog_path)
    app.extensions["stripe_gateway"] = StripeGateway(settings)
    _init_database(app)
    _init_mail(app, settings)
    _init_sign_in(app)
    _init_pages(app, settings)
    web.register(app, settings)
    cli.register(app)
    return app


def _flask_settings(settings: Config) -> dict[str, object]:
    """Our settings in Flask's and its extensions' words."""
    from storefront.db import engine_settings
    from storefront.mail import flask_settings
    from storefront.sessions import LIFETIME

    return {
        **flask_settings(settings),
        **engine_settings(settings.database_url),
        "SECRET_KEY": settings.secret_key,
        "TRUSTED_HOSTS": trusted_hosts(settings),
        "MAX_CONTENT_LENGTH": MAXIMUM_BODY_BYTES,
        "PERMANENT_SESSION_LIFETIME": LIFETIME,
        "SESSION_COOKIE_NAME": "__Host-session" if settings.https else "session",
        "SESSION_COOKIE_SECURE": settings.https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        # Not sent anew with every answer: one that was under way while the customer signed out
        # would bring the session back.
        "SESSION_REFRESH_EACH_REQUEST": False,
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session
        "WTF_CSRF_SSL_STRICT": False,  # wants a Referer, which pages with secrets do not send;
        # security.py checks Sec-Fetch-Site and Origin instead
        "BOOTSTRAP_SERVE_LOCAL": True,
    }


def trusted_hosts(settings: Config) -> list[str]:
    """The names under which the shop answers; in development also those of this machine."""
    names = [settings.host]
    return names if settings.production else [*names, "localhost", "127.0.0.1"]


def _init_database(app: Flask) -> None:
    from flask_migrate import Migrate

    from storefront import tables
    from storefront.config import ROOT
    from storefront.db import db, prepare_engines

    assert tables.ALL, "every noun's tables are known before the first query"
    db.init_app(app)
    with app.app_context():
        prepare_engines()
    Migrate(app, db, directory=str(ROOT / "migrations"), compare_type=True)


def _init_mail(app: Flask, settings: Config) -> None:
    from flask_mailman import Mail

    from storefront.mail import Mailer

    def render(template: str, **facts: object) -> str:
        return app.jinja_env.get_template(template).render(facts)

    app.extensions["mailer"] = Mailer(settings, render, Mail(app).get_connection)


def _init_sign_in(app: Flask) -> None:
    from flask_login import LoginManager

    from storefront import sessions

    login_manager = LoginManager(app)
    login_manager.login_view = "auth.login"
    login_manager.login_message = "Sign in to see this page."
    login_manager.session_protection = None  # addresses change on phones; versions revoke
    login_manager.user_loader(sessions.user_of)


def _init_pages(app: Flask, settings: Config) -> None:
    from flask_bootstrap import Bootstrap5
    from flask_wtf import CSRFProtect

    from storefront.web import files

    CSRFProtect(app)
    Bootstrap5(app)
    files.register(app)
