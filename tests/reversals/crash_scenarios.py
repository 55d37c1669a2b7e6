"""What of refunds and disputes is being done when the process dies: for crash_rounds.py."""

from dataclasses import asdict

from tests.support import books
from tests.support.builders import Json, Purchase, event_of
from tests.support.crash_scenarios import DELIVERIES, Facts, Scenario, purchase_of
from tests.support.money_back import a_dispute, a_paid_top_up, a_refund, disputed, refunded, rows
from tests.support.promised import states


class Refunded(Scenario):
    """A refund is heard of, and takes its part."""

    left = 600

    def prepare(self) -> Facts:
        bought = a_paid_top_up(self.app)
        return {"purchase": asdict(bought), "events": self.events(bought)}

    def events(self, bought: Purchase) -> list[Json]:
        return [refunded(a_refund(bought, 400))]

    def act(self, facts: Facts) -> None:
        for event in facts["events"]:
            self.handle(event_of(self.app, event))

    def check(self, facts: Facts) -> list[str]:
        for _ in range(DELIVERIES):
            with self.app.app_context():
                self.act(facts)
        after = books.read(self.app)
        found = after.balance(purchase_of(facts).customer.id)
        wrong = [] if found == self.left else [f"balance {found}"]
        for event in facts["events"]:
            state = after.events[event["id"]]["state"]
            wrong += [] if state == "handled" else [f"{event['type']} is {state}"]
        return [*wrong, *self.missing(facts)]

    def missing(self, facts: Facts) -> list[str]:
        refund = facts["events"][0]["data"]["object"]["id"]
        key = f"refund_made:{refund}"
        return [] if key in states(self.app) else ["nobody is told of the refund"]


class WonBack(Refunded):
    """A bank that had taken the money gives it back."""

    left = 1000

    def events(self, bought: Purchase) -> list[Json]:
        dispute = a_dispute(bought)
        with self.app.app_context():
            self.handle(event_of(self.app, disputed(dispute, "funds_withdrawn")))
        return [disputed(dispute, "funds_reinstated", status="won")]

    def missing(self, facts: Facts) -> list[str]:
        row = rows(self.app, "disputes")[facts["events"][0]["data"]["object"]["id"]]
        moved = (row["credits_taken"], row["credits_returned"])
        return [] if moved == (1000, 1000) else [f"moved {moved}"]
