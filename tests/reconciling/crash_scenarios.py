"""A repair is being made when the process dies: for crash_rounds.py."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from storefront import ledger, reconciling
from storefront.db import db
from storefront.reconciling import Difference, Remedy
from storefront.web import current
from tests.support import books
from tests.support.builders import Json
from tests.support.crash_scenarios import DELIVERIES, Facts, Scenario
from tests.support.crash_scenarios_events import at_stripe, paid_and_not_told

LEFT = 700


class Repairing(Scenario):
    """Somebody paid $10.00 and got $3.00 back, and the shop heard of neither."""

    def prepare(self) -> Facts:
        purchase = paid_and_not_told(self.app)
        refund = f"/_control/payments/{purchase.intent_id}/refund"
        at_stripe(self.app, refund, json={"amount": 300})
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
