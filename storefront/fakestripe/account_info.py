"""`/v1/account`: the account itself."""

from __future__ import annotations

from stripe.params import AccountRetrieveCurrentParams

from .call import Call, Endpoint
from .errors import JSON

NAME = "Storefront sandbox (fakestripe)"


def retrieve(call: Call) -> JSON:
    """Answer the one account, with every field of the resource."""
    return {
        "id": call.account.id,
        "object": "account",
        "business_profile": _profile(),
        "business_type": "company",
        "capabilities": {
            "card_payments": "active",
            "sepa_debit_payments": "active",
            "transfers": "active",
            "us_bank_account_ach_payments": "active",
        },
        "charges_enabled": True,
        "company": None,
        "controller": {"type": "account"},
        "country": "US",
        "created": 1_700_000_000,
        "default_currency": "usd",
        "details_submitted": True,
        "email": "owner@example.com",
        "external_accounts": None,
        "future_requirements": None,
        "groups": None,
        "individual": None,
        "metadata": {},
        "payouts_enabled": True,
        "requirements": None,
        "settings": _settings(),
        "tos_acceptance": None,
        "type": "standard",
    }


def _profile() -> JSON:
    return {
        "annual_revenue": None,
        "estimated_worker_count": None,
        "mcc": "5734",
        "minority_owned_business_designation": None,
        "monthly_estimated_revenue": None,
        "name": NAME,
        "product_description": None,
        "specified_commercial_transactions_act_url": None,
        "support_address": None,
        "support_email": None,
        "support_phone": None,
        "support_url": None,
        "url": None,
    }


def _settings() -> JSON:
    branding = dict.fromkeys(("icon", "logo", "primary_color", "secondary_color"))
    statement = ("statement_descriptor", "statement_descriptor_kana", "statement_descriptor_kanji")
    return {
        "bacs_debit_payments": None,
        "branding": branding,
        "card_issuing": None,
        "card_payments": {
            "decline_on": None,
            "statement_descriptor_prefix": None,
            "statement_descriptor_prefix_kana": None,
            "statement_descriptor_prefix_kanji": None,
        },
        "dashboard": {"display_name": NAME, "timezone": "Etc/UTC"},
        "invoices": None,
        "payments": dict.fromkeys(statement),
        "payouts": None,
        "paypay_payments": None,
        "sepa_debit_payments": None,
        "treasury": None,
    }


ENDPOINTS: list[Endpoint] = [Endpoint("GET", "/v1/account", AccountRetrieveCurrentParams, retrieve)]
