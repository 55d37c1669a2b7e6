"""Money that flows back, as Stripe's JSON tells of it: refunds, disputes, early fraud warnings, and
the charge that was refunded. Amounts in minor units, times in UTC. Each from_dict raises
Unprocessable when the JSON is not a usable object of its kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storefront.stripe_gateway import reading
from storefront.stripe_gateway.reading import mapping, reference, short_text


@dataclass(frozen=True)
class RefundFacts:
    """A refund. `intent_id` is of the payment it is of; `customer_id` may be absent."""

    id: str
    status: str
    amount: int
    currency: str
    intent_id: str | None
    customer_id: str | None
    reason: str | None
    failure_reason: str | None
    created: datetime

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "RefundFacts":
        """A refund without a status, which the API allows, is on its way."""
        reading.check_object(data, "refund")
        return cls(
            id=reading.text(data, "id"),
            status=short_text(data.get("status")) or "pending",
            amount=reading.whole(data, "amount"),
            currency=reading.text(data, "currency"),
            intent_id=reference(data.get("payment_intent")),
            customer_id=reference(data.get("customer")),
            reason=short_text(data.get("reason")),
            failure_reason=short_text(data.get("failure_reason")),
            created=reading.moment(data, "created"),
        )


@dataclass(frozen=True)
class DisputeFacts:
    """A dispute. `withdrawn` and `reinstated` are what its balance transactions moved, 0 where
    there is no such movement; in another currency than the dispute's they say only that there is
    one, and the whole amount stands for it."""

    id: str
    status: str
    amount: int
    currency: str
    intent_id: str | None
    reason: str | None
    due_by: datetime | None
    withdrawn: int
    reinstated: int
    created: datetime

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "DisputeFacts":
        reading.check_object(data, "dispute")
        amount, currency = reading.whole(data, "amount"), reading.text(data, "currency")
        moved = _moved(data, currency, amount)
        return cls(
            id=reading.text(data, "id"),
            status=reading.text(data, "status"),
            amount=amount,
            currency=currency,
            intent_id=reference(data.get("payment_intent")),
            reason=short_text(data.get("reason")),
            due_by=reading.moment_or_none(mapping(data.get("evidence_details")), "due_by"),
            withdrawn=-sum(each for each in moved if each < 0),
            reinstated=sum(each for each in moved if each > 0),
            created=reading.moment(data, "created"),
        )


@dataclass(frozen=True)
class FraudWarningFacts:
    """A card issuer's early warning that a payment may be fraud. `actionable` until the payment is
    refunded in full or disputed."""

    id: str
    intent_id: str | None
    charge_id: str
    fraud_type: str
    actionable: bool
    created: datetime

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "FraudWarningFacts":
        reading.check_object(data, "radar.early_fraud_warning")
        return cls(
            id=reading.text(data, "id"),
            intent_id=reference(data.get("payment_intent")),
            charge_id=reading.named(data, "charge"),
            fraud_type=reading.text(data, "fraud_type"),
            actionable=reading.flag(data, "actionable"),
            created=reading.moment(data, "created"),
        )


@dataclass(frozen=True)
class ChargeFacts:
    """A charge, for how much of it was refunded so far."""

    id: str
    intent_id: str | None
    customer_id: str | None
    amount_refunded: int

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "ChargeFacts":
        reading.check_object(data, "charge")
        return cls(
            id=reading.text(data, "id"),
            intent_id=reference(data.get("payment_intent")),
            customer_id=reference(data.get("customer")),
            amount_refunded=reading.whole(data, "amount_refunded", 0),
        )


def _moved(dispute: Mapping[str, Any], currency: str, amount: int) -> list[int]:
    """What each balance transaction of a dispute moved. One in the account's own currency, at the
    rate of its day, is counted as the whole amount."""
    found = dispute.get("balance_transactions")
    listed = [mapping(each) for each in found] if isinstance(found, list) else []
    moved = []
    for each in listed:
        credited = reading.signed(each, "amount", 0)
        if each.get("currency") != currency and credited:
            credited = amount if credited > 0 else -amount
        moved.append(credited)
    return moved
