"""The table of docs/ledger.md under "Several claims to one payment", executed."""

import re

from flask import Flask

from storefront.config import ROOT
from tests.support import books
from tests.support.money_back import (
    a_dispute,
    a_paid_top_up,
    a_refund,
    disputed,
    hears,
    moved_money,
    refunded,
)

STEP = re.compile(r"^\| (?P<fact>[^|]+) \| \$[^|]+ \| (?P<wallet>[\d,]+) \|$", re.MULTILINE)


def test_the_documented_balances_are_those_of_the_shop(app: Flask) -> None:
    text = (ROOT / "docs/ledger.md").read_text().split("### Several claims to one payment")[1]
    documented = [
        (step["fact"], int(step["wallet"].replace(",", "")))
        for step in STEP.finditer(text.split("\n## ")[0])
    ]
    bought = a_paid_top_up(app)
    refund, dispute = a_refund(bought, 300, "pending"), a_dispute(bought)
    back = {"status": "won", "balance_transactions": moved_money(-1000, 600)}
    events = {
        "$3.00 are refunded, pending": refunded(refund),
        "her bank withdraws the whole $10.00": disputed(dispute, "funds_withdrawn"),
        "so the pending refund fails": refunded(refund, "failed"),
        "the bank gives $6.00 back": disputed(dispute, "funds_reinstated", **back),
    }
    found = []
    for fact, event in events.items():
        hears(app, event)
        found.append((fact, books.balance(app, bought.customer.id)))
    assert found == documented
