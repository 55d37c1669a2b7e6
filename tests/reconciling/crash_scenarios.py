"""A repair is being made when the process dies: for crash_rounds.py."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

import requests

from storefront import ledger, reconciling, users
from storefront.db import db
from storefront.reconciling import Difference, Remedy
from storefront.web import current
from tests.support import books
from tests.support.builders import Customer, Json, Purchase, a_user
from tests.support.crash_scenarios import DELIVERIES, Facts, Scenario
from tests.support.shopping import opens

KEY = ("sk_test_fakestripe", "")
LEFT = 700


class Repairing(Scenario):
    """Somebody paid $10.00 and got $3.00 back, and the shop heard of neither."""

    def prepare(self) -> Facts:
        buyer = a_user(self.app, stripe_id=None)
        opened = opens(self.app, buyer)
        card = {"payment_method": "pm_card_visa", "return_url": "http://localhost/"}
        self._stripe(f"/v1/payment_intents/{opened.intent_id}/confirm", data=card, auth=KEY)
        self._stripe(f"/_control/payments/{opened.intent_id}/refund", json={"amount": 300})
        with self.app.app_context():
            stripe_id = users.find(buyer.id).stripe_customer_id or ""
            db.session.rollback()
        customer = Customer(buyer.id, buyer.email, stripe_id)
        purchase = Purchase(opened.payment_id, customer, opened.intent_id, 1000, "usd", 1000)
        return {"purchase": asdict(purchase)}

    def act(self, facts: Facts) -> None:
        intent = facts["purchase"]["intent_id"]
        remedy = Remedy("payment", intent)
        missed = Difference("paid_not_credited", True, "", stripe_id=intent, remedy=remedy)
        reconciling.repair(*self._given(), missed)

    def check(self, facts: Facts) -> list[str]:
        with self.app.app_context():
            for _ in range(DELIVERIES):
                self.act(facts)
            at_once = timedelta(0)
            found = list(reconciling.compare(*self._given(), minimum_age=at_once))
            wrong = [f"{it.kind} of {it.subject}" for it in found if self._is_about(it, facts)]
            wrong += [it.finding for it in ledger.verify(db.session())]
        balance = books.balance(self.app, facts["purchase"]["customer"]["id"])
        return wrong if balance == LEFT else [*wrong, f"balance {balance}"]

    def _is_about(self, difference: Difference, facts: Facts) -> bool:
        """Later rounds have payments of their own."""
        purchase: Json = facts["purchase"]
        return difference.our_id == purchase["id"]

    def _given(self) -> Any:
        return current.gateway(), current.catalog(), current.settings().livemode

    def _stripe(self, path: str, **how: Any) -> None:
        base = self.app.extensions["storefront_config"].stripe_api_base
        requests.post(f"{base}{path}", timeout=30, **how).raise_for_status()
