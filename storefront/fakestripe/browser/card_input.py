"""What a hosted page's form sends, and a card in it as the API's `payment_method_data`."""

from __future__ import annotations

from typing import Any

from flask import request

from ..errors import JSON, ApiError


def sent() -> JSON:
    """Return the JSON object that the page's script sent; an empty one for anything else."""
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}


def method_data(card: Any, email: str | None = None) -> JSON:
    """Return `payment_method_data` for a card; raise ApiError for what no form of ours sends."""
    numbers = ("exp_month", "exp_year")
    if not isinstance(card, dict) or not all(isinstance(card.get(name), int) for name in numbers):
        raise ApiError(400, "Your card's details are incomplete.")
    details: JSON = {"address": {"country": card.get("country") or None}, "email": email}
    return {
        "type": "card",
        "card": {
            "number": str(card.get("number", "")),
            "exp_month": card["exp_month"],
            "exp_year": card["exp_year"],
            "cvc": str(card.get("cvc", "")),
        },
        "billing_details": details,
    }
