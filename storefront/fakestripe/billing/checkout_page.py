"""What the hosted Checkout page asks and does, each call in the page's own transaction."""

from __future__ import annotations

from .. import intent_settlement, payment_intents, payment_methods
from ..account import Work
from ..call import changed
from ..customers import new_body as new_customer
from ..errors import JSON, ApiError, invalid
from ..events import emit
from ..intent_owners import own
from ..intent_params import apply
from ..intent_settlement import Manner
from ..records import Record
from . import checkout_completion, checkout_sessions, discounts, line_items, promotion_codes
from . import setup_intents as setups
from .subscription_start import trial_end


def summary(work: Work, session: Record) -> JSON:
    """Return what the page shows: lines, discount, tax, what is due today and later."""
    body, lines = session.body, session.private["lines"]
    given = session.private["given"].get("subscription_data", {})
    ends = trial_end(given, work.now)
    details = body["customer_details"] or {}
    return {
        "lines": [_shown_line(work, line) for line in lines],
        "currency": body["currency"],
        "subtotal": line_items.subtotal(lines),
        "discount": _shown_discount(work, session),
        "tax": 0 if body["automatic_tax"]["enabled"] else None,
        "total": body["amount_total"],
        "recurring": _recurring(work, session),
        "trial_days": given.get("trial_period_days")
        or (-(-(ends - work.now) // 86_400) if ends else None),
        "trial_end": ends,
        "needs_card": needs_card(session),
        "email": details.get("email"),
        "allow_promotion_codes": bool(body["allow_promotion_codes"]),
    }


def needs_card(session: Record) -> bool:
    """Tell whether the customer must give a card, although perhaps nothing is due today."""
    body = session.body
    if body["mode"] == "setup" or body["amount_total"]:
        return True
    always = body["payment_method_collection"] == "always"
    return bool(body["mode"] == "subscription" and always)


def apply_promotion_code(work: Work, session: Record, code: str) -> None:
    """Give the session the discount of a typed code; raise a sentence for the customer."""
    _check_open(session)
    if not session.body["allow_promotion_codes"]:
        raise invalid("This session takes no promotion codes.", "promotion_code")
    found = promotion_codes.typed(work, code)
    amount = line_items.subtotal(session.private["lines"])
    customer, currency = session.body["customer"], session.body["currency"]
    refused = "This code is invalid."
    if found is not None:
        refused = promotion_codes.refusal(work, found, customer, amount, currency)
    if found is None or refused:
        raise invalid(refused, "promotion_code")
    coupon = work.find("coupon", found.body["promotion"]["coupon"], "promotion_code")
    checkout_sessions.put_discount(session, coupon, found)
    checkout_sessions.price(work, session)
    work.save(session)


def remove_promotion_code(work: Work, session: Record) -> None:
    """Take the customer's own code away; a discount that the merchant gave stays."""
    _check_open(session)
    if session.body["allow_promotion_codes"]:
        checkout_sessions.put_discount(session, None, None)
        checkout_sessions.price(work, session)
        work.save(session)


def set_quantity(work: Work, session: Record, line_item_id: str, quantity: int) -> None:
    """Change the quantity of an adjustable line; raise a sentence outside its limits."""
    _check_open(session)
    line_items.set_quantity(session.private["lines"], line_item_id, quantity)
    checkout_sessions.price(work, session)
    work.save(session)


def confirm(work: Work, session: Record, details: JSON) -> JSON:
    """Pay or save the card, and complete the session; raise the decline (402) of the card.

    Return `{"status": "complete"}`, or `requires_action` with the intent's client secret.
    """
    _check_open(session)
    _check_discount(work, session)
    email = details.get("email")
    if not (session.body["customer_details"] or {}).get("email") and not email:
        raise invalid("Enter your email address.", "email", "email_invalid")
    method = _method(work, details) if needs_card(session) else None
    _take_details(work, session, email, method)
    if session.body["amount_total"] and method is not None:
        return _pay(work, session, method)
    setup = None
    if method is not None:
        given = session.private["given"].get("setup_intent_data", {})
        setup = setups.succeed(work, method, session.body["customer"], given)
    checkout_completion.complete(work, session, setup=setup)
    return {"status": "complete"}


def _method(work: Work, details: JSON) -> Record:
    """Return the payment method of the form, or the one that was made before."""
    made: Record | None = details.get("payment_method")
    if made is not None:
        return made
    data = details.get("payment_method_data")
    if not data:
        raise invalid("Enter your card.", "payment_method_data", "parameter_missing")
    return payment_methods.build(work, data, "")


def resume(work: Work, session: Record) -> JSON:
    """Tell how it stands after a challenge; raise the failure or the decline."""
    if session.body["status"] == "complete":
        return {"status": "complete"}
    intent = work.tx.get("payment_intent", session.private.get("intent") or "")
    if intent is None:
        raise invalid("There is no payment to resume.", "session")
    return _outcome(intent)


def _pay(work: Work, session: Record, method: Record) -> JSON:
    """Create or reuse the session's intent and try to pay it with the card."""
    intent = work.tx.get("payment_intent", session.private.get("intent") or "")
    reusable = intent is not None and intent.body["status"] in payment_intents.OPEN
    if intent is None or not reusable:
        intent = _new_intent(work, session)
    intent.body.update(amount=session.body["amount_total"], customer=session.body["customer"])
    work.save(intent)
    manner = Manner(use_stripe_sdk=True, return_url=session.body["success_url"])
    intent_settlement.attempt(work, intent, method, manner)
    return _outcome(intent)


def _outcome(intent: Record) -> JSON:
    body = intent.body
    if body["status"] == "requires_action":
        return {"status": "requires_action", "client_secret": body["client_secret"]}
    if body["last_payment_error"] is not None:
        error = intent_settlement.card_error(intent, publishable=True)
        if error.type != "card_error":  # a failed challenge is worded for developers
            message = "We are unable to authenticate your payment method. Please try again."
            raise ApiError(402, message, type="card_error", code=error.code, executed=True)
        raise error
    return {"status": "complete"}


def _new_intent(work: Work, session: Record) -> Record:
    body = session.body
    given: JSON = session.private["given"].get("payment_intent_data", {})
    intent = payment_intents.new_body(body["amount_total"], body["currency"], work.now)
    params: JSON = {
        "amount": body["amount_total"],
        "currency": body["currency"],
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "always"},
        **given,
    }
    if body["mode"] == "subscription":
        params.update(setup_future_usage="off_session", description="Subscription creation")
    if body["customer"]:
        params["customer"] = body["customer"]
    apply(work, intent, params)
    record = work.add(intent)
    own(work, record, checkout_sessions.TYPE, session.id)
    emit(work, "payment_intent.created", record.shown())
    session.private["intent"] = record.id
    work.save(session)
    return record


def _take_details(work: Work, session: Record, email: str | None, method: Record | None) -> None:
    """Note who pays; create the customer where the session needs one."""
    details = {**(session.body["customer_details"] or _no_details())}
    billing = method.body["billing_details"] if method else {}
    details["email"] = details["email"] or email
    details["name"] = billing.get("name")
    details["address"] = billing.get("address")
    session.body["customer_details"] = details
    if session.body["customer"] is None and _wants_customer(session):
        body = new_customer(work.now)
        body.update(email=details["email"], name=details["name"])
        customer = work.add(body)
        emit(work, "customer.created", customer.shown())
        session.body["customer"] = customer.id
    elif session.body["customer"] is not None:
        _complete_customer(work, session.body["customer"], details)
    work.save(session)


def _wants_customer(session: Record) -> bool:
    body, given = session.body, session.private["given"].get("payment_intent_data", {})
    always = body["customer_creation"] == "always" or "setup_future_usage" in given
    return body["mode"] != "payment" or always


def _complete_customer(work: Work, id: str, details: JSON) -> None:
    """Give an existing customer the e-mail that it lacked."""
    customer = work.find("customer", id, "customer")
    if customer.body["email"] is None and details["email"]:
        before = customer.shown()
        customer.body["email"] = details["email"]
        work.save(customer)
        emit(work, "customer.updated", customer.shown(), changed(before, customer.body))


def _no_details() -> JSON:
    names = ("address", "business_name", "email", "individual_name", "name", "phone", "tax_ids")
    return {**dict.fromkeys(names), "tax_exempt": "none"}


def _check_open(session: Record) -> None:
    if session.body["status"] != "open":
        raise invalid(f"This session is {session.body['status']}.", "session")


def _check_discount(work: Work, session: Record) -> None:
    """Refuse a discount that others have used up, or that has ended, since it was applied."""
    for given in session.body["discounts"]:
        named = {name: value for name, value in given.items() if value is not None}
        amount = line_items.subtotal(session.private["lines"])
        customer, currency = session.body["customer"], session.body["currency"]
        discounts.chosen(work, named, customer, amount, currency, "discounts[0]")


def _shown_line(work: Work, line: JSON) -> JSON:
    price = line["price"]
    product = work.tx.get("product", price["product"])
    images = product.body["images"] if product else []
    rhythm = price["recurring"]
    limits = line["adjustable_quantity"]
    return {
        "id": line["id"],
        "name": line["description"],
        "description": product.body["description"] if product else None,
        "image": images[0] if images else None,
        "quantity": line["quantity"],
        "unit_amount": price["unit_amount"],
        "amount_subtotal": line["amount_subtotal"],
        "amount_total": line["amount_total"],
        "recurring": {k: rhythm[k] for k in ("interval", "interval_count")} if rhythm else None,
        "adjustable": {k: limits[k] for k in ("minimum", "maximum")} if limits else None,
    }


def _shown_discount(work: Work, session: Record) -> JSON | None:
    coupon = work.tx.get("coupon", session.private.get("coupon") or "")
    if coupon is None:
        return None
    code = work.tx.get("promotion_code", session.body["discounts"][0]["promotion_code"] or "")
    return {
        "label": discounts.label(coupon.body),
        "code": code.body["code"] if code else None,
        "amount": sum(line["amount_discount"] for line in session.private["lines"]),
    }


def _recurring(work: Work, session: Record) -> JSON | None:
    """Return what comes again every period, discounted if the discount outlasts the first."""
    lines = [line for line in session.private["lines"] if line["price"]["recurring"]]
    if not lines:
        return None
    coupon = work.tx.get("coupon", session.private.get("coupon") or "")
    lasting = coupon is not None and coupon.body["duration"] == "forever"
    name = "amount_total" if lasting else "amount_subtotal"
    rhythm = lines[0]["price"]["recurring"]
    return {
        "amount": sum(line[name] for line in lines),
        "interval": rhythm["interval"],
        "interval_count": rhythm["interval_count"],
    }
