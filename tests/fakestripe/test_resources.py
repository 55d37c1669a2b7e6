"""Every answer carries the fields that the SDK's resource classes declare, with their types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
import stripe

from tests.fakestripe.builders import RETURN_URL, card_method, customer, paid, payment_intent
from tests.fakestripe.harness import FakeStripe
from tests.fakestripe.sdk_shapes import (
    enumerated,
    field_names,
    missing_fields,
    nested_class,
    object_faults,
    resource,
)

JSON = dict[str, Any]


def plain(answer: stripe.StripeObject) -> JSON:
    body: JSON = answer.to_dict()
    return body


def declined_intent(client: stripe.StripeClient) -> JSON:
    with pytest.raises(stripe.CardError) as caught:
        paid(client, "pm_card_visa_chargeDeclined")
    error: Any = caught.value.error
    return plain(client.v1.payment_intents.retrieve(error.payment_intent.id))


def challenged_intent(client: stripe.StripeClient) -> JSON:
    return plain(paid(client, "pm_card_authenticationRequired", return_url=RETURN_URL))


def charge_of(client: stripe.StripeClient, **params: Any) -> JSON:
    intent = paid(client, **params)
    return plain(client.v1.charges.retrieve(intent.latest_charge))


def failed_charge(client: stripe.StripeClient) -> JSON:
    return plain(client.v1.charges.retrieve(declined_intent(client)["latest_charge"]))


def debit_charge(client: stripe.StripeClient) -> JSON:
    return charge_of(client, method="pm_usBankAccount_success")


def sepa_method(client: stripe.StripeClient) -> JSON:
    return plain(
        client.v1.payment_methods.create(
            {
                "type": "sepa_debit",
                "sepa_debit": {"iban": "AT611904300234573201"},
                "billing_details": {"name": "Jo", "email": "jo@example.com"},
            }
        )
    )


def balance_transaction(client: stripe.StripeClient) -> JSON:
    intent = paid(client, capture_method="automatic")
    charge = client.v1.charges.retrieve(intent.latest_charge)
    return plain(client.v1.balance_transactions.retrieve(str(charge.balance_transaction)))


def newest_event(client: stripe.StripeClient) -> JSON:
    customer(client)
    return plain(client.v1.events.list({"limit": 1}).data[0])


def endpoint(client: stripe.StripeClient) -> JSON:
    made = client.v1.webhook_endpoints.create({"url": "http://x.test/", "enabled_events": ["*"]})
    retrieved = plain(client.v1.webhook_endpoints.retrieve(made.id))
    client.v1.webhook_endpoints.delete(made.id)
    return retrieved


def refund(client: stripe.StripeClient) -> JSON:
    return plain(client.v1.refunds.create({"payment_intent": paid(client).id}))


def debit_refund(client: stripe.StripeClient, fake: FakeStripe) -> JSON:
    intent = paid(client, "pm_usBankAccount_success")
    fake.advance(5)
    return plain(client.v1.refunds.create({"payment_intent": intent.id}))


def unclaimed_refund(fake: FakeStripe) -> JSON:
    path = f"payments/{paid(fake.client()).id}/refund"
    return fake.control(path, {"course": "requires_action", "email": "jo@example.com"})


def failed_refund(fake: FakeStripe) -> JSON:
    made = refund(fake.client())
    fake.control(f"refunds/{made['id']}", {"status": "failed"})
    return plain(fake.client().v1.refunds.retrieve(made["id"]))


def dispute(fake: FakeStripe, outcome: str = "", **params: Any) -> JSON:
    """Open a dispute as a bank would, let it end, and answer it as the API does."""
    opened = fake.control(f"payments/{paid(fake.client()).id}/dispute", params)
    if outcome:
        fake.control(f"disputes/{opened['id']}", {"outcome": outcome})
    return plain(fake.client().v1.disputes.retrieve(opened["id"]))


def early_fraud_warning(fake: FakeStripe) -> JSON:
    made = fake.control(f"payments/{paid(fake.client()).id}/early_fraud_warning", {})
    return plain(fake.client().v1.radar.early_fraud_warnings.retrieve(made["id"]))


# Money that went back: most of it takes an action that the API does not have.
MONEY_BACK: dict[str, Callable[[FakeStripe], JSON]] = {
    "refund": lambda fake: refund(fake.client()),
    "pending refund of a debit": lambda fake: debit_refund(fake.client(), fake),
    "refund that waits for the customer": unclaimed_refund,
    "failed refund": failed_refund,
    "chargeback": dispute,
    "won chargeback": lambda fake: dispute(fake, "won"),
    "inquiry": lambda fake: dispute(fake, inquiry=True),
    "closed inquiry": lambda fake: dispute(fake, "warning_closed", inquiry=True),
    "early fraud warning": early_fraud_warning,
}


BUILDERS: dict[str, Callable[[stripe.StripeClient], JSON]] = {
    "customer": lambda client: plain(customer(client)),
    "new payment intent": lambda client: plain(payment_intent(client)),
    "paid payment intent": lambda client: plain(paid(client)),
    "declined payment intent": declined_intent,
    "challenged payment intent": challenged_intent,
    "processing payment intent": lambda client: plain(paid(client, "pm_usBankAccount_processing")),
    "canceled payment intent": lambda client: plain(
        client.v1.payment_intents.cancel(payment_intent(client).id)
    ),
    "charge": charge_of,
    "failed charge": failed_charge,
    "debit charge": debit_charge,
    "card": lambda client: plain(card_method(client, "4242424242424242")),
    "sepa account": sepa_method,
    "us account": lambda client: plain(
        client.v1.payment_methods.retrieve(paid(client, "pm_usBankAccount_success").payment_method)
    ),
    "balance transaction": balance_transaction,
    "event": newest_event,
    "webhook endpoint": endpoint,
    "balance": lambda client: plain(client.v1.balance.retrieve()),
    "account": lambda client: plain(client.v1.accounts.retrieve_current()),
}  # fmt: skip


@pytest.mark.parametrize("name", BUILDERS)
def test_an_answer_has_every_declared_field_and_no_other(
    client: stripe.StripeClient, name: str
) -> None:
    answer = BUILDERS[name](client)
    assert missing_fields(answer) == set()
    assert object_faults(answer, resource(answer), answer["object"]) == []


@pytest.mark.parametrize("name", MONEY_BACK)
def test_money_back_has_every_declared_field_and_no_other(
    fakestripe: FakeStripe, name: str
) -> None:
    answer = MONEY_BACK[name](fakestripe)
    assert missing_fields(answer) == set()
    assert object_faults(answer, resource(answer), answer["object"]) == []


def test_the_balance_transactions_of_money_back_are_whole(fakestripe: FakeStripe) -> None:
    client = fakestripe.client()
    won = dispute(fakestripe, "won")
    failed = failed_refund(fakestripe)
    moved = [it["id"] for it in won["balance_transactions"]]
    moved += [failed["balance_transaction"], failed["failure_balance_transaction"]]
    assert len(moved) == 4
    for id in moved:
        answer = plain(client.v1.balance_transactions.retrieve(id))
        assert missing_fields(answer) == set()
        assert object_faults(answer, stripe.BalanceTransaction, "balance_transaction") == []
        assert answer["net"] == answer["amount"] - answer["fee"]


def test_the_comparison_notices_what_is_wrong(client: stripe.StripeClient) -> None:
    answer = plain(payment_intent(client))
    lacking = {name: value for name, value in answer.items() if name != "latest_charge"}
    assert missing_fields(lacking) == {"latest_charge"}
    for change in ({"amount": "1000"}, {"livemode": 0}, {"surprise": 1}, {"status": None},
                   {"automatic_payment_methods": {"enabled": True, "surprise": 1}}):  # fmt: skip
        assert object_faults({**answer, **change}, stripe.PaymentIntent, "pi") != []


def test_what_the_sdk_does_not_show_is_not_answered(fakestripe: FakeStripe) -> None:
    # The SDK would hide a surplus field in its own attribute, so ask without it.
    intent = paid(fakestripe.client())
    answer = requests.get(
        f"{fakestripe.url}/v1/payment_intents/{intent.id}",
        headers={"Authorization": "Bearer sk_test_fakestripe"},
        timeout=10,
    ).json()
    assert object_faults(answer, stripe.PaymentIntent, "payment_intent") == []


def test_statuses_are_those_that_the_sdk_lists(client: stripe.StripeClient) -> None:
    known = enumerated(stripe.PaymentIntent.__annotations__["status"])
    seen = {BUILDERS[name](client)["status"] for name in BUILDERS if "payment intent" in name}
    assert seen <= known
    assert len(seen) == 5


COMPLETE_HASHES = [
    ("charge", "outcome"),
    ("charge", "billing_details"),
    ("charge", "payment_method_details.card"),
    ("charge", "payment_method_details.card.checks"),
    ("debit charge", "payment_method_details.us_bank_account"),
    ("card", "card"),
    ("card", "card.networks"),
    ("card", "billing_details"),
    ("card", "billing_details.address"),
    ("sepa account", "sepa_debit"),
    ("us account", "us_bank_account"),
    ("customer", "invoice_settings"),
    ("event", "request"),
    ("new payment intent", "automatic_payment_methods"),
]


@pytest.mark.parametrize(("name", "path"), COMPLETE_HASHES)
def test_a_nested_hash_has_every_declared_field(
    client: stripe.StripeClient, name: str, path: str
) -> None:
    answer = BUILDERS[name](client)
    kind: Any = resource(answer)
    for part in path.split("."):
        answer, kind = answer[part], nested_class(kind, part)
    assert set(answer) == field_names(kind)
