"""`/v1/payment_pages`: a Checkout Session paid without its page.

Stripe documents it nowhere. Its CLI pays by it in `stripe trigger checkout.session.completed`, and
what the CLI's fixtures send is all that is known here.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict

from ..call import Call, Endpoint
from ..errors import JSON, invalid
from . import checkout_page
from .checkout_sessions import TYPE


class PageParams(TypedDict):
    """Nothing is asked for."""


class ConfirmParams(TypedDict):
    """What the CLI sends."""

    payment_method: str
    expected_amount: NotRequired[int]


def retrieve(call: Call) -> JSON:
    """Answer the session."""
    return call.target(TYPE).shown()


def confirm(call: Call) -> JSON:
    """Pay the session with a payment method, which also says who pays."""
    session, expected = call.target(TYPE), call.params.get("expected_amount")
    due = session.body["amount_total"]
    if expected is not None and expected != due:
        raise invalid(f"The amount is {due} and not {expected}.", "expected_amount")
    method = call.work.find("payment_method", call.params["payment_method"], "payment_method")
    email = method.body["billing_details"]["email"]
    checkout_page.confirm(call.work, session, {"email": email, "payment_method": method})
    return session.shown()


ENDPOINTS: list[Endpoint] = [
    Endpoint("GET", "/v1/payment_pages/<id>", PageParams, retrieve),
    Endpoint("POST", "/v1/payment_pages/<id>/confirm", ConfirmParams, confirm),
]
