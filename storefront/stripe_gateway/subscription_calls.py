"""Calls about subscriptions and their invoices. Reading only: customers change them on Stripe's own
pages."""

from typing import Any

from storefront.stripe_gateway.billing_facts import SubscriptionFacts
from storefront.stripe_gateway.calls import PAGE, Calls, Json, all_pages, translated
from storefront.stripe_gateway.invoice_facts import InvoiceFacts, has_more_lines

PAYMENTS = "payments"
"""Left out of an invoice until it is expanded."""


class SubscriptionCalls(Calls):
    def retrieve_subscription(self, subscription_id: str) -> SubscriptionFacts:
        """What is true now, of one that is over, too.
        Raises NotFound, Unprocessable, StripeUnavailable, StripeRefused."""
        found = translated(lambda: self._client.v1.subscriptions.retrieve(subscription_id))
        return SubscriptionFacts.from_dict(found.to_dict())

    def list_subscriptions(self, customer_id: str) -> list[SubscriptionFacts]:
        """All that the customer ever had, the newest first. For a customer whom Stripe does not
        know: none, or NotFound. Raises Unprocessable, StripeUnavailable, StripeRefused."""
        subscriptions = self._client.v1.subscriptions
        found = all_pages(
            lambda: subscriptions.list({"customer": customer_id, "status": "all", "limit": PAGE})
        )
        return [SubscriptionFacts.from_dict(each) for each in found]

    def retrieve_invoice(self, invoice_id: str) -> InvoiceFacts:
        """What is true now, with every line.
        Raises NotFound, Unprocessable, StripeUnavailable, StripeRefused."""
        invoices = self._client.v1.invoices
        found = translated(lambda: invoices.retrieve(invoice_id, {"expand": [PAYMENTS]}))
        return self._with_all_lines(found.to_dict())

    def list_invoices(
        self, customer_id: str, *, subscription_id: str | None = None
    ) -> list[InvoiceFacts]:
        """All invoices of a customer, or of one subscription, the oldest first, each with every
        line. Raises as list_subscriptions() does."""
        params: Any = {"customer": customer_id, "limit": PAGE, "expand": [f"data.{PAYMENTS}"]}
        if subscription_id is not None:
            params["subscription"] = subscription_id
        found = all_pages(lambda: self._client.v1.invoices.list(params))
        return [self._with_all_lines(each) for each in reversed(found)]

    def _with_all_lines(self, invoice: Json) -> InvoiceFacts:
        if not has_more_lines(invoice):
            return InvoiceFacts.from_dict(invoice)
        lines = self._client.v1.invoices.line_items
        return InvoiceFacts.from_dict(
            invoice, lines=all_pages(lambda: lines.list(invoice["id"], {"limit": PAGE}))
        )
