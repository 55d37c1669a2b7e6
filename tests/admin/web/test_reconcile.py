"""What comparisons and catch-ups found, as operators see it."""

import json

from flask import Flask

from storefront import reconciling
from storefront.catching_up import CatchUp
from storefront.db import transaction, utcnow
from storefront.reconciling import Difference, Reconciliation
from tests.admin.operator import Operator
from tests.support.money_back import a_paid_top_up
from tests.web.visitor import main_text


def test_the_last_reports_are_shown(app: Flask, operator: Operator) -> None:
    bought = a_paid_top_up(app)
    missing = Difference(
        "paid_not_credited", True, "no credits were given", "pi_1", bought.id, bought.customer.id,
        theirs=1000, ours=0, unit="usd",
    )  # fmt: skip
    extra = Difference("credited_not_paid", True, "no money", ours=1100, unit="credits")
    examples = json.dumps([reconciling.plain(each) for each in (missing, extra)])
    with app.app_context(), transaction() as session:
        session.add(
            Reconciliation(
                id="rec_1", livemode=False, until=utcnow(), finished_at=utcnow(), compared=812,
                differences=2, remaining=2, money_remaining=2, examples=examples,
                counts=json.dumps({"paid_not_credited": 1, "credited_not_paid": 1}),
            )
        )  # fmt: skip
        session.add(CatchUp(id="cu_1", listed=40, known=38, missing=2, complete=True))
    page = operator.get("/admin/reconcile")
    shown = main_text(page)
    assert "1 paid not credited, 1 credited not paid money differs 2 2 0 812 the beginning" in shown
    assert "paid not credited no credits were given pi_1 $10.00" in shown
    assert "1,100 credits" in shown
    assert f'href="/admin/payments/{bought.id}"' in page.text
    assert "done 40 38 2 0" in shown
    assert "2 differences from Stripe’s books" in main_text(operator.get("/admin"))
