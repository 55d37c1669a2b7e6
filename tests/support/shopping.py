"""Opening payments as the page does, without the page."""

from flask import Flask

from storefront import payments, users
from storefront.payments import Opened
from tests.support.builders import Customer

KEY = "order-key-0123456789"


def opens(app: Flask, customer: Customer, pack: str = "usd_10", key: str | None = KEY) -> Opened:
    """open_top_up() in a request of its own. Raises what it raises."""
    with app.app_context():
        return payments.open_top_up(
            app.extensions["stripe_gateway"],
            users.find(customer.id),
            app.extensions["catalog"].pack(pack),
            key,
        )
