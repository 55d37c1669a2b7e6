"""Money back over real HTTP: fakestripe refunds, disputes and warns, the shop hears of it."""

from typing import Any

from storefront import checkouts, entitlements, users
from storefront.db import db, transaction
from storefront.subscriptions import Invoice
from storefront.users import User
from tests.support import books
from tests.support.at_checkout import buys
from tests.support.builders import Customer, a_user
from tests.support.caught_up import catches_up
from tests.support.money_back import moved_by, rows
from tests.support.promised import row, states
from tests.support.served import ServedShop, eventually

KEY = "story-0123456789"


def intent_of(shop: ServedShop, payment_id: str) -> str:
    intent: str = books.read(shop.app).payments[payment_id]["stripe_intent_id"]
    return intent


def refunds(shop: ServedShop, intent: str, **how: Any) -> str:
    """Refund a payment as in the Dashboard; the refund's id."""
    made: str = shop.stripe.control(f"payments/{intent}/refund", how)["id"]
    return made


def sees(shop: ServedShop, buyer: Customer, balance: int, why: str) -> None:
    eventually(lambda: shop.balance(buyer) == balance, f"{why}: {shop.balance(buyer)}")


def test_refunds_by_part_pending_failing_and_in_full(shop: ServedShop) -> None:
    shop.stripe.control("webhook_faults", {"kind": "twice"})
    buyer = shop.a_buyer()
    payment_id = shop.buys(buyer, "usd_10", KEY)
    sees(shop, buyer, 1000, "credited")
    intent = intent_of(shop, payment_id)
    refunds(shop, intent, amount=250)
    sees(shop, buyer, 750, "a part is refunded")
    pending = refunds(shop, intent, amount=250, course="pending")
    sees(shop, buyer, 500, "a pending refund takes its part")
    shop.stripe.control(f"refunds/{pending}", {"status": "failed"})
    sees(shop, buyer, 750, "and gives it back when it fails")
    late = refunds(shop, intent, amount=250, course="fails")
    sees(shop, buyer, 500, "one that succeeds")
    shop.stripe.advance(200)
    sees(shop, buyer, 750, "and fails later")
    assert rows(shop.app, "refunds")[late]["failure_reason"]
    refunds(shop, intent)
    sees(shop, buyer, 0, "all the rest is refunded")
    shop.stripe.drain()
    shop.work_once()
    assert set(states(shop.app).values()) == {"done"}, states(shop.app)
    assert set(books.read(shop.app).event_states().values()) == {"handled", "ignored"}
    assert books.read(shop.app).payments[payment_id]["amount_refunded"] == 1000
    books.assert_clean(shop.app)


def test_disputes_inquiries_and_warnings(shop: ServedShop) -> None:
    buyer = shop.a_buyer()
    won = intent_of(shop, shop.buys(buyer, "usd_10", KEY))
    lost = intent_of(shop, shop.buys(buyer, "usd_20", KEY))
    sees(shop, buyer, 3000, "credited")
    shop.stripe.control(f"payments/{won}/early_fraud_warning", {})
    shop.stripe.drain()
    assert [bool(row["actionable"]) for row in rows(shop.app, "fraud_warnings").values()] == [True]
    inquiry = shop.stripe.control(f"payments/{won}/dispute", {"inquiry": True})["id"]
    shop.stripe.drain()
    assert rows(shop.app, "disputes")[inquiry]["status"] == "warning_needs_response"
    assert shop.balance(buyer) == 3000, "an inquiry moves nothing"
    refunds(shop, won, amount=300, course="pending")
    sees(shop, buyer, 2700, "refunded meanwhile")
    shop.stripe.control(f"disputes/{inquiry}", {"outcome": "escalated"})
    sees(shop, buyer, 2000, "a chargeback takes the payment, and its pending refund fails")
    shop.stripe.control(f"disputes/{inquiry}", {"outcome": "won"})
    sees(shop, buyer, 3000, "won")
    chargeback = shop.stripe.control(f"payments/{lost}/dispute", {"reason": "fraudulent"})["id"]
    sees(shop, buyer, 1000, "withdrawn")
    shop.stripe.control(f"disputes/{chargeback}", {"outcome": "lost"})
    shop.stripe.drain()
    shop.work_once()
    found = {id: row["status"] for id, row in rows(shop.app, "disputes").items()}
    assert found == {inquiry: "won", chargeback: "lost"}
    assert [bool(row["actionable"]) for row in rows(shop.app, "fraud_warnings").values()] == [False]
    assert shop.balance(buyer) == 1000
    assert set(states(shop.app).values()) == {"done"}, states(shop.app)
    books.assert_clean(shop.app)


def test_what_no_event_told_is_fetched(shop: ServedShop) -> None:
    """The last event of a refund arrives and no other, or none at all and a catch-up finds it."""
    buyer = shop.a_buyer()
    payment_id = shop.buys(buyer, "usd_10", KEY)
    sees(shop, buyer, 1000, "credited")
    shop.stripe.drain()
    intent = intent_of(shop, payment_id)
    shop.stripe.control("webhook_faults", {"kind": "dropped", "type": "refund.*"})
    refunds(shop, intent, amount=400)
    shop.stripe.drain()
    assert shop.balance(buyer) == 1000
    shop.work_once()  # charge.refunded said that there is more
    assert moved_by(shop.app, buyer.id) == [("refund", -400)]
    shop.stripe.control("webhook_faults", {"kind": "dropped", "type": "*"})
    dispute = shop.stripe.control(f"payments/{intent}/dispute", {})["id"]
    shop.stripe.control(f"disputes/{dispute}", {"outcome": "lost"})
    assert shop.balance(buyer) == 600
    shop.stripe.advance(300)
    catches_up(shop.app)
    shop.work_once()
    assert moved_by(shop.app, buyer.id) == [("refund", -400), ("dispute", -600)]
    assert rows(shop.app, "disputes")[dispute]["status"] == "lost"
    books.assert_clean(shop.app)


def test_a_subscriptions_period_is_refunded(shop: ServedShop) -> None:
    """Whether or not we know of its invoice by then."""
    shop.apply_catalog()
    for known in (True, False):
        refunds_a_period(shop, known=known)
    with shop.app.app_context():
        invoices = set(db.session.scalars(db.select(Invoice.id)))
    assert {row["invoice_id"] for row in rows(shop.app, "refunds").values()} == invoices
    assert set(states(shop.app).values()) == {"done"}, states(shop.app)
    books.assert_clean(shop.app)


def refunds_a_period(shop: ServedShop, *, known: bool) -> None:
    buyer = a_user(shop.app, stripe_id=None)
    buys(shop.app, buyer, "premium_plan", "monthly")
    shop.stripe.drain()
    newest, *_ = shop.stripe.control("payments")["data"]
    intent = newest["charge"]["payment_intent"]
    if known:
        shop.work_once()
        assert shop.balance(buyer) == 5000
    refunds(shop, intent, amount=980)
    shop.stripe.drain()
    shop.work_once()
    assert shop.balance(buyer) == 4000
    failing = refunds(shop, intent, course="fails")
    shop.stripe.drain()
    shop.work_once()
    assert shop.balance(buyer) == 0
    shop.stripe.control(f"refunds/{failing}", {"status": "failed"})
    shop.stripe.drain()
    shop.work_once()
    assert shop.balance(buyer) == 4000


def test_a_purchase_and_an_unknown_payment(shop: ServedShop) -> None:
    """A one-time plan that is given back is gone. Money of others on the same account is theirs."""
    shop.apply_catalog()
    buyer = a_user(shop.app, stripe_id=None)
    buys(shop.app, buyer, "standard_pack")
    sees(shop, buyer, 3000, "bought")
    (charge,) = shop.stripe.control("payments")["data"]
    dispute = shop.stripe.control(f"payments/{charge['charge']['id']}/dispute", {})["id"]
    sees(shop, buyer, 0, "disputed")
    assert not has_projects(shop, buyer)
    shop.stripe.control(f"disputes/{dispute}", {"outcome": "won"})
    sees(shop, buyer, 3000, "won")
    assert has_projects(shop, buyer)
    refunds(shop, charge["charge"]["payment_intent"])
    sees(shop, buyer, 0, "refunded")
    assert not has_projects(shop, buyer)
    foreign = shop.stripe.client().v1.payment_intents.create(
        {
            "amount": 500,
            "currency": "usd",
            "confirm": True,
            "payment_method": "pm_card_visa",
            "return_url": shop.url,
        }
    )
    claiming = shop.stripe.client().v1.payment_intents.create(
        {
            "amount": 500,
            "currency": "usd",
            "confirm": True,
            "metadata": {"payment_id": "pay_unknown"},
            "payment_method": "pm_card_visa",
            "return_url": shop.url,
        }
    )
    warning = shop.stripe.control(f"payments/{claiming.id}/early_fraud_warning", {})["id"]
    refunds(shop, foreign.id)
    shop.stripe.control(f"payments/{foreign.id}/early_fraud_warning", {})
    shop.stripe.drain()
    shop.work_once()
    assert len(rows(shop.app, "refunds")) == 1
    assert rows(shop.app, "fraud_warnings") == {}, warning
    (given_up,) = (key for key, state in states(shop.app).items() if state != "done")
    assert given_up.startswith(f"sync_reversals:{claiming.id}:"), states(shop.app)
    assert "pay_unknown is unknown here" in row(shop.app, given_up)["last_error"]


def has_projects(shop: ServedShop, buyer: Customer) -> bool:
    with shop.app.app_context():
        user = users.find(buyer.id)
        owned = checkouts.owned(db.session(), buyer.id, "standard_pack")
        it = entitlements.of(user, shop.app.extensions["catalog"], entitlements.timedelta(0))
        assert bool(owned) == it.has("five_projects")
        return bool(owned)


def test_a_payment_whose_event_never_came_is_settled_by_its_refund(shop: ServedShop) -> None:
    """We died before we learned the intent's id; then the payment's events were lost."""
    buyer = shop.a_buyer()
    shop.stripe.control("webhook_faults", {"kind": "dropped", "type": "*"})
    payment_id = shop.buys(buyer, "usd_10", KEY)
    intent = intent_of(shop, payment_id)
    with shop.app.app_context(), transaction() as session:
        assert session.get(User, buyer.id)
        session.execute(db.text("UPDATE payments SET stripe_intent_id = NULL, status = 'opened'"))
    shop.stripe.control("webhook_faults", method="DELETE")
    refunds(shop, intent, amount=300)
    shop.stripe.drain()
    shop.work_once()
    assert shop.balance(buyer) == 700
    paid = books.read(shop.app).payments[payment_id]
    assert (paid["status"], paid["stripe_intent_id"], paid["amount_refunded"]) == (
        "succeeded",
        intent,
        300,
    )
    books.assert_clean(shop.app)
