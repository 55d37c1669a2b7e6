"""Calls about the account itself, and about what it has one of for the whole shop: the webhook
endpoint and the portal's configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any

from storefront.errors import NotFound
from storefront.stripe_gateway import reading
from storefront.stripe_gateway.calls import PAGE, Calls, all_pages, translated


@dataclass(frozen=True)
class AccountFacts:
    """The account of the configured key. `answered_at` is Stripe's time of the answer (UTC, whole
    seconds), None where a stand-in does not tell it."""

    id: str
    charges_enabled: bool
    payouts_enabled: bool
    details_submitted: bool
    answered_at: datetime | None


@dataclass(frozen=True)
class EndpointFacts:
    """A webhook endpoint. `secret` is in the answer to its creation and in no other."""

    id: str
    url: str
    enabled: bool
    events: tuple[str, ...]
    api_version: str | None
    metadata: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    secret: str | None = field(default=None, repr=False)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "EndpointFacts":
        """Raises Unprocessable when it is not a usable webhook endpoint."""
        reading.check_object(data, "webhook_endpoint")
        return cls(
            id=reading.text(data, "id"),
            url=reading.text(data, "url"),
            enabled=reading.text(data, "status") == "enabled",
            events=tuple(map(str, data.get("enabled_events") or ())),
            api_version=reading.short_text(data.get("api_version")),
            metadata=dict(reading.mapping(data.get("metadata"))),
            secret=reading.short_text(data.get("secret")),
        )


class AccountCalls(Calls):
    def account(self) -> AccountFacts:
        """Raises StripeUnavailable, StripeRefused (a wrong key), Unprocessable."""
        found = translated(lambda: self._client.v1.accounts.retrieve_current())
        data, response = found.to_dict(), found.last_response
        return AccountFacts(
            id=reading.text(data, "id"),
            charges_enabled=reading.flag(data, "charges_enabled"),
            payouts_enabled=reading.flag(data, "payouts_enabled"),
            details_submitted=reading.flag(data, "details_submitted"),
            answered_at=_date(response.headers) if response else None,
        )

    def webhook_endpoints(self) -> list[EndpointFacts]:
        """All of the account's (Stripe allows 16), the newest first.
        Raises StripeUnavailable, StripeRefused, Unprocessable."""
        found = all_pages(lambda: self._client.v1.webhook_endpoints.list({"limit": PAGE}))
        return [EndpointFacts.from_dict(each) for each in found]

    def create_webhook_endpoint(
        self,
        url: str,
        events: Sequence[str],
        *,
        api_version: str,
        metadata: Mapping[str, str],
        idempotency_key: str,
    ) -> EndpointFacts:
        """The new endpoint, with its secret; it gets what happens from now on.
        Raises StripeUnavailable, StripeRefused (an address that Stripe cannot reach)."""
        params: Any = {
            "url": url,
            "enabled_events": list(events),
            "api_version": api_version,
            "metadata": dict(metadata),
        }
        options: Any = {"idempotency_key": idempotency_key}
        made = translated(lambda: self._client.v1.webhook_endpoints.create(params, options))
        return EndpointFacts.from_dict(made.to_dict())

    def change_webhook_endpoint(
        self,
        endpoint_id: str,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Change what is given; with a URL the endpoint is switched on, too. Its API version and
        its secret stay. Raises NotFound, StripeUnavailable, StripeRefused."""
        params: Any = {}
        if url is not None:
            params |= {"url": url, "disabled": False}
        if events is not None:
            params["enabled_events"] = list(events)
        if metadata is not None:
            params["metadata"] = dict(metadata)
        translated(lambda: self._client.v1.webhook_endpoints.update(endpoint_id, params))

    def delete_webhook_endpoint(self, endpoint_id: str) -> None:
        """One that is gone already is no error. Raises StripeUnavailable, StripeRefused."""
        try:
            translated(lambda: self._client.v1.webhook_endpoints.delete(endpoint_id))
        except NotFound:
            return

    def portal_configurations(self) -> list[dict[str, Any]]:
        """Those that can be used, as Stripe's JSON. Raises StripeUnavailable, StripeRefused."""
        asked: Any = {"active": True, "limit": PAGE}
        return all_pages(lambda: self._client.v1.billing_portal.configurations.list(asked))

    def change_portal_configuration(
        self, configuration_id: str, content: Mapping[str, Any]
    ) -> None:
        """Put this content there, in Stripe's words; {"active": False} switches it off.
        Raises NotFound, StripeUnavailable, StripeRefused."""
        params: Any = dict(content)
        configurations = self._client.v1.billing_portal.configurations
        translated(lambda: configurations.update(configuration_id, params))


def _date(headers: Mapping[str, str]) -> datetime | None:
    given = {name.lower(): value for name, value in headers.items()}.get("date")
    try:
        return parsedate_to_datetime(given) if given else None
    except ValueError:
        return None
