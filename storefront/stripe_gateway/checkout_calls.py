"""Calls about Stripe's hosted pages: Checkout and the Customer Portal."""

from collections.abc import Mapping
from typing import Any, Literal, cast

from stripe.params.billing_portal import ConfigurationCreateParams
from stripe.params.billing_portal import SessionCreateParams as PortalSessionParams
from stripe.params.checkout import SessionCreateParams

from storefront.errors import StripeRefused
from storefront.stripe_gateway.billing_facts import CheckoutSession
from storefront.stripe_gateway.calls import (
    Calls,
    ConfigurationMissing,
    CustomerMissing,
    PriceMissing,
    translated,
)

Mode = Literal["payment", "subscription"]


class CheckoutCalls(Calls):
    def create_checkout_session(
        self,
        *,
        idempotency_key: str,
        mode: Mode,
        customer_id: str,
        price_id: str,
        quantity: int,
        client_reference_id: str,
        metadata: dict[str, str],
        success_url: str,
        cancel_url: str,
        trial_days: int = 0,
        automatic_tax: bool = False,
    ) -> CheckoutSession:
        """A session for one price, open for 24 hours; the metadata also goes to the payment intent
        or the subscription that it makes (Stripe does not copy it by itself). `success_url` may
        hold {CHECKOUT_SESSION_ID} literally. The methods are those that the account has switched
        on. Raises CustomerMissing, PriceMissing, StripeUnavailable, StripeRefused."""
        params: dict[str, Any] = {
            "mode": mode,
            "customer": customer_id,
            "client_reference_id": client_reference_id,
            "line_items": [{"price": price_id, "quantity": quantity}],
            "metadata": metadata,
            "success_url": success_url,
            "cancel_url": cancel_url,
            "allow_promotion_codes": True,
        }
        params |= _made_by_it(mode, metadata, trial_days)
        if automatic_tax:
            params["automatic_tax"] = {"enabled": True}
            params["customer_update"] = {"address": "auto"}  # the tax is that of an address
        about = {
            "customer": CustomerMissing(customer_id),
            "line_items[0][price]": PriceMissing(price_id),
        }
        created = translated(
            lambda: self._client.v1.checkout.sessions.create(
                cast(SessionCreateParams, params), {"idempotency_key": idempotency_key}
            ),
            about,
        )
        return CheckoutSession.from_dict(created.to_dict())

    def retrieve_checkout_session(self, session_id: str) -> CheckoutSession:
        """What is true now. Raises NotFound, StripeUnavailable, StripeRefused."""
        found = translated(lambda: self._client.v1.checkout.sessions.retrieve(session_id))
        return CheckoutSession.from_dict(found.to_dict())

    def expire_checkout_session(self, session_id: str) -> None:
        """Close a session, so that nobody can pay it; one that is closed or complete stays as it
        is. Raises NotFound, StripeUnavailable, StripeRefused."""
        try:
            translated(lambda: self._client.v1.checkout.sessions.expire(session_id))
        except StripeRefused:
            if self.retrieve_checkout_session(session_id).status == "open":
                raise

    def create_portal_configuration(
        self, *, idempotency_key: str, content: Mapping[str, Any]
    ) -> str:
        """The id of a new configuration of the Customer Portal; `content` in Stripe's words.
        Raises StripeUnavailable, StripeRefused."""
        params = cast(ConfigurationCreateParams, dict(content))
        created = translated(
            lambda: self._client.v1.billing_portal.configurations.create(
                params, {"idempotency_key": idempotency_key}
            )
        )
        return created.id

    def create_portal_session(
        self,
        *,
        customer_id: str,
        configuration_id: str,
        return_url: str,
        flow: Mapping[str, Any] | None = None,
    ) -> str:
        """The address of the customer's portal, good for minutes: made for each click. `flow` is
        Stripe's flow_data, for one task instead of the whole portal.
        Raises CustomerMissing, ConfigurationMissing, NotFound (what the flow is about),
        StripeUnavailable, StripeRefused."""
        params: dict[str, Any] = {
            "customer": customer_id,
            "configuration": configuration_id,
            "return_url": return_url,
        }
        if flow is not None:
            params["flow_data"] = dict(flow)
        about = {
            "customer": CustomerMissing(customer_id),
            "configuration": ConfigurationMissing(configuration_id),
        }
        created = translated(
            lambda: self._client.v1.billing_portal.sessions.create(
                cast(PortalSessionParams, params)
            ),
            about,
        )
        return created.url


def _made_by_it(mode: Mode, metadata: dict[str, str], trial_days: int) -> dict[str, Any]:
    """What the session tells the payment intent or the subscription that it makes."""
    if mode == "payment":
        return {"payment_intent_data": {"metadata": metadata}}
    data: dict[str, Any] = {"metadata": metadata}
    if trial_days:
        data["trial_period_days"] = trial_days
        data["trial_settings"] = {"end_behavior": {"missing_payment_method": "cancel"}}
    return {"subscription_data": data}
