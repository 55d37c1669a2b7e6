"""Stand-ins for the tests: one shared by a file, or one of a test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stripe

from tests.fakestripe.harness import FakeStripe, KeptFakeStripe, Receiver


@pytest.fixture(scope="module")
def fakestripe(shared_fakestripe: FakeStripe) -> FakeStripe:
    return shared_fakestripe


@pytest.fixture(scope="module")
def client(fakestripe: FakeStripe) -> stripe.StripeClient:
    return fakestripe.client()


@pytest.fixture
def alone(kept_fakestripe: KeptFakeStripe) -> Iterator[FakeStripe]:
    """A stand-in with nothing of another test in it, for clocks, faults and webhooks."""
    with kept_fakestripe.lent() as fake:
        yield fake


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening
