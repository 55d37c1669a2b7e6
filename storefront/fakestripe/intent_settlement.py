"""The payment intent's machine: an attempt, 3-D Secure, success, decline, late settlement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from . import aftermath, charges
from .account import Account, Work
from .behaviour import (
    ALWAYS,
    AUTHENTICATION_REQUIRED,
    NEVER,
    SET_UP,
    UNLESS_SET_UP,
    Behaviour,
    Decline,
)
from .errors import INVALID_REQUEST, JSON, ApiError, doc_url, not_found
from .events import emit
from .ids import new_id
from .intent_owners import tell
from .intent_views import public, unexpected_state
from .payment_methods import attach_to, behaviour_of
from .records import Record

TYPE = "payment_intent"
AUTHORIZATION_SECONDS = 7 * 24 * 3600  # an uncaptured card payment expires after seven days
AUTHENTICATION_FAILED = "payment_intent_authentication_failure"


@dataclass(frozen=True)
class Manner:
    """How an intent is confirmed: who is there, and where a challenge can be shown."""

    off_session: bool = False
    # Off-session, but the customer can be asked later: the invoice's page shows the challenge.
    asks_later: bool = False
    use_stripe_sdk: bool = False
    error_on_requires_action: bool = False
    return_url: str | None = None


def attempt(work: Work, intent: Record, method: Record, manner: Manner) -> None:
    """Try to pay. Afterwards the intent's status tells how it went.

    A decline leaves `requires_payment_method` and `last_payment_error`; nothing is raised.
    """
    behaviour = behaviour_of(method)
    intent.body.update(payment_method=method.id, last_payment_error=None, next_action=None)
    if behaviour.lookup_fails is not None:
        _fail(work, intent, method, behaviour.lookup_fails)
    elif not _needs_authentication(method, behaviour, manner.off_session):
        _charge(work, intent, method, behaviour.decline, authenticated=False)
    elif (manner.off_session and not manner.asks_later) or manner.error_on_requires_action:
        _fail(work, intent, method, AUTHENTICATION_REQUIRED)
    else:
        _challenge(work, intent, manner)
    work.save(intent)
    tell(work, intent)


def authenticate(account: Account, id: str, client_secret: str, outcome: str) -> JSON:
    """Finish the 3-D Secure challenge of an intent: `outcome` is `complete` or `fail`.

    Return the intent as a browser may see it. Raise ApiError for an unknown intent or a wrong
    client secret (404), or when no challenge is open (400).
    """
    with account.store.writing() as tx:
        work = Work(account, tx)
        intent = tx.get(TYPE, id)
        if intent is None or intent.body["client_secret"] != client_secret:
            raise not_found(TYPE, id, "intent")
        if intent.body["status"] != "requires_action":
            raise unexpected_state(
                intent,
                "This PaymentIntent has no 3-D Secure challenge open:"
                f" its status is {intent.body['status']}.",
                publishable=True,
            )
        method = work.find("payment_method", intent.body["payment_method"], "payment_method")
        intent.body["next_action"] = None
        if outcome == "complete":
            decline = behaviour_of(method).after_authentication
            _charge(work, intent, method, decline, authenticated=True)
        else:
            _authentication_failed(work, intent, method)
        work.save(intent)
        tell(work, intent)
        return public(intent)


def settle(work: Work, id: str) -> None:
    """End a payment that was processing (the timer of late payment methods)."""
    intent = work.tx.get(TYPE, id)
    if intent is None or intent.body["status"] != "processing":
        return
    charge = work.tx.get("charge", intent.body["latest_charge"])
    method = work.tx.get("payment_method", intent.body["payment_method"])
    assert charge is not None and method is not None
    settlement = behaviour_of(method).settlement
    decline = settlement.decline if settlement else None
    if decline is None:
        charges.approve(work, charge, capture=True, at_once=True)
        _succeed(work, intent, method)
    else:
        charges.refuse(work, charge, decline)
        _declined(work, intent, method, decline, charge)
    work.save(intent)
    tell(work, intent)


def expire_authorization(work: Work, id: str) -> None:
    """Cancel an intent whose authorised money was not captured in seven days."""
    intent = work.tx.get(TYPE, id)
    if intent is not None and intent.body["status"] == "requires_capture":
        cancel(work, intent, "automatic", "charge.expired")


def cancel(work: Work, intent: Record, reason: str | None, release_event: str) -> None:
    """Cancel an intent that may be cancelled; authorised money is released."""
    if intent.body["status"] == "requires_capture":
        charge = work.tx.get("charge", intent.body["latest_charge"])
        assert charge is not None
        charges.release(work, charge, release_event)
    intent.body.update(
        status="canceled",
        canceled_at=work.now,
        cancellation_reason=reason,
        amount_capturable=0,
        next_action=None,
    )
    work.save(intent)
    emit(work, "payment_intent.canceled", intent.shown())


def capture(work: Work, intent: Record, amount: int) -> None:
    """Take authorised money, or a part of it; the rest is released."""
    charge = work.tx.get("charge", intent.body["latest_charge"])
    method = work.tx.get("payment_method", intent.body["payment_method"])
    assert charge is not None and method is not None
    charges.capture(work, charge, amount)
    _succeed(work, intent, method, amount)
    work.save(intent)


def card_error(intent: Record, publishable: bool) -> ApiError:
    """Return the 402 that tells a caller about the intent's last decline."""
    last = dict(intent.body["last_payment_error"])
    shown = public(intent) if publishable else intent.shown()
    known = ("message", "type", "code", "doc_url")
    rest = {name: value for name, value in last.items() if name not in known}
    return ApiError(
        402, last["message"], type=last["type"], code=last["code"], executed=True,
        payment_intent=shown, **rest,
    )  # fmt: skip


def _needs_authentication(method: Record, behaviour: Behaviour, off_session: bool) -> bool:
    if behaviour.authentication == NEVER:
        return False
    if behaviour.authentication == ALWAYS or not off_session:
        return True
    set_up = behaviour.authentication == SET_UP or method.private["set_up"]
    return behaviour.authentication == UNLESS_SET_UP and not set_up


def _challenge(work: Work, intent: Record, manner: Manner) -> None:
    query = urlencode({"client_secret": intent.body["client_secret"]})
    url = f"{work.account.url}/_3ds/{intent.id}?{query}"
    if manner.use_stripe_sdk:
        sdk = {"type": "three_d_secure_redirect", "stripe_js": url, "source": new_id("payatt")}
        action: JSON = {"type": "use_stripe_sdk", "use_stripe_sdk": sdk}
    else:
        redirect = {"return_url": manner.return_url, "url": url}
        action = {"type": "redirect_to_url", "redirect_to_url": redirect}
    intent.body.update(status="requires_action", next_action=action)
    emit(work, "payment_intent.requires_action", intent.shown())


def _charge(
    work: Work, intent: Record, method: Record, decline: Decline | None, *, authenticated: bool
) -> None:
    settlement = behaviour_of(method).settlement
    if decline is not None:
        _fail(work, intent, method, decline)
    elif settlement is not None:
        charge = charges.add_pending(work, intent.body, method)
        intent.body.update(status="processing", latest_charge=charge.id)
        if settlement.seconds is not None:
            work.later(settlement.seconds, "settle_payment", intent.id)
        emit(work, "payment_intent.processing", intent.shown())
    else:
        now = intent.body["capture_method"] != "manual"
        charge = charges.add_succeeded(
            work, intent.body, method, authenticated=authenticated, capture=now
        )
        intent.body["latest_charge"] = charge.id
        if now:
            _succeed(work, intent, method)
        else:
            _authorized(work, intent, method)


def _authorized(work: Work, intent: Record, method: Record) -> None:
    intent.body.update(status="requires_capture", amount_capturable=intent.body["amount"])
    work.later(AUTHORIZATION_SECONDS, "expire_authorization", intent.id)
    _keep_method(work, intent, method)
    emit(work, "payment_intent.amount_capturable_updated", intent.shown())


def _succeed(work: Work, intent: Record, method: Record, amount: int | None = None) -> None:
    received = intent.body["amount"] if amount is None else amount
    intent.body.update(status="succeeded", amount_received=received, amount_capturable=0)
    _keep_method(work, intent, method)
    emit(work, "payment_intent.succeeded", intent.shown())
    then = behaviour_of(method).aftermath
    if then is not None:
        aftermath.begin(work, intent.body["latest_charge"], then)


def _keep_method(work: Work, intent: Record, method: Record) -> None:
    """Save the method to the customer where asked for; otherwise it is used up."""
    usage, customer = intent.body["setup_future_usage"], intent.body["customer"]
    if usage and customer:
        method.private["set_up"] = method.private["set_up"] or usage == "off_session"
        attach_to(work, method, customer)
    elif method.body["customer"] is None:
        method.private["used"] = True
    work.save(method)


def _fail(work: Work, intent: Record, method: Record, decline: Decline) -> None:
    charge = charges.add_failed(work, intent.body, method, decline)
    _declined(work, intent, method, decline, charge)


def _declined(work: Work, intent: Record, method: Record, decline: Decline, charge: Record) -> None:
    error: dict[str, Any] = {
        "advice_code": decline.advice,
        "charge": charge.id,
        "code": decline.code,
        "decline_code": decline.decline_code,
        "doc_url": doc_url(decline.code),
        "message": decline.message,
        "payment_method": method.shown(),
        "type": "card_error",
    }
    intent.body["latest_charge"] = charge.id
    _back_to_start(work, intent, error)


def _authentication_failed(work: Work, intent: Record, method: Record) -> None:
    """A failed challenge: no charge was made, the intent can be tried again."""
    message = (
        "The provided PaymentMethod has failed authentication. You can provide"
        " payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent"
        " again."
    )
    error = {
        "code": AUTHENTICATION_FAILED,
        "doc_url": doc_url(AUTHENTICATION_FAILED),
        "message": message,
        "payment_method": method.shown(),
        "type": INVALID_REQUEST,
    }
    _back_to_start(work, intent, error)


def _back_to_start(work: Work, intent: Record, error: JSON) -> None:
    shown = {name: value for name, value in error.items() if value is not None}
    intent.body.update(
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_payment_error=shown,
    )
    emit(work, "payment_intent.payment_failed", intent.shown())


TIMERS: dict[str, Callable[[Work, str], None]] = {
    "settle_payment": settle,
    "expire_authorization": expire_authorization,
}
