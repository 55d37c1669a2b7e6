"""A shop wired to fakestripe with a payment to refund, and what became of it on both sides."""

from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import select

from storefront import refunding
from storefront.auditing import Actor
from storefront.db import db
from storefront.refunding import RefundOrder, Wish
from storefront.web import current
from tests.admin.operator import made_operator
from tests.support.builders import Customer, a_user
from tests.support.served import ServedShop, eventually


@dataclass
class Till:
    """A payment of $10.00 for 1,000 credits that was paid at fakestripe, and an operator."""

    shop: ServedShop
    buyer: Customer
    payment_id: str
    actor: Actor

    def wish(self, amount: int = 1000, before: int = 0, **changes: Any) -> Wish:
        """What a form of its own says."""
        said = {
            "order_id": refunding.new_order_id(),
            "subject": self.payment_id,
            "amount": amount,
            "refunded_before": before,
            "reason": "requested_by_customer",
            "note": "asked by mail",
        } | changes
        return Wish(**said)

    def refunds(self, wish: Wish) -> RefundOrder:
        """Order it and make it, as the page does."""
        with self.shop.app.app_context():
            refunding.order(self.actor, wish)
            refunding.perform(current.gateway(), wish.order_id, self.actor)
        return next(it for it in self.orders if it.id == wish.order_id)

    @property
    def at_stripe(self) -> list[dict[str, Any]]:
        """The refunds that fakestripe has."""
        found = self.shop.stripe.client().v1.refunds.list({"limit": 100})
        return [each.to_dict() for each in found.data]

    @property
    def orders(self) -> list[RefundOrder]:
        return orders(self.shop.app)

    @property
    def balance(self) -> int:
        return self.shop.balance(self.buyer)


def a_till(shop: ServedShop) -> Till:
    buyer = shop.a_buyer()
    payment_id = shop.buys(buyer, "usd_10", "k" * 16)
    eventually(lambda: shop.status(payment_id) == "succeeded", "the payment is settled")
    operator = made_operator(shop.app, a_user(shop.app))
    return Till(shop, buyer, payment_id, Actor(operator.id, operator.email, "192.0.2.7"))


def orders(app: Flask) -> list[RefundOrder]:
    with app.app_context():
        return list(db.session.scalars(select(RefundOrder).order_by(RefundOrder.created_at)))
