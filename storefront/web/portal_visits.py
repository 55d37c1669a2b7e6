"""A visit to the Customer Portal: whoever comes back from there sees at once what they have done,
although the webhook may be a moment behind.

A cookie says that there was a visit, and nothing else. It is believed: all that a forged one could
do is what coming back does, to have one's own subscription fetched.
"""

from flask import Response, make_response, request

from storefront import subscriptions
from storefront.db import db
from storefront.errors import StorefrontError
from storefront.web import current

COOKIE = "portal_visit"
LONGEST_VISIT_SECONDS = 3600


def begin(response: object) -> Response:
    """The answer that sends a customer to the portal, with the cookie."""
    leaving = make_response(response)
    leaving.set_cookie(
        COOKIE,
        "1",
        max_age=LONGEST_VISIT_SECONDS,
        secure=current.settings().https,
        httponly=True,
        samesite="Lax",
    )
    return leaving


def catch_up() -> None:
    """After a visit, fetch what is true now, by the functions that the worker uses. When Stripe
    does not answer the page shows what we know; the webhook will come."""
    customer_id = current.user().stripe_customer_id
    if COOKIE not in request.cookies or customer_id is None:
        return
    gateway, catalog, livemode = current.gateway(), current.catalog(), current.settings().livemode
    live = subscriptions.live(db.session(), current.user().id)
    try:
        if live is not None:
            subscriptions.sync(gateway, catalog, livemode, live.stripe_subscription_id)
            subscriptions.sync_invoices(gateway, catalog, livemode, customer_id)
    except StorefrontError:
        db.session.rollback()


def over(page: str) -> Response:
    """The page that the customer came back to: the visit is over."""
    response = make_response(page)
    if COOKIE in request.cookies:
        response.delete_cookie(COOKIE, httponly=True, samesite="Lax")
    return response
