"""Real subscriptions at fakestripe, and a shop that is told of nothing: a test syncs it by hand."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import stripe
from flask import Flask
from sqlalchemy import select, text

from storefront import subscriptions
from storefront.catalog import Catalog
from storefront.config import Config
from storefront.db import db, transaction
from storefront.stripe_gateway import StripeGateway
from storefront.subscriptions import Invoice, PlanCredit, Subscription
from storefront.users import User
from tests.fakestripe.billing.shop import DAY, payer
from tests.fakestripe.harness import FakeStripe
from tests.subscriptions.paper import CATALOG, a_catalog
from tests.support import books
from tests.support.apps import some_settings
from tests.support.books import Row
from tests.support.builders import Customer, a_user

__all__ = ["DAY", "Billing"]

OUR_TIMES = ("created_at", "updated_at", "credited_at", "version")
"""What depends on when we stored a row, not on what Stripe says."""


def a_billing_app_settings(root: Path, database_url: str, stripe_url: str) -> Config:
    """Settings of a shop that sells the plans of these tests at this fakestripe."""
    catalogue = root / "catalog.toml"
    catalogue.write_text(CATALOG)
    return some_settings(
        root, database_url, STRIPE_API_BASE=stripe_url, CATALOG_PATH=str(catalogue)
    )


@dataclass
class Billing:
    """A shop at a fakestripe where all its prices are for sale. `prices`: plan_interval -> id."""

    app: Flask
    stripe: FakeStripe
    prices: dict[str, str]
    client: stripe.StripeClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.stripe.client()

    def a_customer(self, card: str = "pm_card_visa") -> Customer:
        """A customer here and there, with a saved card."""
        return a_user(self.app, stripe_id=payer(self.client, card))

    def subscribes(self, customer: Customer, price: str, **params: Any) -> str:
        """Start a subscription at Stripe; its id there."""
        given: Any = {
            "customer": customer.stripe_id,
            "items": [{"price": self.prices[price]}],
            **params,
        }
        return self.client.v1.subscriptions.create(given).id

    def changes(self, subscription: str, price: str, **params: Any) -> None:
        """Change the plan as the portal does: prorated, and billed at once."""
        found: Any = self.client.v1.subscriptions.retrieve(subscription)
        item = {"id": found["items"].data[0].id, "price": self.prices[price]}
        given: Any = {"items": [item], "proration_behavior": "always_invoice", **params}
        self.client.v1.subscriptions.update(subscription, given)

    def sync(self, subscription: str, app: Flask | None = None) -> Subscription | None:
        app = app or self.app
        with app.app_context():
            return subscriptions.sync(gateway(app), catalog(app), False, subscription)

    def sync_invoices(self, customer: Customer, app: Flask | None = None) -> None:
        app = app or self.app
        with app.app_context():
            subscriptions.sync_invoices(gateway(app), catalog(app), False, customer.stripe_id)

    def syncs(self, customer: Customer, *ids: str) -> None:
        """Everything, as the jobs of all its events would."""
        for id in ids:
            self.sync(id)
        self.sync_invoices(customer)

    def owed(self, customer: Customer) -> int:
        with self.app.app_context():
            return subscriptions.owed(db.session(), customer.id)

    def row(self, subscription: str) -> Subscription:
        with self.app.app_context():
            query = select(Subscription).where(Subscription.stripe_subscription_id == subscription)
            return db.session.scalars(query).one()

    def invoices(self, customer: Customer) -> list[Invoice]:
        with self.app.app_context():
            return subscriptions.invoices(db.session(), customer.id)

    def amounts(self, customer: Customer) -> list[int]:
        """The plan credits granted, in order."""
        mine = books.read(self.app).transfers_of(customer.id)
        return [row["credits"] for row in mine if row["code"] == "plan_grant"]


def sells(client: stripe.StripeClient) -> dict[str, str]:
    """Put the plans of these tests on sale, to be found by their lookup keys."""
    made = {}
    for plan in a_catalog().plans:
        product = client.v1.products.create({"name": plan.name})
        for price in plan.prices:
            interval = "month" if price.interval == "monthly" else "year"
            params: Any = {
                "product": product.id,
                "unit_amount": price.amount,
                "currency": price.currency,
                "recurring": {"interval": interval},
                "lookup_key": price.lookup_key,
            }
            made[price.lookup_key] = client.v1.prices.create(params).id
    return made


def gateway(app: Flask) -> StripeGateway:
    found: StripeGateway = app.extensions["stripe_gateway"]
    return found


def catalog(app: Flask) -> Catalog:
    found: Catalog = app.extensions["catalog"]
    return found


def forget_times(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in OUR_TIMES}


def everything(app: Flask, customer: Customer) -> dict[str, list[Row]]:
    """All rows that a subscription makes for a customer, without what depends on us: for comparing
    shops that heard of the same things in another order."""
    tables = {
        "subscriptions": "SELECT * FROM subscriptions WHERE user_id = :user"
        " ORDER BY stripe_subscription_id",
        "invoices": "SELECT * FROM invoices WHERE user_id = :user ORDER BY id",
        "plan_credits": "SELECT * FROM plan_credits WHERE user_id = :user ORDER BY id",
        "transfers": "SELECT * FROM ledger_transfers WHERE wallet = 'wallet:' || :user"
        " ORDER BY wallet_version",
        "lots": "SELECT * FROM ledger_lots WHERE wallet = 'wallet:' || :user ORDER BY id",
        "jobs": "SELECT key, kind FROM jobs ORDER BY key",
    }
    with app.app_context():
        found = {
            table: [
                forget_times(dict(row))
                for row in db.session.execute(text(query), {"user": customer.id}).mappings()
            ]
            for table, query in tables.items()
        }
    for row in found["subscriptions"]:
        del row["id"]  # ours, and random
    return found


def the_same_customer(app: Flask, customer: Customer) -> None:
    """Make the customer known to another shop, under the same ids."""
    with app.app_context(), transaction() as session:
        session.add(
            User(
                id=customer.id,
                email=customer.email,
                password_hash="-",
                stripe_customer_id=customer.stripe_id,
            )
        )


def plan_credits(app: Flask, customer: Customer) -> list[PlanCredit]:
    with app.app_context():
        query = select(PlanCredit).where(PlanCredit.user_id == customer.id)
        return list(db.session.scalars(query.order_by(PlanCredit.period_start, PlanCredit.id)))
