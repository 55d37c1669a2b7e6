"""Refunds that operators order: one form is one refund, whatever happens in between."""

import dataclasses
import re

import pytest
from flask import Flask

from storefront import refunding
from storefront.db import db, transaction
from storefront.errors import BadInput, StorefrontError, StripeUnavailable
from storefront.refunding import Wish
from storefront.subscriptions import Invoice
from tests.admin.operator import deeds
from tests.admin.till import Till
from tests.subscriptions.paper import PaperShop, a_line, at
from tests.support import books
from tests.support.money_back import a_refund, hears, refunded
from tests.support.promised import due_now, states
from tests.support.races import at_once, raised
from tests.web.visitor import PASSWORD, Visitor, main_text

REFUNDS = "/v1/refunds"
A_DAY = 25 * 3600


def form_of(page: str) -> dict[str, str]:
    """The hidden fields of the form that confirms."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))


def test_a_refund_is_looked_at_made_once_and_written_down(till: Till) -> None:
    operator = Visitor(till.shop.app.test_client(), till.actor.who)
    operator.signs_in(PASSWORD)
    path = f"/admin/refunds/{till.payment_id}"
    asked = operator.get(path, query_string={"amount": "2.50", "reason": "duplicate", "note": "x"})
    assert "Credits taken back 250" in main_text(asked)
    assert "Balance then 750 credits" in main_text(asked)
    assert (till.at_stripe, till.balance) == ([], 1000)  # looking changes nothing
    form = form_of(asked.text)
    for _ in range(2):  # the button is pressed twice
        assert operator.client.post(path, data=form).status_code == 303
    (made,) = till.at_stripe
    assert (made["amount"], made["reason"]) == (250, "duplicate")
    assert till.balance == 750
    page = operator.get(f"/admin/payments/{till.payment_id}")
    assert "$2.50 go back to the customer" in page.text
    back = operator.get(path, query_string={"amount": "2.50", "order_id": form["order_id"]})
    assert "This refund was ordered already." in main_text(back)
    ordered, done = deeds(till.shop.app)
    assert (ordered.action, ordered.who, ordered.reason) == ("refund_ordered", operator.email, "x")
    assert (ordered.subject, ordered.address) == (till.payment_id, "127.0.0.1")
    assert (done.action, '"credits_taken": 250' in (done.after or "")) == ("refund_made", True)
    till.shop.stripe.drain()
    till.shop.work_once()
    assert states(till.shop.app)[f"make_refund:{form['order_id']}"] == "done"
    assert (len(till.at_stripe), till.balance) == (1, 750)  # webhook and worker add nothing
    books.assert_clean(till.shop.app)


def test_two_at_once_refund_once(till: Till) -> None:
    """One form sent twice is one refund; of two forms that show the same, one is refused."""
    same = till.wish(300)
    outcomes = at_once(till.shop.app, [lambda: till.refunds(same)] * 2)
    errors = [it for it in raised(outcomes) if not isinstance(it, StripeUnavailable)]  # 409: busy
    assert errors == []
    till.refunds(same)
    assert [it["amount"] for it in till.at_stripe] == [300]
    forms = [till.wish(700, before=300), till.wish(700, before=300)]
    outcomes = at_once(till.shop.app, [lambda form=it: till.refunds(form) for it in forms])
    assert len(raised(outcomes)) == 1
    assert isinstance(raised(outcomes)[0], BadInput)
    assert sorted(it["amount"] for it in till.at_stripe) == [300, 700]
    till.shop.stripe.drain()
    assert till.balance == 0
    assert [it.state for it in till.orders] == ["made", "made"]
    assert [it.action for it in deeds(till.shop.app)].count("refund_made") == 2
    books.assert_clean(till.shop.app)


ANSWER_LOST = ({"kind": "drop", "count": 1}, {"kind": "drop_after"})
DONE_AND_500 = ({"kind": "status", "status": 500, "after": True},)
NOTHING_BUT_500 = ({"kind": "status", "status": 500},)


@pytest.mark.parametrize("faults", [ANSWER_LOST, DONE_AND_500, NOTHING_BUT_500])
def test_an_unknown_outcome_is_ended_by_the_worker(
    till: Till, faults: tuple[dict[str, object], ...]
) -> None:
    """Stripe's answer is lost, or is a 500 that it will repeat for this key, made or not; a day
    later the key is forgotten. There is one refund all the same."""
    till.shop.stripe.control("webhook_faults", {"kind": "dropped", "type": "*"})
    for fault in faults:
        till.shop.stripe.control("faults", fault | {"path": REFUNDS, "method": "POST"})
    wish = till.wish(400)
    assert "It is not known yet" in page_after_ordering(till, wish)
    assert till.orders[0].state == "ordered"
    with pytest.raises(BadInput, match=r"A refund of \$4.00 of this payment is under way"):
        till.refunds(till.wish(400))
    till.shop.stripe.control("faults", method="DELETE")
    till.shop.stripe.advance(A_DAY)
    due_now(till.shop.app, f"make_refund:{wish.order_id}")
    till.shop.work_once()
    assert [it["amount"] for it in till.at_stripe] == [400]
    assert (till.orders[0].state, till.balance) == ("made", 600)
    assert deeds(till.shop.app)[-1].who == "worker"


def page_after_ordering(till: Till, wish: Wish) -> str:
    """What the operator reads after pressing the button."""
    operator = Visitor(till.shop.app.test_client(), till.actor.who)
    operator.signs_in(PASSWORD)
    form = dataclasses.asdict(wish) | {"amount": f"{wish.amount / 100:.2f}"}
    sent = operator.submit(f"/admin/refunds/{wish.subject}", **form)
    return main_text(operator.get(sent.location))


def test_a_refusal_of_stripe_s_is_an_end(till: Till) -> None:
    """Somebody has refunded it in the Dashboard, and no webhook told us."""
    till.shop.stripe.control("webhook_faults", {"kind": "dropped", "type": "*"})
    intent = books.read(till.shop.app).payments[till.payment_id]["stripe_intent_id"]
    till.shop.stripe.control(f"payments/{intent}/refund", {"amount": 800})
    refused = till.refunds(till.wish(500))
    assert (refused.state, till.balance) == ("refused", 1000)
    assert "greater than" in (refused.error or "")
    assert deeds(till.shop.app)[-1].action == "refund_refused"
    again = till.refunds(till.wish(200))
    assert (again.state, till.balance) == ("made", 800)


def test_a_form_that_does_not_fit_orders_nothing(till: Till) -> None:
    def refusal(**changes: object) -> str:
        with pytest.raises(StorefrontError) as error:
            till.refunds(till.wish(**changes))  # type: ignore[arg-type]
        return error.value.detail

    assert refusal(amount=1001) == "At most $10.00 of this payment can be refunded."
    assert refusal(before=1).startswith("More of this was refunded since you opened the page.")
    assert refusal(reason="because").startswith("Choose why: the customer asked for it,")
    assert refusal(note="x" * 501) == "Keep the note to 500 plain characters."
    assert refusal(order_id="rfo_mine").startswith("This form is not one of ours.")
    assert refusal(subject="pay_none") == "There is no such payment."
    first = till.wish(100)
    till.refunds(first)
    other = refusal(order_id=first.order_id, amount=200)
    assert other.startswith("This form has ordered another refund already.")
    assert [it["amount"] for it in till.at_stripe] == [100]


def test_an_invoice_is_looked_at_like_a_payment(app: Flask) -> None:
    """What the preview says is what its refund does, lots and debts included."""
    shop = PaperShop(app)
    shop.subscribed()
    line = a_line("basic_monthly", 1000, at("2031-01-01"), at("2031-02-01"))
    invoice = shop.pays(line, paid_at=at("2031-01-01"))
    with app.app_context(), transaction() as session:
        session.get_one(Invoice, invoice).stripe_intent_id = "pi_of_the_invoice"
    with app.app_context():
        what = refunding.refundable(db.session(), invoice)
        assert (what.left, what.left_text, what.payment_id) == (1000, "10.00", None)
        seen = refunding.preview(what, 250)
    assert (seen.credits, seen.balance_before, seen.balance_after) == (250, 1000, 750)
    assert shop.balance() == 1000
    hears(app, refunded(a_refund("pi_of_the_invoice", 250)))
    assert shop.balance() == 750
    with app.app_context():
        assert refunding.refundable(db.session(), invoice).left == 750


def test_amounts_are_read_as_people_write_them() -> None:
    read = refunding.parse_amount
    assert [read(it, "usd") for it in ("10", "10.5", "10.50", " 0.01 ")] == [1000, 1050, 1050, 1]
    assert read("500", "jpy") == 500
    for wrong in ("", "ten", "1.234", "-1", "0.00", "1,5", "٣"):
        with pytest.raises(BadInput):
            read(wrong, "usd")
    with pytest.raises(BadInput, match="such as 10"):
        read("10.5", "jpy")
