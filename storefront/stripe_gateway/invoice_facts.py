"""Invoices and their lines, in the shapes since basil: what an invoice or a line belongs to stands
in its `parent`, a line's price in `pricing`, what paid an invoice in `payments`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storefront.stripe_gateway import reading
from storefront.stripe_gateway.reading import mapping, reference, short_text


@dataclass(frozen=True)
class InvoiceLine:
    """One line. `amount` is in minor units before discounts, negative when it gives money back for
    unused time; `proration` says that it is for a part of a period, or such a return."""

    id: str
    amount: int
    price_id: str | None
    subscription_id: str | None
    proration: bool
    quantity: int
    period_start: datetime
    period_end: datetime

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "InvoiceLine":
        """Raises Unprocessable when the JSON is not a usable invoice line."""
        reading.check_object(data, "line_item")
        parent, period = mapping(data.get("parent")), mapping(data.get("period"))
        of_item = mapping(parent.get("subscription_item_details"))
        details = of_item or mapping(parent.get("invoice_item_details"))
        price_details = mapping(mapping(data.get("pricing")).get("price_details"))
        return cls(
            id=reading.text(data, "id"),
            amount=reading.signed(data, "amount"),
            price_id=reference(price_details.get("price")),
            subscription_id=reference(details.get("subscription")),
            proration=reading.flag(details, "proration"),
            quantity=reading.quantity(data),
            period_start=reading.moment(period, "start"),
            period_end=reading.moment(period, "end"),
        )


@dataclass(frozen=True)
class InvoiceFacts:
    """An invoice with all its lines. `total` may be negative; `intent_id` is the payment intent
    that paid it, or is to pay it, where `payments` was expanded."""

    id: str
    number: str | None
    customer_id: str
    subscription_id: str | None
    status: str
    billing_reason: str | None
    currency: str
    total: int
    amount_due: int
    amount_paid: int
    attempt_count: int
    next_payment_attempt: datetime | None
    hosted_invoice_url: str | None
    invoice_pdf: str | None
    created: datetime
    paid_at: datetime | None
    intent_id: str | None
    lines: tuple[InvoiceLine, ...]

    @classmethod
    def from_dict(
        cls, data: Mapping[str, Any], lines: Sequence[Mapping[str, Any]] | None = None
    ) -> "InvoiceFacts":
        """`lines` are all of them, where the invoice itself shows only the first ones.
        Raises Unprocessable when the JSON is not a usable invoice."""
        reading.check_object(data, "invoice")
        parent = mapping(mapping(data.get("parent")).get("subscription_details"))
        given = reading.items(data, "lines") if lines is None else lines
        return cls(
            id=reading.text(data, "id"),
            number=short_text(data.get("number")),
            customer_id=reading.named(data, "customer"),
            subscription_id=reference(parent.get("subscription")),
            status=reading.text(data, "status"),
            billing_reason=short_text(data.get("billing_reason")),
            currency=reading.text(data, "currency"),
            total=reading.signed(data, "total"),
            amount_due=reading.signed(data, "amount_due"),
            amount_paid=reading.whole(data, "amount_paid"),
            attempt_count=reading.whole(data, "attempt_count", 0),
            next_payment_attempt=reading.moment_or_none(data, "next_payment_attempt"),
            hosted_invoice_url=reading.link(data.get("hosted_invoice_url")),
            invoice_pdf=reading.link(data.get("invoice_pdf")),
            created=reading.moment(data, "created"),
            paid_at=reading.moment_or_none(mapping(data.get("status_transitions")), "paid_at"),
            intent_id=_intent_id(reading.items(data, "payments")),
            lines=tuple(InvoiceLine.from_dict(line) for line in given),
        )


def has_more_lines(invoice: Mapping[str, Any]) -> bool:
    """True when Stripe shows only the first lines of an invoice."""
    return mapping(invoice.get("lines")).get("has_more") is True


def _intent_id(payments: list[Mapping[str, Any]]) -> str | None:
    """The intent that paid; before that, the one that is to pay."""
    for status in ("paid", "open"):
        for each in payments:
            intent = reference(mapping(each.get("payment")).get("payment_intent"))
            if each.get("status") == status and intent:
                return intent
    return None
