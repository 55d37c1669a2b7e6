"""R1: whatever is delivered, in whatever order, how often and with what crashes between: the
balances are those of an oracle that knows nothing but who paid what."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from storefront import ledger, payments
from storefront.db import transaction
from storefront.errors import InsufficientCredits
from storefront.stripe_gateway import Intent
from tests.support import books
from tests.support.builders import (
    Purchase,
    a_payment,
    a_user,
    an_event,
    an_intent,
    declined,
    deliver,
    moved,
    paid,
)
from tests.support.thoroughness import usually

BUYERS = range(2)
UNPAID = ("processing", "requires_action", "requires_confirmation", "canceled")


class WebhookMachine(RuleBasedStateMachine):
    """Stripe, customers and accidents. Buyers are new in each run, which share a database."""

    purchases = Bundle("purchases")
    sent = Bundle("sent")
    waiting = Bundle("waiting")

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self.app = app
        self.client: FlaskClient = app.test_client()
        self.buyers = [a_user(app) for _ in BUYERS]
        self.paid: dict[str, Purchase] = {}
        self.spent = dict.fromkeys(BUYERS, 0)
        self.foreign: list[str] = []

    @rule(
        target=purchases,
        buyer=st.sampled_from(BUYERS),
        credits=st.integers(1, 5_000),
        linked=st.booleans(),
    )
    def opens(self, buyer: int, credits: int, linked: bool) -> Purchase:
        """`linked` False: we died between Stripe's answer and our commit."""
        return a_payment(self.app, self.buyers[buyer], credits=credits, linked=linked)

    @rule(target=sent, purchase=purchases)
    def pays(self, purchase: Purchase) -> dict[str, Any]:
        return self._arrives(paid(purchase), purchase)

    @rule(target=waiting, purchase=purchases)
    def pays_and_the_event_is_late(self, purchase: Purchase) -> dict[str, Any]:
        return {"event": paid(purchase), "purchase": purchase}

    @rule(target=sent, late=consumes(waiting))
    def the_late_event_arrives(self, late: dict[str, Any]) -> dict[str, Any]:
        return self._arrives(late["event"], late["purchase"])

    @rule(late=waiting)
    def the_return_page_asks_stripe(self, late: dict[str, Any]) -> None:
        """Only a page whose row knows its intent can ask."""
        purchase: Purchase = late["purchase"]
        if books.read(self.app).payments[purchase.id]["stripe_intent_id"] is None:
            return
        with self.app.app_context(), transaction() as session:
            payments.settle(session, Intent.from_dict(an_intent(purchase)), asked=True)
        self.paid[purchase.id] = purchase

    @rule(target=sent, purchase=purchases, code=st.sampled_from(("generic_decline", "lost_card")))
    def is_declined(self, purchase: Purchase, code: str) -> dict[str, Any]:
        return self._arrives(declined(purchase, code))

    @rule(target=sent, purchase=purchases, status=st.sampled_from(UNPAID))
    def moves(self, purchase: Purchase, status: str) -> dict[str, Any]:
        return self._arrives(moved(purchase, status))

    @rule(event=sent, times=st.integers(1, 3))
    def stripe_repeats_itself(self, event: dict[str, Any], times: int) -> None:
        for _ in range(times):
            assert deliver(self.client, event).status_code == 200

    @rule(
        target=sent, purchase=purchases, wrong=st.sampled_from(("amount", "currency", "customer"))
    )
    def contradicts(self, purchase: Purchase, wrong: str) -> dict[str, Any]:
        changes: dict[str, Any] = {
            "amount": {"amount_received": purchase.amount - 1},
            "currency": {"currency": "eur"},
            "customer": {"customer": "cus_stranger"},
        }[wrong]
        event = an_event(an_intent(purchase, **changes))
        self._arrives(event)
        assert books.read(self.app).event_states()[event["id"]] == "parked"
        return event

    @rule(target=sent, purchase=purchases)
    def a_foreign_intent_is_paid(self, purchase: Purchase) -> dict[str, Any]:
        intent = an_intent(purchase, id=f"pi_foreign_{len(self.foreign)}", metadata={})
        event = an_event(intent)
        self.foreign.append(event["id"])
        return self._arrives(event)

    @rule(buyer=st.sampled_from(BUYERS), credits=st.integers(1, 3_000), n=st.integers(0, 5))
    def spends(self, buyer: int, credits: int, n: int) -> None:
        user = self.buyers[buyer].id
        enough = self._expected(buyer) >= credits
        id = f"{user}:spend:{self.spent[buyer]}:{credits}:{n}"
        known = id in books.read(self.app).transfers
        with self.app.app_context():
            try:
                with transaction() as session:
                    ledger.spend(session, user, credits, id=id)
                assert enough or known
                self.spent[buyer] += 0 if known else credits
            except InsufficientCredits:
                assert not enough

    @rule(target=waiting, purchase=purchases)
    def two_events_for_one_fact(self, purchase: Purchase) -> Any:
        """Both wait; they may come apart, in either order, or never."""
        pair = [{"event": paid(purchase), "purchase": purchase} for _ in range(2)]
        return multiple(*pair)

    @invariant()
    def balances_are_the_oracles(self) -> None:
        after = books.read(self.app)
        found = [after.balance(buyer.id) for buyer in self.buyers]
        assert found == [self._expected(buyer) for buyer in BUYERS]
        for id, purchase in self.paid.items():
            assert after.payments[id]["status"] == "succeeded"
            assert after.transfers[f"payment:{id}"]["credits"] == purchase.credits

    @invariant()
    def books_are_clean(self) -> None:
        books.assert_clean(self.app)

    @invariant()
    def foreign_intents_are_ignored(self) -> None:
        states = books.read(self.app).event_states()
        assert {states[id] for id in self.foreign} <= {"ignored"}

    def _arrives(self, event: dict[str, Any], purchase: Purchase | None = None) -> dict[str, Any]:
        assert deliver(self.client, event).status_code == 200
        if purchase is not None:
            self.paid[purchase.id] = purchase
        return event

    def _expected(self, buyer: int) -> int:
        mine = [it.credits for it in self.paid.values() if it.customer == self.buyers[buyer]]
        return sum(mine) - self.spent[buyer]


def test_balances_are_those_of_the_oracle_whatever_is_delivered(app: Flask) -> None:
    run_state_machine_as_test(
        lambda: WebhookMachine(app),
        settings=settings(
            max_examples=usually(4, thorough=20),
            stateful_step_count=30,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
