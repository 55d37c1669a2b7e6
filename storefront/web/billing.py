"""Billing: what one has, what there is to buy, and the ways to Stripe's pages and back.

Nothing is decided by what an address claims: a customer who comes back from Checkout is shown what
Stripe says of a checkout that is their own.
"""

import re

from flask import Blueprint, Response, flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from storefront import checkouts, reversals
from storefront.checkouts import Opened
from storefront.db import db
from storefront.errors import BadInput, NotFound, StorefrontError
from storefront.portal import NothingToManage, Portal
from storefront.web import billing_page, current, pages, portal_visits, returning
from storefront.web.billing_page import Choice
from storefront.web.forms import CheckoutForm, PortalForm, only_known
from storefront.web.problems import wants_json
from storefront.web.security import hide_referrer

bp = Blueprint("billing", __name__)

OUR_ID = re.compile(r"chk_[0-9a-f]{32}")


@bp.get("/billing")
@login_required
def index() -> ResponseReturnValue:
    """The page; after a visit to Checkout it begins with what became of it."""
    if "session_id" in request.args:
        hide_referrer()
    returned = returning.from_address()
    portal_visits.catch_up()
    return portal_visits.over(billing_page.render(Choice.from_address(), returned))


@bp.get("/billing/checkouts/<checkout_id>")
@login_required
def show_checkout(checkout_id: str) -> Response:
    """What became of a checkout, for the script of the page: it asks until this is settled."""
    if not OUR_ID.fullmatch(checkout_id):
        raise NotFound("There is no such checkout in this account.")
    checkout = checkouts.find(db.session(), checkout_id, current.user().id)
    outcome = returning.outcome_of(checkout)
    return jsonify(
        checkout_id=checkout.id,
        plan=checkout.plan,
        interval=checkout.interval,
        quantity=checkout.quantity,
        status=checkout.status,
        balance=pages.balance(),
        needs_top_up=pages.needs_top_up(),
        outcome=vars(outcome),
    )


@bp.post("/billing/checkout")
@login_required
def checkout() -> ResponseReturnValue:
    """Off to Stripe's page for a plan, or, with a subscription, to the portal to change it. The
    price is the catalogue's: nothing but the choice is taken from the browser."""
    only_known(request.form, "plan", "interval", "quantity")
    form = CheckoutForm()
    choice = Choice.of(form.plan.data, form.interval.data)
    try:
        bar = current.settings().bar_on_dispute
        reversals.refuse_top_up(db.session(), bar, current.user().id)
        opened = checkouts.open_checkout(
            current.gateway(),
            current.catalog(),
            current.settings(),
            current.user(),
            form.plan.data,
            form.interval_of(current.catalog()),
            form.how_many(),
        )
        leaving = redirect(_address(opened), 303)
        return leaving if opened.kind == "checkout" else portal_visits.begin(leaving)
    except StorefrontError as refusal:
        return _refused(refusal, choice)


@bp.post("/billing/portal")
@login_required
def portal() -> ResponseReturnValue:
    """Off to the portal: to all of it, or to the one thing that is asked for."""
    only_known(request.form, "plan", "interval", "action")
    form = PortalForm()
    try:
        return portal_visits.begin(redirect(_portal_address(form), 303))
    except NothingToManage as refusal:
        flash(refusal.detail)
        return redirect(url_for("billing.index"), 303)
    except StorefrontError as refusal:
        return _refused(refusal, Choice.of(form.plan.data, form.interval.data))


def _portal() -> Portal:
    return Portal(current.gateway(), current.settings(), current.catalog())


def _portal_address(form: PortalForm) -> str:
    user, action = current.user(), form.action.data or None
    if form.plan.data or form.interval.data:
        if action is not None:
            raise BadInput("Send either an action, or a plan and an interval.")
        return _portal().change(user, form.plan.data or "", form.interval.data or "")
    match action:
        case None:
            return _portal().home(user)
        case "update_card":
            return _portal().update_card(user)
        case "cancel":
            return _portal().cancel(user)
    raise BadInput("There is no such action. Actions: update_card, cancel.")


def _address(opened: Opened) -> str:
    """Where the customer goes on."""
    if opened.kind == "checkout":
        assert opened.url is not None
        return opened.url
    if opened.plan is None or opened.interval is None:
        return _portal().home(current.user())
    return _portal().change(current.user(), opened.plan, opened.interval)


def _refused(refusal: StorefrontError, choice: Choice) -> ResponseReturnValue:
    """Billing again, with the reason and the choice kept; programs get the problem."""
    db.session.rollback()
    if wants_json():
        raise refusal
    headers = {}
    if refusal.retry_after_seconds is not None:
        headers["Retry-After"] = str(refusal.retry_after_seconds)
    page = billing_page.render(choice, problem=refusal.detail)
    return page, refusal.status, headers
