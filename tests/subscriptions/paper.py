"""Invoices on paper: paid ones made by hand, and a customer whose subscription they are of."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select

from storefront import catalog as catalogs
from storefront import subscriptions
from storefront.catalog import Catalog
from storefront.db import db, transaction
from storefront.stripe_gateway import InvoiceFacts, InvoiceLine
from storefront.subscriptions import Invoice, PlanCredit, Subscription
from storefront.subscriptions.crediting import Sold, credit
from tests.support import books
from tests.support.books import Row
from tests.support.builders import Customer, a_user

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

CATALOG = """
[[packs]]
code = "usd_10"
name = "1,000 credits"
price = 1000
currency = "usd"
credits = 1000

[[plans]]
code = "plain"
billing = "subscription"
name = "Plain"
currency = "usd"
monthly = 500
yearly = 5000

[[plans]]
code = "basic"
billing = "subscription"
name = "Basic"
currency = "usd"
monthly = 1000
yearly = 10000
credits = 1000

[[plans]]
code = "pro"
billing = "subscription"
name = "Pro"
currency = "usd"
monthly = 3000
yearly = 30000
credits = 3000
yearly_credits = "yearly"

[[plans]]
code = "lasting"
billing = "subscription"
name = "Lasting"
currency = "usd"
monthly = 2000
yearly = 20000
credits = 2000
credits_expire = "never"
"""


def a_catalog(text: str = CATALOG) -> Catalog:
    return catalogs.parse(text)


def at(text: str) -> datetime:
    """A moment in UTC, such as 2031-01-31 or 2031-01-31 12:00."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def a_line(
    price: str,
    amount: int,
    start: datetime,
    end: datetime,
    *,
    proration: bool = False,
    quantity: int = 1,
    subscription: str = "sub_1",
    id: str | None = None,
) -> InvoiceLine:
    """A line for a price such as basic_monthly."""
    return InvoiceLine(
        id=id or f"il_{uuid.uuid4().hex}",
        amount=amount,
        price_id=price,
        subscription_id=subscription,
        proration=proration,
        quantity=quantity,
        period_start=start,
        period_end=end,
    )


@dataclass
class PaperShop:
    """One customer of a shop, whose invoices are written by the test. Subscriptions have names of
    the test's own, sub_1 unless told otherwise."""

    app: Flask
    catalog: Catalog = field(default_factory=a_catalog)
    run: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    user_id: str = ""
    customer: Customer = field(init=False)

    def __post_init__(self) -> None:
        if not self.user_id:
            self.user_id = a_user(self.app).id
        self.customer = Customer(self.user_id, "", f"cus_{self.user_id}")

    def subscribed(
        self, name: str = "sub_1", status: str = "active", ended_at: datetime | None = None
    ) -> None:
        """Our row of the subscription is in this state from now on."""
        with self.app.app_context(), transaction() as session:
            query = select(Subscription).where(Subscription.id == self.named(name))
            row = session.scalar(query) or Subscription(
                id=self.named(name),
                stripe_subscription_id=self.named(name),
                user_id=self.customer.id,
                stripe_item_id="si",
                stripe_price_id="price",
                stripe_product_id="prod",
                current_period_start=at("2031-01-01"),
                current_period_end=at("2031-02-01"),
                started_at=at("2031-01-01"),
            )
            row.status, row.ended_at = status, ended_at
            session.add(row)

    def invoice(
        self, *lines: InvoiceLine, paid_at: datetime, total: int | None = None, **changes: Any
    ) -> InvoiceFacts:
        """A paid invoice of these lines; of their sum, unless a discount makes it another."""
        mine = tuple(self._mine(line) for line in lines)
        sum_of_lines = sum(line.amount for line in lines)
        amount = sum_of_lines if total is None else total
        given: dict[str, Any] = {
            "id": f"in_{uuid.uuid4().hex}",
            "number": "A-1",
            "customer_id": self.customer.stripe_id,
            "subscription_id": mine[0].subscription_id,
            "status": "paid",
            "billing_reason": "subscription_cycle",
            "currency": "usd",
            "total": amount,
            "amount_due": max(0, amount),
            "amount_paid": max(0, amount),
            "attempt_count": 1,
            "next_payment_attempt": None,
            "hosted_invoice_url": None,
            "invoice_pdf": None,
            "created": paid_at,
            "paid_at": paid_at,
            "intent_id": None,
            "lines": mine,
        }
        return InvoiceFacts(**(given | changes))

    def credits(self, facts: InvoiceFacts) -> bool:
        """Have the invoice's credits brought, as sync_invoices() does when it finds it paid."""
        self.stores(facts)
        with self.app.app_context(), transaction() as session:
            return credit(session, self.catalog, self.prices(), facts)

    def stores(self, facts: InvoiceFacts) -> None:
        """Our row of the invoice is there."""
        with self.app.app_context(), transaction() as session:
            if session.get(Invoice, facts.id) is None:
                session.add(self._stored(facts))

    def pays(self, *lines: InvoiceLine, paid_at: datetime, total: int | None = None) -> str:
        """An invoice of these lines was paid; its id."""
        facts = self.invoice(*lines, paid_at=paid_at, total=total)
        assert self.credits(facts)
        return facts.id

    def grants(self, now: datetime, limit: int = 100) -> int:
        """What the worker does every minute."""
        with self.app.app_context(), transaction() as session:
            return subscriptions.grant_due(session, self.catalog, now, limit)

    def prices(self) -> dict[str, Sold]:
        return {
            price.lookup_key: Sold(plan, price.interval)
            for plan in self.catalog.plans
            for price in plan.prices
        }

    def granted(self) -> list[Row]:
        """The transfers of plan credits, in the order in which they were made."""
        mine = books.read(self.app).transfers_of(self.customer.id)
        return [row for row in mine if row["code"] == "plan_grant"]

    def amounts(self) -> list[int]:
        return [row["credits"] for row in self.granted()]

    def balance(self) -> int:
        return books.balance(self.app, self.customer.id)

    def owed(self) -> int:
        with self.app.app_context():
            return subscriptions.owed(db.session(), self.customer.id)

    def rows(self) -> dict[str, PlanCredit]:
        with self.app.app_context():
            query = select(PlanCredit).where(PlanCredit.user_id == self.customer.id)
            return {row.id: row for row in db.session.scalars(query)}

    def named(self, subscription: str) -> str:
        """What a subscription of this test is called in the database."""
        return f"{self.run}-{subscription}"

    def _mine(self, line: InvoiceLine) -> InvoiceLine:
        return InvoiceLine(
            **(vars(line) | {"subscription_id": self.named(line.subscription_id or "")})
        )

    def _stored(self, facts: InvoiceFacts) -> Invoice:
        return Invoice(
            id=facts.id,
            user_id=self.customer.id,
            stripe_subscription_id=facts.subscription_id,
            status=facts.status,
            currency=facts.currency,
            total=facts.total,
            amount_due=facts.amount_due,
            amount_paid=facts.amount_paid,
            created_at=facts.created,
            paid_at=facts.paid_at,
        )
