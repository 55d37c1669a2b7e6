"""How a payment stands after the customer answered the bank."""

from __future__ import annotations

from .intents import find_intent


def challenge_result(client_secret: object) -> str | None:
    """Return None when the payment went through, else why not in the customer's words."""
    secret = str(client_secret or "")
    intent = find_intent(secret.partition("_secret_")[0], secret)
    if intent is None:
        return "There is no such payment."
    if intent["status"] in ("succeeded", "processing", "requires_capture"):
        return None
    if intent["status"] == "requires_action":
        return "Your bank is still waiting for your answer. Please try again."
    last = intent["last_payment_error"]
    if last is None or last["code"] == "payment_intent_authentication_failure":
        return "We are unable to authenticate your payment method. Please try again."
    return str(last["message"])
