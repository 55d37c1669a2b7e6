"""Sales and refunds told to Google Analytics 4 from the server, by the Measurement Protocol
(developers.google.com/analytics/devguides/collection/protocol/ga4/reference).

Google answers 2xx whenever it has received something, even if it then throws it away, so that a
wrong id or secret shows in its reports alone. The same sale may be told twice when a worker dies
between telling and writing that down: Google counts purchases with one transaction id from one
client once (support.google.com/analytics/answer/12313109).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import requests

from storefront.config import Config
from storefront.money import minor_units

TIMEOUT_SECONDS = (5, 15)
"""For the connection, and for each wait for the answer."""

BACKDATED_AT_MOST = timedelta(hours=71)
"""Google takes a time of the last 72 hours; for what is older, the time of the report counts."""

Event = Literal["purchase", "refund"]


class NotReported(Exception):
    """Google did not take the report; another try may help."""


@dataclass(frozen=True)
class Item:
    """What was sold: `price` in minor units, for one of `quantity`."""

    id: str
    name: str
    price: int
    quantity: int


@dataclass(frozen=True)
class Sale:
    """What was paid, or given back: `amount` in minor units of `currency`, `happened_at` UTC. `id`
    names the sale also in reports of its refunds, and says nothing of the customer."""

    id: str
    amount: int
    currency: str
    happened_at: datetime
    items: tuple[Item, ...] = ()


def configured(config: Config) -> bool:
    """Whether the operator wants sales reported: both settings are there."""
    return config.ga4_measurement_id is not None and config.ga4_api_secret is not None


def report(config: Config, event: Event, client_id: str, sale: Sale, now: datetime) -> None:
    """Tell Google, under the client's random name. Only for a customer who has consented, and only
    where it is configured. Raises NotReported unless Google received it; the text of no error
    holds the URL, because that holds the secret."""
    assert configured(config)
    try:
        with requests.post(
            f"{config.ga4_endpoint}/mp/collect",
            params={
                "measurement_id": config.ga4_measurement_id,
                "api_secret": config.ga4_api_secret,
            },
            json=_payload(event, client_id, sale, now),
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
            stream=True,  # the answer's body is of no interest
        ) as answer:
            status = answer.status_code
    except requests.RequestException as error:
        kind = type(error).__name__
        raise NotReported(f"Google Analytics did not answer ({kind}).") from None
    if not 200 <= status < 300:
        raise NotReported(f"Google Analytics answered with the status {status}.")


def _payload(event: Event, client_id: str, sale: Sale, now: datetime) -> dict[str, Any]:
    """Consent to statistics is none to advertising; the flag says so in the older way."""
    payload: dict[str, Any] = {
        "client_id": client_id,
        "non_personalized_ads": True,
        "consent": {"ad_user_data": "DENIED", "ad_personalization": "DENIED"},
        "events": [{"name": event, "params": _params(sale)}],
    }
    if now - sale.happened_at < BACKDATED_AT_MOST:
        payload["timestamp_micros"] = _micros(sale.happened_at)
    return payload


def _params(sale: Sale) -> dict[str, Any]:
    params: dict[str, Any] = {
        "transaction_id": sale.id,
        "value": in_units(sale.amount, sale.currency),
        "currency": sale.currency.upper(),
    }
    if sale.items:
        params["items"] = [
            {
                "item_id": item.id,
                "item_name": item.name,
                "price": in_units(item.price, sale.currency),
                "quantity": item.quantity,
            }
            for item in sale.items
        ]
    return params


def in_units(amount: int, currency: str) -> float:
    """Minor units as the number that Google expects: 1999 is 19.99. Python writes a float with the
    fewest digits that tell it from its neighbours, which for an amount of money are its own."""
    return float(Decimal(amount) / minor_units(currency))


def _micros(moment: datetime) -> int:
    """Microseconds since 1970, in whole numbers all the way."""
    return (moment - datetime.fromtimestamp(0, moment.tzinfo)) // timedelta(microseconds=1)
