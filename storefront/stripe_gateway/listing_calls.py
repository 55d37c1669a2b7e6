"""Calls that list everything of a kind, a page at a time: for the comparison of Stripe's books with
ours. Stripe lists the newest first; what cannot be read is left out and counted."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from stripe import ListObject

from storefront.errors import Unprocessable
from storefront.stripe_gateway import reading
from storefront.stripe_gateway.billing_facts import SubscriptionFacts
from storefront.stripe_gateway.calls import PAGE, Calls, operation_of, translated
from storefront.stripe_gateway.facts import Intent
from storefront.stripe_gateway.invoice_facts import InvoiceFacts
from storefront.stripe_gateway.reading import mapping, reference, short_text
from storefront.stripe_gateway.reversal_facts import DisputeFacts, RefundFacts

T = TypeVar("T")
Params = dict[str, Any]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Window:
    """Objects that Stripe created from `since` on, and before `until`; None is no bound."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        early = self.since is not None and moment < self.since
        return not early and (self.until is None or moment < self.until)

    @property
    def created(self) -> Params:
        bounds = {"gte": self.since, "lt": self.until}
        given = {name: int(it.timestamp()) for name, it in bounds.items() if it is not None}
        return {"created": given} if given else {}


@dataclass(frozen=True)
class Listed(Generic[T]):
    """An object as a list shows it; `checkout_id` is ours, from the metadata."""

    facts: T
    created: datetime
    checkout_id: str | None = None
    user_id: str | None = None


@dataclass(frozen=True)
class Page(Generic[T]):
    """A page, the newest first. `next_after` asks for the next one, None when this is the last;
    `left_out` could not be read, or is of the other mode."""

    items: tuple[Listed[T], ...]
    next_after: str | None
    left_out: int = 0


@dataclass(frozen=True)
class CapturedCharge:
    """A charge, for the money it moved; 0 captured unless it succeeded."""

    id: str
    intent_id: str | None
    customer_id: str | None
    currency: str
    captured: int
    refunded: int

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "CapturedCharge":
        """Raises Unprocessable when the JSON is not a usable charge."""
        reading.check_object(data, "charge")
        paid = data.get("status") == "succeeded"
        return cls(
            id=reading.text(data, "id"),
            intent_id=reference(data.get("payment_intent")),
            customer_id=reference(data.get("customer")),
            currency=reading.text(data, "currency"),
            captured=reading.whole(data, "amount_captured", 0) if paid else 0,
            refunded=reading.whole(data, "amount_refunded", 0) if paid else 0,
        )


@dataclass(frozen=True)
class BalanceMovement:
    """A balance transaction: what a charge, a refund or a dispute moved, with its source. `amount`
    is negative for what left; `currency` is the account's, perhaps not the source's."""

    id: str
    amount: int
    fee: int
    currency: str
    source: "Listed[CapturedCharge] | Listed[RefundFacts] | Listed[DisputeFacts] | None"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "BalanceMovement":
        """Raises Unprocessable when the JSON is not a usable balance transaction."""
        reading.check_object(data, "balance_transaction")
        return cls(
            id=reading.text(data, "id"),
            amount=reading.signed(data, "amount"),
            fee=reading.signed(data, "fee", 0),
            currency=reading.text(data, "currency"),
            source=_source(mapping(data.get("source"))),
        )


class ListingCalls(Calls):
    """Each raises StripeUnavailable (StripeRateLimited among them) and StripeRefused."""

    livemode: bool

    def page_of_intents(self, window: Window, after: str | None = None) -> Page[Intent]:
        intents = self._client.v1.payment_intents
        return self._page(intents.list, _params(window, after), Intent.from_dict)

    def page_of_charges(self, window: Window, after: str | None = None) -> Page[CapturedCharge]:
        charges = self._client.v1.charges
        return self._page(charges.list, _params(window, after), CapturedCharge.from_dict)

    def page_of_refunds(self, window: Window, after: str | None = None) -> Page[RefundFacts]:
        refunds = self._client.v1.refunds
        return self._page(refunds.list, _params(window, after), RefundFacts.from_dict)

    def page_of_disputes(self, window: Window, after: str | None = None) -> Page[DisputeFacts]:
        disputes = self._client.v1.disputes
        return self._page(disputes.list, _params(window, after), DisputeFacts.from_dict)

    def page_of_subscriptions(
        self, window: Window, after: str | None = None, *, over: bool = True
    ) -> Page[SubscriptionFacts]:
        """Without those that are `over`, all that are not canceled, whenever they began."""
        params = _params(window, after, status="all") if over else _params(Window(), after)
        subscriptions = self._client.v1.subscriptions
        return self._page(subscriptions.list, params, SubscriptionFacts.from_dict)

    def page_of_invoices(self, window: Window, after: str | None = None) -> Page[InvoiceFacts]:
        """Each with its first lines only."""
        params = _params(window, after, expand=["data.payments"])
        return self._page(self._client.v1.invoices.list, params, InvoiceFacts.from_dict)

    def page_of_movements(self, window: Window, after: str | None = None) -> Page[BalanceMovement]:
        params = _params(window, after, expand=["data.source"])
        transactions = self._client.v1.balance_transactions
        return self._page(transactions.list, params, BalanceMovement.from_dict)

    def look_up_intent(self, intent_id: str) -> Listed[Intent]:
        """One of them, as a list would show it. Raises NotFound as well, and Unprocessable."""
        found = translated(lambda: self._client.v1.payment_intents.retrieve(intent_id))
        return _listed(found.to_dict(), Intent.from_dict)

    def look_up_refund(self, refund_id: str) -> Listed[RefundFacts]:
        """Raises as look_up_intent()."""
        found = translated(lambda: self._client.v1.refunds.retrieve(refund_id))
        return _listed(found.to_dict(), RefundFacts.from_dict)

    def look_up_dispute(self, dispute_id: str) -> Listed[DisputeFacts]:
        """Raises as look_up_intent()."""
        found = translated(lambda: self._client.v1.disputes.retrieve(dispute_id))
        return _listed(found.to_dict(), DisputeFacts.from_dict)

    def look_up_subscription(self, subscription_id: str) -> Listed[SubscriptionFacts]:
        """Raises as look_up_intent()."""
        found = translated(lambda: self._client.v1.subscriptions.retrieve(subscription_id))
        return _listed(found.to_dict(), SubscriptionFacts.from_dict)

    def look_up_invoice(self, invoice_id: str) -> Listed[InvoiceFacts]:
        """With its first lines. Raises as look_up_intent()."""
        expanded: Params = {"expand": ["payments"]}
        found = translated(lambda: self._client.v1.invoices.retrieve(invoice_id, expanded))  # type: ignore[arg-type]
        return _listed(found.to_dict(), InvoiceFacts.from_dict)

    def charges_of(self, intent_id: str) -> Page[CapturedCharge]:
        """The attempts to pay an intent, the newest hundred of them."""
        charges, params = self._client.v1.charges, _params(Window(), None, payment_intent=intent_id)
        return self._page(charges.list, params, CapturedCharge.from_dict)

    def find_invoice_of(self, intent_id: str) -> str | None:
        """The invoice that a payment intent is to pay, or has paid; None when it is of no invoice.
        Raises NotFound, StripeUnavailable, StripeRefused."""
        found = translated(
            lambda: self._client.v1.invoice_payments.list(
                {"payment": {"type": "payment_intent", "payment_intent": intent_id}, "limit": 1}
            )
        )
        return reference(found.data[0].to_dict().get("invoice")) if found.data else None

    def _page(
        self,
        call: Callable[..., ListObject[Any]],
        params: Params,
        read: Callable[[Mapping[str, Any]], T],
    ) -> Page[T]:
        page = translated(lambda: call(params), operation=operation_of(call))
        items, left_out = [], 0
        for found in page.data:
            data = found.to_dict()
            try:
                listed = _listed(data, read)
            except Unprocessable as error:
                log.error("%s of Stripe's list is left out: %s", data.get("id"), error.detail)
                left_out += 1
                continue
            if data.get("livemode", self.livemode) == self.livemode:  # some have none
                items.append(listed)
            else:
                left_out += 1
        last = page.data[-1].id if page.data and page.has_more else None
        return Page(tuple(items), last, left_out)


def _params(window: Window, after: str | None, **more: Any) -> Params:
    params = {"limit": PAGE, **window.created, **more}
    return params if after is None else params | {"starting_after": after}


def _listed(data: Mapping[str, Any], read: Callable[[Mapping[str, Any]], T]) -> Listed[T]:
    metadata = mapping(data.get("metadata"))
    return Listed(
        read(data),
        reading.moment(data, "created"),
        short_text(metadata.get("checkout_id")),
        short_text(metadata.get("user_id")),
    )


def _source(
    data: Mapping[str, Any],
) -> Listed[CapturedCharge] | Listed[RefundFacts] | Listed[DisputeFacts] | None:
    """None for payouts, fees and whatever else moves money without a customer's payment."""
    if data.get("object") == "charge":
        return _listed(data, CapturedCharge.from_dict)
    if data.get("object") == "refund":
        return _listed(data, RefundFacts.from_dict)
    if data.get("object") == "dispute":
        return _listed(data, DisputeFacts.from_dict)
    return None
