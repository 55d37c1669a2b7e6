"""Calls about money that flows back. All of them ask about one payment intent."""

from storefront.stripe_gateway.billing_facts import CheckoutSession
from storefront.stripe_gateway.calls import PAGE, Calls, all_pages
from storefront.stripe_gateway.reversal_facts import DisputeFacts, FraudWarningFacts, RefundFacts


class ReversalCalls(Calls):
    def list_refunds(self, intent_id: str) -> list[RefundFacts]:
        """Every refund of a payment. Raises NotFound, StripeUnavailable, StripeRefused."""
        found = all_pages(
            lambda: self._client.v1.refunds.list({"payment_intent": intent_id, "limit": PAGE})
        )
        return [RefundFacts.from_dict(each) for each in found]

    def list_disputes(self, intent_id: str) -> list[DisputeFacts]:
        """Every dispute of a payment, with the money that it moved. Raises as list_refunds()."""
        found = all_pages(
            lambda: self._client.v1.disputes.list({"payment_intent": intent_id, "limit": PAGE})
        )
        return [DisputeFacts.from_dict(each) for each in found]

    def list_fraud_warnings(self, intent_id: str) -> list[FraudWarningFacts]:
        """Every early fraud warning about a payment. Raises as list_refunds()."""
        found = all_pages(
            lambda: self._client.v1.radar.early_fraud_warnings.list(
                {"payment_intent": intent_id, "limit": PAGE}
            )
        )
        return [FraudWarningFacts.from_dict(each) for each in found]

    def find_checkout_session(self, intent_id: str) -> CheckoutSession | None:
        """The Checkout Session that a payment was made in; None when it was made elsewhere.
        Raises as list_refunds()."""
        found = all_pages(
            lambda: self._client.v1.checkout.sessions.list(
                {"payment_intent": intent_id, "limit": PAGE}
            )
        )
        return CheckoutSession.from_dict(found[0]) if found else None
