"""Calls about what a customer never paid."""

from datetime import datetime

from stripe.params import PaymentIntentListParams
from stripe.params.checkout import SessionListParams

from storefront.errors import StripeRefused
from storefront.stripe_gateway.billing_facts import CheckoutSession
from storefront.stripe_gateway.calls import PAGE, all_pages, translated
from storefront.stripe_gateway.facts import Intent
from storefront.stripe_gateway.payment_calls import PaymentCalls

CANCELABLE = (
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "requires_capture",
)
"""States in which Stripe always cancels an intent (docs.stripe.com/api/payment_intents/cancel)."""


class UnpaidCalls(PaymentCalls):
    def cancel_payment_intent(self, intent_id: str) -> Intent:
        """Have an intent canceled, so that nobody can pay it; what it is afterwards. One that was
        paid meanwhile, or canceled before, stays as it is.
        Raises NotFound, StripeUnavailable, StripeRefused."""
        try:
            found = translated(
                lambda: self._client.v1.payment_intents.cancel(
                    intent_id, {"cancellation_reason": "abandoned"}
                )
            )
        except StripeRefused:
            intent = self.retrieve_payment_intent(intent_id)
            if intent.status in CANCELABLE:
                raise
            return intent
        return Intent.from_dict(found.to_dict())

    def list_payment_intents_of(self, customer_id: str, since: datetime) -> list[Intent]:
        """A customer's intents that were made since then, the newest first.
        Raises NotFound for an unknown customer, StripeUnavailable, StripeRefused."""
        params: PaymentIntentListParams = {
            "customer": customer_id,
            "created": {"gte": int(since.timestamp())},
            "limit": PAGE,
        }
        found = all_pages(lambda: self._client.v1.payment_intents.list(params))
        return [Intent.from_dict(each) for each in found]

    def list_checkout_sessions_of(self, customer_id: str, since: datetime) -> list[CheckoutSession]:
        """The same for Checkout Sessions. Raises as list_payment_intents_of()."""
        params: SessionListParams = {
            "customer": customer_id,
            "created": {"gte": int(since.timestamp())},
            "limit": PAGE,
        }
        found = all_pages(lambda: self._client.v1.checkout.sessions.list(params))
        return [CheckoutSession.from_dict(each) for each in found]
