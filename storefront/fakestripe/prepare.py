"""Sets the stand-in up for a shop without running it: keys, webhook endpoint, configuration."""

from __future__ import annotations

import time

from stripe._api_version import _ApiVersion

from .ids import new_id
from .records import Record
from .settings import Settings
from .store import Store, Transaction
from .webhook_endpoints import TYPE, new_body

MARK = {"storefront": "bin/run"}


def prepare(
    settings: Settings, webhook_url: str, api_version: str = _ApiVersion.CURRENT
) -> dict[str, str]:
    """Make keys and the shop's webhook endpoint where they are missing; return the shop's settings.

    Safe to repeat: keys and signing secret stay, a changed URL changes the one endpoint.
    """
    store = Store(settings.database)
    try:
        with store.writing() as tx:
            secret_key = _kept(tx, "secret_key", "sk_test")
            publishable_key = _kept(tx, "publishable_key", "pk_test")
            webhook_secret = _endpoint_secret(tx, webhook_url, api_version)
    finally:
        store.close()
    return {
        "STRIPE_SECRET_KEY": secret_key,
        "STRIPE_PUBLISHABLE_KEY": publishable_key,
        "STRIPE_WEBHOOK_SECRET": webhook_secret,
        "STRIPE_API_BASE": settings.api_url(),
        "STRIPE_JS_URL": f"{settings.url()}/{_ApiVersion.CURRENT_MAJOR}/stripe.js",
    }


def _kept(tx: Transaction, name: str, prefix: str) -> str:
    value = tx.meta(name) or new_id(prefix)
    tx.set_meta(name, value)
    return value


def _endpoint_secret(tx: Transaction, url: str, api_version: str) -> str:
    """Register or update the endpoint that carries our mark; return its newest secret."""
    endpoint = next((e for e in tx.records.all(TYPE) if e.body["metadata"] == MARK), None)
    if endpoint is None:
        created = int(time.time())
        body = {**new_body(new_id("we"), url, ["*"], created), "metadata": MARK}
        secrets = [{"secret": new_id("whsec"), "expires": None}]
        endpoint = tx.records.add(Record(body["id"], TYPE, created, body, {"secrets": secrets}))
    changes = {"url": url, "api_version": api_version, "enabled_events": ["*"],
               "status": "enabled"}  # fmt: skip
    endpoint.body.update(changes)
    tx.records.save(endpoint)
    return str(endpoint.private["secrets"][0]["secret"])
