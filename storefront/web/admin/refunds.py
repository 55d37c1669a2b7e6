"""Refunding a payment or an invoice: first what it would do, then, once per form, the deed."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from storefront import refunding, users
from storefront.db import db
from storefront.errors import BadInput, NotFound, StripeRefused, StripeUnavailable
from storefront.money import format_money
from storefront.refunding import REASONS, Refundable, RefundOrder, Wish
from storefront.web import current, proof
from storefront.web.admin.blueprint import actor, bp

SUBJECT = "/refunds/<subject>"
"""`subject` is a payment's id or an invoice's."""

MAYBE = (
    "It is not known yet whether Stripe has made the refund. The order is kept and shown below, and"
    " the worker goes on with it: it is made once."
)
DONE = "This refund was ordered already. To refund more, begin again."


@bp.get(SUBJECT)
@proof.required
def refund(subject: str) -> ResponseReturnValue:
    """The form; with an amount, it shows what would come of it and asks to confirm."""
    what = refunding.refundable(db.session(), subject)
    preview, problem = None, None
    order_id = request.args.get("order_id") or refunding.new_order_id()
    orders = refunding.of_source(db.session(), subject)
    if order_id in [order.id for order in orders]:
        problem, order_id = DONE, refunding.new_order_id()
    elif "amount" in request.args:
        try:
            amount = refunding.parse_amount(request.args["amount"], what.currency)
            preview = refunding.preview(what, amount)
        except BadInput as refusal:
            problem = refusal.detail
    page = render_template(
        "admin/refund.html",
        what=what,
        user=users.find(what.user_id),
        reasons=REASONS,
        preview=preview,
        problem=problem,
        form=request.args,
        order_id=order_id,
    )
    return page, 400 if problem else 200


@bp.post(SUBJECT)
@proof.required
def order_refund(subject: str) -> ResponseReturnValue:
    """Order it and make it. The same form again finds it ordered; whatever happens in between, the
    worker's job ends it."""
    what = refunding.refundable(db.session(), subject)
    wish = _wish(what)
    refunding.order(actor(), wish)
    try:
        order = refunding.perform(current.gateway(), wish.order_id, actor())
    except (StripeUnavailable, StripeRefused, NotFound):
        flash(MAYBE)
    else:
        flash(_outcome(order))
    return redirect(_back(what), 303)


def _wish(what: Refundable) -> Wish:
    """What the form says. Raises BadInput."""
    sent = request.form
    before = sent.get("refunded_before", "")
    if not (before.isascii() and before.isdigit() and len(before) <= 18):
        raise BadInput("This form is not complete. Open the payment and begin again.")
    return Wish(
        order_id=sent.get("order_id", ""),
        subject=what.subject,
        amount=refunding.parse_amount(sent.get("amount", ""), what.currency),
        refunded_before=int(before),
        reason=sent.get("reason", ""),
        note=sent.get("note", "").strip(),
    )


def _outcome(order: RefundOrder) -> str:
    money = format_money(order.amount, order.currency)
    if order.state == "refused":
        return f"Stripe refused to refund {money}: {order.error}"
    return f"{money} go back to the customer: refund {order.stripe_refund_id}."


def _back(what: Refundable) -> str:
    if what.payment_id is not None:
        return url_for("admin.payment", payment_id=what.payment_id)
    return url_for("admin.customer", user_id=what.user_id)
