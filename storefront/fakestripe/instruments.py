"""Card and bank details: checked as Stripe checks them, shown as Stripe shows them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from . import banks, cards
from .errors import JSON, ApiError, invalid

_BANK_NAME = "STRIPE TEST BANK"
_FIRST_EXPIRY_IN_YEARS = 8  # of the ready-made cards


def checked_card(given: JSON, param: str, now: int) -> tuple[str, JSON]:
    """Return a raw card's number and public hash, or raise Stripe's card error."""
    for name in ("number", "exp_month", "exp_year"):
        if name not in given:
            full = f"{param}[{name}]"
            raise invalid(f"Missing required param: {full}.", full, "parameter_missing")
    number = given["number"].replace(" ", "").replace("-", "")
    known_shape = number.isascii() and number.isdigit() and 12 <= len(number) <= 19
    if not known_shape or not cards.luhn_valid(number):
        raise _card_error("incorrect_number", "Your card number is incorrect.", f"{param}[number]")
    year, month = _checked_expiry(given, param, now)
    _check_cvc(given.get("cvc"), number, param)
    shown = card_hash(number, now, cards.BY_NUMBER.get(number))
    shown["exp_year"], shown["exp_month"] = year, month
    if "cvc" not in given:
        shown["checks"]["cvc_check"] = None
    return number, shown


def _checked_expiry(given: JSON, param: str, now: int) -> tuple[int, int]:
    today = datetime.fromtimestamp(now, UTC)
    year, month = given["exp_year"], given["exp_month"]
    year += 2000 if 0 <= year < 100 else 0
    if not 1 <= month <= 12:
        raise _card_error(
            "invalid_expiry_month",
            "Your card's expiration month is invalid.",
            f"{param}[exp_month]",
        )
    if not today.year <= year <= today.year + 50:
        raise _card_error(
            "invalid_expiry_year", "Your card's expiration year is invalid.", f"{param}[exp_year]"
        )
    if year == today.year and month < today.month:
        raise _card_error(
            "invalid_expiry_month",
            "Your card's expiration month is invalid.",
            f"{param}[exp_month]",
        )
    return year, month


def _check_cvc(cvc: str | None, number: str, param: str) -> None:
    if cvc is None:
        return
    lengths = (3, 4) if cards.brand_of(number) == "amex" else (3,)
    if not (cvc.isascii() and cvc.isdigit() and len(cvc) in lengths):
        raise _card_error("invalid_cvc", "Your card's security code is invalid.", f"{param}[cvc]")


def checked_account(type: str, given: JSON, param: str) -> tuple[str, JSON]:
    """Return a bank account's number and public hash, or raise Stripe's error."""
    number = _iban(given, param) if type == "sepa_debit" else _us_number(given, param)
    if number not in banks.BY_KEY:
        raise ApiError(
            400,
            "fakestripe knows Stripe's test bank accounts only, and this is none of them.",
            code="account_number_invalid",
            param=param,
        )
    shown = account_hash(type, number)
    for name in ("account_holder_type", "account_type"):
        if name in given:
            shown[name] = given[name]
    return number, shown


def _iban(given: JSON, param: str) -> str:
    iban: str = given["iban"].replace(" ", "").upper()
    if not banks.iban_valid(iban):
        raise ApiError(
            400,
            "The IBAN you entered is invalid.",
            code="invalid_bank_account_iban",
            param=f"{param}[iban]",
        )
    return iban


def _us_number(given: JSON, param: str) -> str:
    for name in ("account_number", "routing_number"):
        if name not in given:
            full = f"{param}[{name}]"
            raise invalid(f"Missing required param: {full}.", full, "parameter_missing")
    if given["routing_number"] != banks.ACH_ROUTING_NUMBER:
        raise ApiError(
            400,
            "Invalid routing number.",
            code="routing_number_invalid",
            param=f"{param}[routing_number]",
        )
    return str(given["account_number"])


def card_hash(number: str | None, now: int, known: cards.TestCard | None) -> JSON:
    """Return the `card` hash of a payment method."""
    digits = number or (known.number if known else None) or ""
    brand = known.brand if known else cards.brand_of(digits)
    last4 = digits[-4:] or (known.last4 if known else "")
    return {
        "brand": brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "unchecked",
        },
        "country": known.country if known else "US",
        "description": None,
        "display_brand": {"amex": "american_express"}.get(brand, brand),
        "exp_month": datetime.fromtimestamp(now, UTC).month,
        "exp_year": datetime.fromtimestamp(now, UTC).year + _FIRST_EXPIRY_IN_YEARS,
        "fingerprint": _fingerprint(digits or last4),
        "funding": known.funding if known else "credit",
        "generated_from": None,
        "iin": digits[:6] or None,
        "issuer": "STRIPE TEST BANK" if known else None,
        "last4": last4,
        "networks": {"available": [brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def account_hash(type: str, number: str) -> JSON:
    """Return the `sepa_debit` or `us_bank_account` hash of a payment method."""
    shown: dict[str, Any] = {"fingerprint": _fingerprint(number), "last4": number[-4:]}
    if type == "sepa_debit":
        return {
            **shown,
            "bank_code": number[4:9],
            "branch_code": None,
            "country": number[:2],
            "generated_from": {"charge": None, "setup_attempt": None},
        }
    return {
        **shown,
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": _BANK_NAME,
        "financial_connections_account": None,
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": banks.ACH_ROUTING_NUMBER,
        "status_details": {},
    }


def _fingerprint(number: str) -> str:
    return hashlib.sha256(f"fakestripe:{number}".encode()).hexdigest()[:16]


def _card_error(code: str, message: str, param: str) -> ApiError:
    return ApiError(402, message, type="card_error", code=code, param=param)
