"""What of subscriptions is being done when the process dies, and what must be true once it has
been done again: for tests/support/crash_rounds.py."""

from typing import Any

import stripe
from flask import Flask
from sqlalchemy import select

from storefront import ledger, subscriptions
from storefront.db import db
from storefront.subscriptions import Invoice, Subscription
from tests.fakestripe.billing.shop import payer
from tests.subscriptions.paper import PaperShop, a_line, at
from tests.subscriptions.real import catalog, gateway
from tests.support.builders import a_user
from tests.support.crash_scenarios import DELIVERIES, Facts, Scenario
from tests.support.promised import states

JANUARY, NEXT_YEAR = at("2031-01-01"), at("2032-01-01")


class OnPaper(Scenario):
    """A customer has paid for a year, and is granted the first month."""

    expected: tuple[int, ...] = ()

    def prepare(self) -> Facts:
        shop = PaperShop(self.app)
        shop.subscribed()
        shop.pays(a_line("basic_yearly", 10000, JANUARY, NEXT_YEAR), paid_at=JANUARY)
        return {"run": shop.run, "user": shop.user_id}

    def shop(self, facts: Facts) -> PaperShop:
        return PaperShop(self.app, run=facts["run"], user_id=facts["user"])

    def check(self, facts: Facts) -> list[str]:
        for _ in range(DELIVERIES):
            self.act(facts)
        shop = self.shop(facts)
        found = tuple(shop.amounts())
        wrong = [] if found == self.expected else [f"granted {found}"]
        if shop.owed():
            wrong.append(f"{shop.owed()} are owed")
        return [*wrong, *unclean(self.app)]


class Granting(OnPaper):
    """The worker dies while it grants two months that have come due."""

    expected = (1000, 1000, 1000)

    def act(self, facts: Facts) -> None:
        self.shop(facts).grants(at("2031-03-15"))


class Crediting(OnPaper):
    """A change of plan is paid: an installment is due first, the rest of the year is given up, and
    the new plan's part is granted, less what was unused."""

    expected = (1000, 1000, 1000)

    def act(self, facts: Facts) -> None:
        shop, run, moment = self.shop(facts), facts["run"], at("2031-02-15")
        returned = a_line(
            "basic_yearly", -8767, moment, NEXT_YEAR, proration=True, id=f"il_{run}_1"
        )
        bought = a_line(
            "lasting_yearly", 17534, moment, NEXT_YEAR, proration=True, id=f"il_{run}_2"
        )
        lines = (returned, bought)
        shop.credits(shop.invoice(*lines, paid_at=moment, id=f"in_{run}"))
        shop.grants(moment)

    expected = (1000, 1000, 500)

    def check(self, facts: Facts) -> list[str]:
        wrong = super().check(facts)
        promised = f"invoice_paid:in_{facts['run']}" in states(self.app)
        return wrong if promised else [*wrong, "nobody is told of the payment"]


class Syncing(Scenario):
    """A worker dies while it asks Stripe about a customer's invoices, for the first time."""

    def prepare(self) -> Facts:
        client = stripe.StripeClient(
            "sk_test_fakestripe",
            base_addresses={"api": self.app.extensions["storefront_config"].stripe_api_base},
        )
        customer = payer(client)
        found = client.v1.prices.list({"lookup_keys": ["premium_plan_monthly"]})
        params: Any = {"customer": customer, "items": [{"price": found.data[0].id}]}
        made = client.v1.subscriptions.create(params)
        user = a_user(self.app, stripe_id=customer)
        return {"user": user.id, "customer": customer, "subscription": made.id}

    def act(self, facts: Facts) -> None:
        subscriptions.sync_invoices(gateway(self.app), catalog(self.app), False, facts["customer"])

    def check(self, facts: Facts) -> list[str]:
        with self.app.app_context():
            for _ in range(DELIVERIES):
                self.act(facts)
            session = db.session()
            mine = Invoice.user_id == facts["user"]
            invoices = [it.status for it in session.scalars(select(Invoice).where(mine))]
            rows = subscriptions.of_user(session, facts["user"])
            balance = ledger.balance(session, facts["user"])
        found = (invoices, [_told(row) for row in rows], balance)
        right = found == (["paid"], [(facts["subscription"], "active", "premium_plan")], 5000)
        return [*([] if right else [f"found {found}"]), *unclean(self.app)]


def _told(row: Subscription) -> tuple[str, str, str | None]:
    return row.stripe_subscription_id, row.status, row.plan


def unclean(app: Flask) -> list[str]:
    with app.app_context():
        return [it.finding for it in ledger.verify(db.session())]
