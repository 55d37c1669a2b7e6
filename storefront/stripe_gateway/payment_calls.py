"""Calls about customers and payment intents."""

from storefront.errors import NotFound
from storefront.stripe_gateway.calls import Calls, CustomerMissing, translated
from storefront.stripe_gateway.facts import Intent


class PaymentCalls(Calls):
    def create_customer(self, *, idempotency_key: str, user_id: str, email: str) -> str:
        """The id of a new customer; the same key gets the same one (for 24 hours).
        Raises StripeUnavailable, StripeRefused."""
        return translated(
            lambda: self._client.v1.customers.create(
                {"email": email, "metadata": {"user_id": user_id}},
                {"idempotency_key": idempotency_key},
            )
        ).id

    def create_payment_intent(
        self,
        *,
        idempotency_key: str,
        amount: int,
        currency: str,
        customer_id: str,
        description: str,
        metadata: dict[str, str],
    ) -> Intent:
        """A payment intent for any method that the account has switched on; `amount` in minor
        units. Raises CustomerMissing, StripeUnavailable, StripeRefused."""
        try:
            created = translated(
                lambda: self._client.v1.payment_intents.create(
                    {
                        "amount": amount,
                        "currency": currency,
                        "customer": customer_id,
                        "automatic_payment_methods": {"enabled": True},
                        "description": description,
                        "metadata": metadata,
                    },
                    {"idempotency_key": idempotency_key},
                )
            )
        except NotFound:  # all that this call refers to is the customer
            raise CustomerMissing(customer_id) from None
        return Intent.from_dict(created.to_dict())

    def retrieve_payment_intent(self, intent_id: str) -> Intent:
        """What is true now. Raises NotFound, StripeUnavailable, StripeRefused."""
        found = translated(lambda: self._client.v1.payment_intents.retrieve(intent_id))
        return Intent.from_dict(found.to_dict())
