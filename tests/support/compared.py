"""Comparing a shop with fakestripe, for tests: everything, also what happened this moment."""

from datetime import timedelta
from typing import Any

from flask import Flask

from storefront import reconciling
from storefront.reconciling import Difference, Repair
from storefront.web import current
from tests.support.at_checkout import buys
from tests.support.builders import Customer
from tests.support.served import ServedShop

AT_ONCE = timedelta(0)


def differences(app: Flask, **options: Any) -> list[Difference]:
    """Whatever differs, in the order in which it is found."""
    options.setdefault("minimum_age", AT_ONCE)
    with app.app_context():
        given = (current.gateway(), current.catalog(), current.settings().livemode)
        return list(reconciling.compare(*given, **options))


def kinds(app: Flask, **options: Any) -> list[tuple[str, str]]:
    """The kind and the subject of each difference."""
    return [(it.kind, it.subject) for it in differences(app, **options)]


def repairs(app: Flask, found: list[Difference]) -> list[Repair]:
    with app.app_context():
        given = (current.gateway(), current.catalog(), current.settings().livemode)
        return [reconciling.repair(*given, it) for it in found]


def subscribes(shop: ServedShop, buyer: Customer, plan: str = "premium_plan") -> str:
    """Buy a plan by the month at Checkout; the subscription's id."""
    buys(shop.app, buyer, plan, "monthly")
    newest: str = shop.stripe.client().v1.subscriptions.list().data[0].id
    return newest
