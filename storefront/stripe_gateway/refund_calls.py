"""Giving money back."""

from typing import Literal, cast

from storefront.stripe_gateway.calls import PAGE, Calls, all_pages, translated
from storefront.stripe_gateway.reversal_facts import RefundFacts

Reason = Literal["duplicate", "fraudulent", "requested_by_customer"]
ORDER = "refund_order"
"""Where a refund's metadata hold the id of its order."""


class RefundCalls(Calls):
    def create_refund(
        self, *, idempotency_key: str, intent_id: str, amount: int, reason: str, order_id: str
    ) -> RefundFacts:
        """Give `amount` minor units of a payment back; its order's id goes into the metadata.
        Raises NotFound, StripeUnavailable, StripeRefused."""
        made = translated(
            lambda: self._client.v1.refunds.create(
                {
                    "payment_intent": intent_id,
                    "amount": amount,
                    "reason": cast(Reason, reason),
                    "metadata": {ORDER: order_id},
                },
                {"idempotency_key": idempotency_key},
            )
        )
        return RefundFacts.from_dict(made.to_dict())

    def find_refund(self, intent_id: str, order_id: str) -> RefundFacts | None:
        """The refund of a payment that was made for this order. Raises as create_refund()."""
        found = all_pages(
            lambda: self._client.v1.refunds.list({"payment_intent": intent_id, "limit": PAGE})
        )
        mine = (it for it in found if (it.get("metadata") or {}).get(ORDER) == order_id)
        return next(map(RefundFacts.from_dict, mine), None)
