"""How a customer's subscription stands, in plain words: a badge, a sentence, and what to do."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from storefront.subscriptions import Subscription
from storefront.web.pages import format_day

Tone = Literal["good", "quiet", "warn", "bad"]
Remedy = Literal["update_card", "manage"]


@dataclass(frozen=True)
class Standing:
    """`tone` decides the look. `remedy` is what would help, where something must be done: another
    card, or the portal's front page."""

    badge: str
    sentence: str
    tone: Tone
    remedy: Remedy | None = None

    @property
    def alarming(self) -> bool:
        return self.tone in ("warn", "bad") and self.remedy is not None


@dataclass(frozen=True)
class Facts:
    """What the words are made of. `price_text` is such as $49/month, None for a price that is not
    the catalogue's; `grace_until` is until when access lasts although a payment failed."""

    subscription: Subscription
    price_text: str | None
    grace_until: datetime | None
    now: datetime

    @property
    def ends(self) -> datetime | None:
        return self.subscription.ends_at


def of(facts: Facts) -> Standing:
    """The standing of a subscription, whatever its status. One that Stripe invents later than we
    know it is told as it is called."""
    say = _BY_STATUS.get(facts.subscription.status)
    if say is None:
        name = facts.subscription.status.replace("_", " ")
        return Standing(name.capitalize(), f"Stripe calls it {name}.", "quiet", "manage")
    return say(facts)


def _active(facts: Facts) -> Standing:
    if facts.ends is not None:
        day = format_day(facts.ends)
        return Standing("Ending", f"Canceled. You keep it until {day}; it does not renew.", "warn")
    price = f" for {facts.price_text}" if facts.price_text else ""
    renewal = format_day(facts.subscription.current_period_end)
    return Standing("Active", f"Renews on {renewal}{price}.", "good")


def _trialing(facts: Facts) -> Standing:
    end = format_day(facts.subscription.trial_end or facts.subscription.current_period_end)
    if facts.ends is not None:
        return Standing("Trial", f"Canceled. Your trial lasts until {end}.", "warn")
    price = f" it continues for {facts.price_text}" if facts.price_text else " it is paid for"
    return Standing("Trial", f"Your trial lasts until {end}; then{price}.", "good")


def _past_due(facts: Facts) -> Standing:
    if facts.grace_until is not None and facts.grace_until > facts.now:
        day = format_day(facts.grace_until)
        sentence = f"Your last payment failed. Update your card to keep your plan after {day}."
        return Standing("Payment failed", sentence, "warn", "update_card")
    sentence = "Your last payment failed, and your plan is switched off. Update your card."
    return Standing("Payment failed", sentence, "bad", "update_card")


def _unpaid(_facts: Facts) -> Standing:
    sentence = "Several payments failed, and your plan is switched off until the invoice is paid."
    return Standing("Unpaid", sentence, "bad", "update_card")


def _paused(_facts: Facts) -> Standing:
    sentence = "Your plan is paused: nothing is charged, and what it brings is switched off."
    return Standing("Paused", sentence, "warn", "manage")


def _incomplete(_facts: Facts) -> Standing:
    sentence = "The first payment has not gone through yet. Your plan starts when it has."
    return Standing("Not started", sentence, "warn", "manage")


def _canceled(facts: Facts) -> Standing:
    ended = facts.subscription.ended_at or facts.subscription.current_period_end
    return Standing(
        "Ended", f"It ended on {format_day(ended)}. You can come back any time.", "quiet"
    )


def _never_started(_facts: Facts) -> Standing:
    return Standing("Ended", "Its first payment never went through. Nothing was charged.", "quiet")


_BY_STATUS: dict[str, Callable[[Facts], Standing]] = {
    "active": _active,
    "trialing": _trialing,
    "past_due": _past_due,
    "unpaid": _unpaid,
    "paused": _paused,
    "incomplete": _incomplete,
    "canceled": _canceled,
    "incomplete_expired": _never_started,
}
