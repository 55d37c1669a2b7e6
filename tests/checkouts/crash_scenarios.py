"""What of a checkout is being done when the process dies, and what must be true once it has been
done again: for tests/support/crash_rounds.py."""

from dataclasses import asdict
from typing import Any

import requests
from flask import Flask

from storefront import checkouts, ledger, prices
from storefront.db import db, transaction
from storefront.stripe_gateway import CheckoutSession
from tests.support import books
from tests.support.at_checkout import confirms, opens_checkout
from tests.support.builders import Customer, Json, a_user, an_event, event_of
from tests.support.checkouts import Visit, a_checkout, completed, rows
from tests.support.crash_scenarios import DELIVERIES, Facts, Scenario
from tests.support.promised import states


class Bought(Scenario):
    """The webhook tells of a paid session whose checkout does not know it yet."""

    def prepare(self) -> Facts:
        visit = a_checkout(self.app, linked=False)
        return {"visit": asdict(visit), "event": completed(visit)}

    def check(self, facts: Facts) -> list[str]:
        for _ in range(DELIVERIES):
            with self.app.app_context():
                self.act(facts)
                self.handle(event_of(self.app, facts["event"]))
        visit = visit_of(facts)
        return [*bought_wrongly(self.app, visit.customer), *self.wrong_event(facts)]


class BoughtOnThePage(Bought):
    """The success page tells it first."""

    def act(self, facts: Facts) -> None:
        with transaction() as session:
            said = CheckoutSession.from_dict(facts["event"]["data"]["object"])
            checkouts.settle(session, said)


class Opening(Scenario):
    """Our row, Stripe's customer and session, and our row again. Then the customer presses the
    button once more and pays, and Stripe tells it twice."""

    choice = ("standard_pack", "one_time")

    def prepare(self) -> Facts:
        with self.app.app_context():
            prices.refresh(self.app.extensions["stripe_gateway"], self.app.extensions["catalog"])
        customer = a_user(self.app, stripe_id=None)
        return {"customer": asdict(customer)}

    def act(self, facts: Facts) -> None:
        opens_checkout(self.app, Customer(**facts["customer"]), *self.choice)

    def check(self, facts: Facts) -> list[str]:
        customer = Customer(**facts["customer"])
        opened = [opens_checkout(self.app, customer, *self.choice) for _ in range(DELIVERIES)]
        wrong = [] if opened[0] == opened[1] else [f"two answers: {opened}"]
        confirms(opened[0])
        session_id = rows(self.app, "checkouts")[opened[0].checkout_id or ""]["stripe_session_id"]
        event = an_event(self.at_stripe(session_id), "checkout.session.completed")
        for _ in range(DELIVERIES):
            with self.app.app_context():
                self.handle(event_of(self.app, event))
        return [*wrong, *self.open_sessions(customer, []), *bought_wrongly(self.app, customer)]

    def at_stripe(self, path: str) -> Any:
        base = self.app.extensions["storefront_config"].stripe_api_base
        with requests.get(f"{base}/_control/objects/{path}", timeout=30) as answer:
            return answer.json()

    def open_sessions(self, customer: Customer, expected: list[str]) -> list[str]:
        """What is wrong with the customer's sessions that could be paid now."""
        base = self.app.extensions["storefront_config"].stripe_api_base
        listed = f"{base}/_control/objects?type=checkout.session&limit=1000"
        with requests.get(listed, timeout=30) as answer:
            found: list[Json] = answer.json()["data"]
        mine = [it for it in found if it["client_reference_id"] == customer.id]
        payable = [it["metadata"]["interval"] for it in mine if it["status"] == "open"]
        return [] if payable == expected else [f"open sessions: {payable}"]


class Displacing(Opening):
    """A page for a month is open; the customer now wants a year."""

    choice = ("premium_plan", "yearly")

    def prepare(self) -> Facts:
        facts = super().prepare()
        opens_checkout(self.app, Customer(**facts["customer"]), "premium_plan", "monthly")
        return facts

    def check(self, facts: Facts) -> list[str]:
        customer = Customer(**facts["customer"])
        opened = [opens_checkout(self.app, customer, *self.choice) for _ in range(DELIVERIES)]
        wrong = [] if opened[0] == opened[1] else [f"two answers: {opened}"]
        return [*wrong, *self.open_sessions(customer, ["yearly"])]


def bought_wrongly(app: Flask, customer: Customer) -> list[str]:
    """Whatever is not as it must be when one Standard Pack was bought, once."""
    after = books.read(app)
    payments = [it for it in after.payments.values() if it["user_id"] == customer.id]
    bought = [(it["kind"], it["status"], it["amount_received"]) for it in payments]
    wrong = [] if bought == [("purchase", "succeeded", 2900)] else [f"bought {bought}"]
    if after.balance(customer.id) != 3000:
        wrong.append(f"balance {after.balance(customer.id)}")
    missing = [it["id"] for it in payments if f"payment_settled:{it['id']}" not in states(app)]
    with app.app_context():
        unclean = [it.finding for it in ledger.verify(db.session())]
    return [*wrong, *(f"nobody hears of {id}" for id in missing), *unclean]


def visit_of(facts: Facts) -> Visit:
    given = dict(facts["visit"])
    return Visit(**given | {"customer": Customer(**given["customer"])})
