"""`flask reconcile`: what it prints, what it repairs, how it exits, what is kept of it."""

import json
from typing import Any

from click.testing import Result

from storefront import reconciling
from storefront.db import db
from storefront.reconciling import Reconciliation
from tests.support import books
from tests.support.at_checkout import buys
from tests.support.builders import a_user
from tests.support.caught_up import KEY, catches_up, sells
from tests.support.compared import kinds
from tests.support.served import ServedShop


def reconcile(shop: ServedShop, *options: str) -> Result:
    runner = shop.app.test_cli_runner()
    return runner.invoke(args=["reconcile", "--min-age", "0m", *options])


def latest(shop: ServedShop) -> Reconciliation:
    with shop.app.app_context():
        (run,) = reconciling.latest(db.session(), 1)
        return run


def test_what_is_found_is_shown_repaired_and_gone(deaf: ServedShop) -> None:
    """A shop that never heard of anything: two top-ups, one of them refunded in part, a purchase
    and a subscription."""
    deaf.apply_catalog()
    ada, bob = sells(deaf, 2)
    eve = a_user(deaf.app, stripe_id=None)
    buys(deaf.app, eve, "premium_plan", "monthly")
    buys(deaf.app, eve, "standard_pack")
    ids = {
        row["user_id"]: row["stripe_intent_id"] for row in books.read(deaf.app).payments.values()
    }
    refund = deaf.stripe.control(f"payments/{ids[ada.id]}/refund", {"amount": 300})["id"]

    shown = reconcile(deaf)
    assert shown.exit_code == 2, shown.output
    head, *lines = shown.stdout.splitlines()
    assert " ".join(head.split()) == "KIND AT STRIPE HERE CUSTOMER STRIPE SAYS WE SAY WHAT"
    (line,) = (it for it in lines if ids[bob.id] in it)
    assert line.split()[0] == "paid_not_credited"
    assert f"{bob.id}" in line and "$10.00" in line and "$0.00" in line, line
    assert "6 differences (4 paid_not_credited, 1 refund_missing, 1 unknown_to_us)" in lines[-2]
    assert [deaf.balance(it) for it in (ada, bob, eve)] == [0, 0, 0], "it only shows"

    repaired = reconcile(deaf, "--repair")
    assert repaired.exit_code == 0, repaired.output
    told = repaired.stdout.splitlines()
    assert [it.split(":")[0] for it in told if it.startswith(("repaired", "left"))] == (
        ["repaired"] * 6
    )
    assert told.index(f"repaired: refund_missing of {refund}") > 6, "shown before it is done"
    assert [deaf.balance(it) for it in (ada, bob, eve)] == [700, 1000, 8000]
    run = latest(deaf)
    assert (run.differences, run.repaired, run.remaining) == (6, 6, 0)
    assert reconciling.examples(run)[0]["kind"] == "paid_not_credited"

    again = reconcile(deaf)
    assert (again.exit_code, "0 differences" in again.stdout) == (0, True), again.output
    catches_up(deaf.app)
    deaf.work_once()
    assert [deaf.balance(it) for it in (ada, bob, eve)] == [700, 1000, 8000]
    assert kinds(deaf.app) == []
    books.assert_clean(deaf.app)


def test_the_document_is_json_and_says_what_is_left(deaf: ServedShop) -> None:
    (buyer,) = sells(deaf, 1)
    (payment,) = books.read(deaf.app).payments.values()
    books.execute(deaf.app, "UPDATE payments SET amount_cents = 999")
    result = reconcile(deaf, "--repair", "--json")
    assert result.exit_code == 2
    document: dict[str, Any] = json.loads(result.stdout)
    (difference,), (repair,) = document["differences"], document["repairs"]
    assert (difference["kind"], difference["severity"]) == ("paid_not_credited", "money")
    assert (difference["theirs"], difference["ours"], difference["unit"]) == (1000, 0, "usd")
    named = (difference["stripe_id"], difference["our_id"], difference["user_id"])
    assert named == (payment["stripe_intent_id"], payment["id"], buyer.id)
    assert (repair["repaired"], len(repair["left"])) == (False, 1)
    assert "does not fit payment" in repair["trouble"]
    assert (document["remaining"], document["money_remaining"], document["error"]) == (1, 1, None)
    assert document["counts"] == {"paid_not_credited": 1}
    assert deaf.balance(buyer) == 0


def test_minor_differences_exit_with_1_and_an_early_end_with_3(deaf: ServedShop) -> None:
    buyer = deaf.a_buyer()
    deaf.buys(buyer, "usd_10", KEY, card="pm_card_visa_chargeDeclined")
    books.execute(deaf.app, "UPDATE payments SET status = 'canceled'")
    assert reconcile(deaf).exit_code == 1
    deaf.stripe.control("keys/revoke", {"key": "sk_test_51ofTheseTests"})
    result = reconcile(deaf)
    assert result.exit_code == 3, result.output
    assert "not finished: The payment service does not accept the configured key." in result.stderr
    assert (latest(deaf).error or "").startswith("The payment service does not accept")
    future = reconcile(deaf, "--since", "2999-01-01")
    assert (future.exit_code, "This time is in the future." in future.output) == (2, True)
