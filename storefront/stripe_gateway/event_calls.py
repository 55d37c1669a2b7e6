"""Calls about events: Stripe keeps each for 30 days, and lists them."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from stripe import Event as StripeEvent
from stripe.params import EventListParams

from storefront.errors import BadInput
from storefront.stripe_gateway.calls import PAGE, Calls, translated
from storefront.stripe_gateway.facts import Event, parse_event

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EventPage:
    """A page of Stripe's list, the newest event first. `more` says that there are others in the
    direction that was asked for; `newest_id` and `oldest_id` ask for them (None: an empty page)."""

    events: tuple[Event, ...]
    more: bool
    newest_id: str | None
    oldest_id: str | None


class EventCalls(Calls):
    livemode: bool

    def list_events(
        self,
        types: Sequence[str],
        *,
        newer_than: str | None = None,
        older_than: str | None = None,
        created_from: datetime | None = None,
        undelivered: bool = False,
        limit: int = PAGE,
    ) -> EventPage:
        """Events of these types (at most 20): the newest, or those next to the event whose id is
        `newer_than` or `older_than`; `undelivered` ones alone have not been answered with a 2xx by
        every endpoint. What each says has the API version of its creation, not ours.
        Raises NotFound for an id that Stripe does not know, StripeUnavailable, StripeRefused."""
        params: EventListParams = {"types": list(types), "limit": limit}
        if newer_than is not None:
            params["ending_before"] = newer_than
        if older_than is not None:
            params["starting_after"] = older_than
        if created_from is not None:
            params["created"] = {"gte": int(created_from.timestamp())}
        if undelivered:
            params["delivery_success"] = False
        page = translated(lambda: self._client.v1.events.list(params))
        events = (self._readable(found) for found in page.data)
        ids: list[str | None] = [found.id for found in page.data] or [None]
        return EventPage(tuple(filter(None, events)), page.has_more, ids[0], ids[-1])

    def retrieve_event(self, event_id: str) -> Event:
        """One event of the last 30 days. Raises NotFound, StripeUnavailable, StripeRefused, and
        BadInput for one that cannot be read or is not of our mode."""
        found = translated(lambda: self._client.v1.events.retrieve(event_id))
        return self._of_our_mode(found)

    def _readable(self, found: StripeEvent) -> Event | None:
        """None for what the webhook would refuse as well: it must not hold up the others."""
        try:
            return self._of_our_mode(found)
        except BadInput as error:
            log.error("event %s of Stripe's list is left out: %s", found.id, error.detail)
            return None

    def _of_our_mode(self, found: StripeEvent) -> Event:
        event = parse_event(json.dumps(found.to_dict(for_json=True), indent=2))
        if event.livemode != self.livemode:
            raise BadInput("The event is of the other mode (live or test) than our keys.")
        return event
