"""`stripe trigger` of the official Stripe CLI against fakestripe, whose events the shop digests."""

from storefront.config import ROOT
from storefront.handlers import HANDLERS
from tests.clients.official import Cli
from tests.support import books
from tests.support.builders import a_user
from tests.support.served import ServedShop, eventually

OVERRIDE = "--override"
WITHOUT_FIXTURE = {
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "customer.subscription.resumed",
    "radar.early_fraud_warning.created",
    "radar.early_fraud_warning.updated",
    "refund.created",
    "refund.failed",
    "refund.updated",
}
"""What the shop handles and `stripe trigger` does not know."""

LATE_SECONDS = 200  # bank debits end, and refunds fail, after three minutes


def digested(shop: ServedShop) -> dict[str, set[str]]:
    """What became of the events, by type; fails unless each that was recorded has arrived."""
    shop.stripe.drain()
    rows = books.read(shop.app).events
    sent = shop.stripe.events()
    eventually(lambda: len(books.read(shop.app).events) >= len(sent), "every event to arrive")
    rows = books.read(shop.app).events
    states: dict[str, set[str]] = {}
    for event in sent:
        states.setdefault(event["type"], set()).add(rows[event["id"]]["state"])
    return states


def test_the_shop_digests_every_type_that_the_cli_triggers(shop: ServedShop, cli: Cli) -> None:
    known = cli.fixtures() & set(HANDLERS)
    assert known == set(HANDLERS) - WITHOUT_FIXTURE
    for event in sorted(known):
        cli.trigger(event)
    shop.stripe.advance(LATE_SECONDS)
    states = digested(shop)
    assert known - set(states) == set()
    assert set.union(*states.values()) <= {"handled", "ignored"}


def test_the_other_types_come_by_the_clis_own_calls(shop: ServedShop, cli: Cli) -> None:
    cli.trigger("charge.refunded", OVERRIDE, "payment_intent:payment_method=pm_card_refundFail")
    warned = "payment_intent:payment_method=pm_card_createIssuerFraudRecord"
    cli.trigger("payment_intent.succeeded", OVERRIDE, warned)
    shop.stripe.advance(LATE_SECONDS)
    warning = shop.stripe.events("radar.early_fraud_warning.created")[0]["data"]["object"]
    cli.post("/v1/refunds", f"charge={warning['charge']}")
    cli.trigger("charge.dispute.created", OVERRIDE,
                "payment_intent:payment_method=pm_card_createDispute")  # fmt: skip
    shop.stripe.advance(LATE_SECONDS)
    dispute = shop.stripe.events("charge.dispute.created")[0]["data"]["object"]["id"]
    cli.post(f"/v1/disputes/{dispute}", "evidence[uncategorized_text]=winning_evidence")
    resume(shop, cli)
    shop.stripe.advance(LATE_SECONDS)
    states = digested(shop)
    assert WITHOUT_FIXTURE - set(states) == set()
    assert set.union(*states.values()) <= {"handled", "ignored"}


def resume(shop: ServedShop, cli: Cli) -> None:
    """Resume a subscription that the CLI has paused, with a card."""
    cli.trigger("customer.subscription.paused")
    paused = shop.stripe.events("customer.subscription.paused")[0]["data"]["object"]
    cli.post("/v1/payment_methods/pm_card_visa/attach", f"customer={paused['customer']}")
    card = shop.stripe.events("payment_method.attached")[-1]["data"]["object"]["id"]
    default = f"invoice_settings[default_payment_method]={card}"
    cli.post(f"/v1/customers/{paused['customer']}", default)
    cli.post(f"/v1/subscriptions/{paused['id']}/resume")


def test_what_the_cli_does_to_a_customer_of_the_shop_is_handled(shop: ServedShop, cli: Cli) -> None:
    stripe_id = shop.stripe.client().v1.customers.create({"email": "jo@example.com"}).id
    a_user(shop.app, stripe_id=stripe_id)
    ours = (
        OVERRIDE,
        f"invoiceitem:customer={stripe_id}",
        OVERRIDE,
        f"invoice:customer={stripe_id}",
    )
    cli.trigger("invoice.voided", "--skip", "customer", *ours)
    assert digested(shop)["invoice.voided"] == {"handled"}


def test_the_page_names_what_the_cli_has_no_fixture_for() -> None:
    page = (ROOT / "docs/fakestripe.md").read_text()
    assert [event for event in sorted(WITHOUT_FIXTURE) if f"`{event}`" not in page] == []
