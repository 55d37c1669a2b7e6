"""SIGKILL before and after every statement, commit and request: what was left half done is done by
the next one, and nothing twice."""

import pytest

from tests.fakestripe.harness import FakeStripe
from tests.support.crashes import crash_everywhere

SCENARIOS = "tests.subscriptions.crash_scenarios"


@pytest.mark.parametrize("scenario", ["Granting", "Crediting"])
def test_a_crash_anywhere_grants_once(database_url: str, scenario: str) -> None:
    report = crash_everywhere(database_url, f"{SCENARIOS}:{scenario}", patience_seconds=280, step=7)
    print(f"{scenario}: killed at {len(report.points)} points")
    assert len(report.points) > 30 // report.step
    assert report.violations == []


def test_a_crash_anywhere_while_asking_stripe_is_made_up_for(
    database_url: str, fakestripe: FakeStripe
) -> None:
    client = fakestripe.client()
    product = client.v1.products.create({"name": "Premium"})
    client.v1.prices.create(
        {
            "product": product.id,
            "unit_amount": 4900,
            "currency": "usd",
            "recurring": {"interval": "month"},
            "lookup_key": "premium_plan_monthly",
            "transfer_lookup_key": True,
        }
    )
    report = crash_everywhere(
        database_url,
        f"{SCENARIOS}:Syncing",
        stripe_url=fakestripe.url,
        patience_seconds=280,
        step=7,
    )
    print(f"Syncing: killed at {len(report.points)} points")
    assert len(report.points) > 30 // report.step
    assert report.violations == []
