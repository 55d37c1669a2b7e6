"""The Customer Portal: home, change of plan, card, details, cancellation, renewal.

A session with `flow_data` shows the one thing that it is for, and then what it says comes after.
The address holds the session's id, which cannot be guessed: it is the right to be here.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request
from werkzeug.wrappers import Response as BaseResponse

from ..account import Work
from ..billing import portal_page, portal_pause
from ..errors import JSON, ApiError
from ..records import Record
from . import portal_flows, portal_views
from .card_input import method_data, sent
from .challenge_result import challenge_result
from .countries import chosen_country, countries
from .money import day, money, price_text
from .portal_pages import (
    done,
    done_json,
    features,
    form_values,
    own_subscription,
    protected,
    render,
    visited,
)

bp = Blueprint(
    "browser_portal", __name__, url_prefix="/p/session/<id>", template_folder="templates"
)

ADDRESS = ("line1", "line2", "city", "state", "postal_code", "country")
REASONS = {
    "too_expensive": "It’s too expensive",
    "missing_features": "Some features are missing",
    "switched_service": "I found an alternative",
    "unused": "I no longer need it",
    "customer_service": "Customer service was less than expected",
    "too_complex": "Ease of use was less than expected",
    "low_quality": "Quality was less than expected",
    "other": "Other reason",
}


@bp.get("")
def home(id: str) -> BaseResponse:
    """Show everything, or go to what the session's flow is for."""

    def view(work: Work, portal: Record) -> BaseResponse:
        record = work.find("customer", portal.body["customer"], "customer")
        customer, may = record.body, features(work, portal)
        return render(
            work, portal, "portal_home",
            may=may, customer=customer,
            address=portal_views.address_lines(customer["address"]),
            subscriptions=[_offered(work, portal, s)
                           for s in portal_views.subscriptions(work, portal)],
            card=portal_views.customers_card(work, record),
            invoices=portal_views.invoices(work, portal),
        )  # fmt: skip

    return visited(id, "home", view)


@bp.get("/subscriptions/<subscription>/update")
def update(id: str, subscription: str) -> BaseResponse:
    """Offer the prices that the configuration lists."""

    def view(work: Work, portal: Record) -> BaseResponse:
        record = own_subscription(work, portal, subscription)
        return render(
            work, portal, "portal_update",
            choices=portal_page.choices(work, portal, record), price_text=price_text,
            subscription=portal_views.subscription(work, record),
        )  # fmt: skip

    return visited(id, "update", view, subscription)


@bp.get("/subscriptions/<subscription>/preview")
def preview(id: str, subscription: str) -> BaseResponse:
    """Show what a change of plan costs today and from then on."""
    price_id, quantity = request.args.get("price", ""), request.args.get("quantity", type=int)

    def view(work: Work, portal: Record) -> BaseResponse:
        record = own_subscription(work, portal, subscription)
        choices = portal_page.choices(work, portal, record)
        chosen = next((c for c in choices if c["price"]["id"] == price_id), None)
        if chosen is None:
            raise ApiError(400, "This plan is not offered.")
        return render(
            work, portal, "portal_preview",
            chosen=chosen, quantity=quantity, price_text=price_text, day=day,
            bill=portal_page.preview(work, portal, record, price_id, quantity),
            subscription=portal_views.subscription(work, record),
            card=portal_views.card_of_subscription(work, record),
            money=lambda amount: money(amount, chosen["price"]["currency"]),
        )  # fmt: skip

    return visited(id, "preview", view, subscription)


@bp.post("/subscriptions/<subscription>/change")
def change(id: str, subscription: str) -> Response:
    """Change the plan (JSON)."""
    given = sent()
    price, quantity = str(given.get("price", "")), str(given.get("quantity") or "")
    count = int(quantity) if quantity.isdecimal() else None

    def action(work: Work, portal: Record) -> JSON:
        record = own_subscription(work, portal, subscription)
        return portal_page.change(work, portal, record, price, count)

    return done_json(id, "preview", action, "Your plan has been changed.", subscription)


@bp.get("/subscriptions/<subscription>/cancel")
def cancel(id: str, subscription: str) -> BaseResponse:
    """Ask whether to cancel, and say what would happen when."""

    def view(work: Work, portal: Record) -> BaseResponse:
        record = own_subscription(work, portal, subscription)
        feature = features(work, portal)["subscription_cancel"]
        asked = feature["cancellation_reason"]
        options = asked["options"] if asked["enabled"] else []
        return render(
            work, portal, "portal_cancel",
            at_once=feature["mode"] == "immediately",
            reasons={name: REASONS[name] for name in options if name in REASONS},
            ends=day(portal_views.period_end(record.body)),
            subscription=portal_views.subscription(work, record),
        )  # fmt: skip

    return visited(id, "cancel", view, subscription)


@bp.post("/subscriptions/<subscription>/cancel")
def do_cancel(id: str, subscription: str) -> BaseResponse:
    """Cancel as the configuration says: at the end of the period, or at once."""
    given = form_values("feedback", "comment")

    def action(work: Work, portal: Record) -> None:
        record = own_subscription(work, portal, subscription)
        portal_page.cancel(work, portal, record, given.get("feedback"), given.get("comment"))

    text = "Your subscription has been canceled."
    return done(id, "cancel", action, text, subscription)


@bp.get("/subscriptions/<subscription>/renew")
def renew(id: str, subscription: str) -> BaseResponse:
    """Ask whether to go on after all."""

    def view(work: Work, portal: Record) -> BaseResponse:
        record = own_subscription(work, portal, subscription)
        return render(
            work, portal, "portal_renew",
            subscription=portal_views.subscription(work, record),
            next_day=day(portal_views.period_end(record.body)),
        )  # fmt: skip

    return visited(id, "renew", view, subscription)


@bp.post("/subscriptions/<subscription>/renew")
def do_renew(id: str, subscription: str) -> BaseResponse:
    """Take a scheduled cancellation back."""

    def action(work: Work, portal: Record) -> None:
        portal_page.renew(work, portal, own_subscription(work, portal, subscription))

    return done(id, "renew", action, "Your subscription has been renewed.", subscription)


@bp.get("/payment-method")
def payment_method(id: str) -> BaseResponse:
    """Ask for a new card."""

    def view(work: Work, portal: Record) -> BaseResponse:
        return render(work, portal, "portal_card", countries=countries(), chosen=chosen_country())

    return visited(id, "payment_method", view)


@bp.post("/payment-method")
def set_card(id: str) -> Response:
    """Make a card the default one (JSON)."""
    card = sent().get("card")

    def action(work: Work, portal: Record) -> JSON:
        return portal_page.set_card(work, portal, method_data(card))

    return done_json(id, "payment_method", action, "Your payment method has been updated.")


@bp.get("/details")
def details(id: str) -> BaseResponse:
    """Ask for name, e-mail, phone and address, as far as the configuration allows."""

    def view(work: Work, portal: Record) -> BaseResponse:
        customer = work.find("customer", portal.body["customer"], "customer").body
        allowed = features(work, portal)["customer_update"]["allowed_updates"]
        return render(
            work, portal, "portal_details",
            customer=customer, allowed=allowed, countries=countries(),
            address=customer["address"] or {}, chosen=chosen_country(),
        )  # fmt: skip

    return visited(id, "details", view)


@bp.post("/details")
def set_details(id: str) -> BaseResponse:
    """Change what is known about the customer."""
    given = form_values("name", "email", "phone")
    if "line1" in request.form:
        given["address"] = form_values(*ADDRESS)

    def action(work: Work, portal: Record) -> None:
        portal_page.update_customer(work, portal, given)

    return done(id, "details", action, "Your details have been updated.")


@bp.post("/resume")
def resume(id: str) -> Response:
    """Say how a payment ended whose challenge was answered (JSON)."""
    refusal = challenge_result(sent().get("client_secret"))
    if refusal is not None:
        return jsonify(error={"message": refusal})
    return done_json(id, "", lambda *_: None, "Your payment has gone through.")


@bp.get("/done")
def finished(id: str) -> BaseResponse:
    """The confirmation that a flow asked for."""

    def view(work: Work, portal: Record) -> BaseResponse:
        text = portal_flows.custom_message(portal) or "Your changes have been saved."
        return render(work, portal, "portal_done", text=text)

    return visited(id, "done", view)


bp.after_request(protected)


def _offered(work: Work, portal: Record, shown: JSON) -> JSON:
    """A subscription on the home page, with what may be done about it."""
    may = features(work, portal)
    running = shown["ends"] is None and shown["status"] in portal_views.CHANGEABLE
    record = own_subscription(work, portal, shown["id"])
    several = len(portal_page.choices(work, portal, record)) > 1
    shown["may_update"] = running and may["subscription_update"]["enabled"] and several
    shown["may_cancel"] = shown["ends"] is None and may["subscription_cancel"]["enabled"]
    pausing = portal_pause.allowed(work, portal)
    shown["may_pause"] = running and pausing
    shown["may_resume"] = shown["status"] == "paused" and pausing
    shown["may_renew"] = shown["ends"] is not None and may["subscription_cancel"]["enabled"]
    return shown
