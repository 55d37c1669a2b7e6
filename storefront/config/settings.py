"""One frozen Config from all settings."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast, get_args
from urllib.parse import urlsplit

from storefront.config import keys, observers, services, values
from storefront.config.files import ROOT, instance_folder, read_files
from storefront.config.keys import STRIPE_API_BASE
from storefront.config.observers import LogFormat

ENVIRONMENTS = ("development", "production")
BarOnDispute = Literal["none", "top_up", "spend", "both"]
STRIPE_JS_URL = "https://js.stripe.com/endive/stripe.js"
GA4_ENDPOINT = "https://www.google-analytics.com"


@dataclass(frozen=True)
class Config:
    """All settings, validated. Secrets are left out of repr() so that no log shows them."""

    env: str
    app_url: str
    database_url: str = field(repr=False)
    instance: Path
    catalog_path: Path
    project_name: str
    secret_key: str = field(repr=False)
    stripe_secret_key: str = field(repr=False)
    stripe_publishable_key: str
    stripe_webhook_secrets: tuple[str, ...] = field(repr=False)
    stripe_api_base: str
    stripe_js_url: str
    webhook_path: str
    checkout_success_path: str
    checkout_cancel_path: str
    portal_return_path: str
    low_balance_credits: int
    trusted_proxies: int
    registrations_per_hour: int
    payments_per_hour: int
    mail_url: str | None = field(repr=False)
    mail_from: str
    automatic_tax: bool
    past_due_grace_days: int
    stale_payment_hours: int
    bar_on_dispute: BarOnDispute
    ga4_measurement_id: str | None
    ga4_api_secret: str | None = field(repr=False)
    ga4_endpoint: str
    log_format: LogFormat
    log_level: str
    metrics_token: str | None = field(repr=False)
    worker_metrics_port: int | None
    sentry_dsn: str | None = field(repr=False)
    terms_url: str | None
    privacy_url: str | None

    @property
    def production(self) -> bool:
        return self.env == "production"

    @property
    def livemode(self) -> bool:
        """True when the secret key moves real money."""
        return "_live_" in self.stripe_secret_key

    @property
    def stand_in(self) -> bool:
        """True when a stand-in answers instead of Stripe, so that no money can move."""
        return self.stripe_api_base != STRIPE_API_BASE

    @property
    def https(self) -> bool:
        return self.app_url.startswith("https://")

    @property
    def host(self) -> str:
        return urlsplit(self.app_url).hostname or ""

    @property
    def sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")


def load(environ: Mapping[str, str] | None = None, root: Path = ROOT) -> Config:
    """Read and check the settings. Raises ConfigError: one line, the setting, what is right."""
    settings = read_files(dict(os.environ if environ is None else environ), root)
    env = values.choice(settings, "STOREFRONT_ENV", "development", ENVIRONMENTS)
    instance = instance_folder(settings, root)
    secret_key, publishable_key = keys.stripe_keys(settings)
    measurement_id, api_secret = services.ga4(settings)
    api_base = values.url(settings, "STRIPE_API_BASE", STRIPE_API_BASE)
    keys.check_api_base(secret_key, api_base, env)
    return Config(
        env=env,
        app_url=services.app_url(settings, env),
        database_url=services.database_url(settings, instance),
        instance=instance,
        catalog_path=(root / settings.get("CATALOG_PATH", "catalog.toml")).resolve(),
        project_name=settings.get("PROJECT_NAME", "Storefront"),
        secret_key=keys.secret_key(settings, env, instance),
        stripe_secret_key=secret_key,
        stripe_publishable_key=publishable_key,
        stripe_webhook_secrets=keys.webhook_secrets(settings),
        stripe_api_base=api_base,
        stripe_js_url=values.url(settings, "STRIPE_JS_URL", STRIPE_JS_URL, bare=False),
        webhook_path=values.path(settings, "STRIPE_WEBHOOK_PATH", "/stripe/webhook", query=False),
        checkout_success_path=values.path(
            settings, "CHECKOUT_SUCCESS_PATH", "/billing?checkout_status=success"
        ),
        checkout_cancel_path=values.path(
            settings, "CHECKOUT_CANCEL_PATH", "/billing?checkout_status=canceled"
        ),
        portal_return_path=values.path(settings, "CUSTOMER_PORTAL_RETURN_PATH", "/billing"),
        low_balance_credits=values.integer(settings, "LOW_BALANCE_CREDITS", 100, minimum=0),
        trusted_proxies=values.integer(settings, "TRUSTED_PROXIES", 0, minimum=0),
        payments_per_hour=values.integer(settings, "PAYMENTS_PER_HOUR", 300, minimum=1),
        registrations_per_hour=values.integer(settings, "REGISTRATIONS_PER_HOUR", 60, minimum=1),
        mail_url=services.mail_url(settings),
        mail_from=services.mail_from(settings),
        automatic_tax=values.flag(settings, "AUTOMATIC_TAX"),
        past_due_grace_days=values.integer(
            settings, "PAST_DUE_GRACE_DAYS", 7, minimum=0, maximum=365
        ),
        stale_payment_hours=values.integer(
            settings, "STALE_PAYMENT_HOURS", 24, minimum=1, maximum=720
        ),
        bar_on_dispute=cast(
            BarOnDispute,
            values.choice(settings, "BAR_ON_DISPUTE", "none", get_args(BarOnDispute)),
        ),
        ga4_measurement_id=measurement_id,
        ga4_api_secret=api_secret,
        ga4_endpoint=values.url(settings, "GA4_ENDPOINT", GA4_ENDPOINT),
        log_format=observers.log_format(settings, env),
        log_level=observers.log_level(settings),
        metrics_token=observers.metrics_token(settings),
        worker_metrics_port=observers.worker_metrics_port(settings),
        sentry_dsn=observers.sentry_dsn(settings),
        terms_url=values.optional_url(settings, "TERMS_URL", "https://shop.example/terms"),
        privacy_url=values.optional_url(settings, "PRIVACY_URL", "https://shop.example/privacy"),
    )
