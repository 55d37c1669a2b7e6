"""How a test payment method behaves when it is charged."""

from __future__ import annotations

from dataclasses import dataclass

# How long "after three minutes" and "soon" take, in seconds of the stand-in's clock.
LATE_SECONDS = 180
SOON_SECONDS = 2

# When the card's bank asks for 3-D Secure.
NEVER = "never"
ALWAYS = "always"  # on each payment; off-session payments are declined for it
UNLESS_SET_UP = "unless_set_up"  # off-session payments pass once the card was set up
SET_UP = "set_up"  # as if set up already: only on-session payments are challenged


@dataclass(frozen=True)
class Decline:
    """Why a charge is refused, as it stands in Stripe's card error."""

    code: str
    message: str
    decline_code: str | None = None
    advice: str | None = None  # what the issuer says about trying again
    blocked: bool = False  # refused by Radar, before the bank was asked


@dataclass(frozen=True)
class Settlement:
    """A payment that is `processing` first. `seconds` None means that it stays so."""

    seconds: int | None
    decline: Decline | None = None


@dataclass(frozen=True)
class Behaviour:
    """What happens to a charge; the default is that it succeeds at once.

    `aftermath` names what follows a success by itself: a dispute, a fraud warning, or how its
    refunds end.
    """

    decline: Decline | None = None
    authentication: str = NEVER
    after_authentication: Decline | None = None
    lookup_fails: Decline | None = None
    settlement: Settlement | None = None
    attaches: bool = True  # can be saved to a customer although charges are declined
    aftermath: str | None = None


def declined(decline_code: str, message: str = "Your card was declined.") -> Decline:
    """Return a `card_declined` with the bank's reason."""
    advice = "do_not_try_again" if decline_code in _FINAL else "try_again_later"
    return Decline("card_declined", message, decline_code, advice)


_FINAL = ("lost_card", "stolen_card", "fraudulent", "test_mode_live_card")

AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    "authentication_required",
)
LIVE_CARD_IN_TEST_MODE = declined(
    "test_mode_live_card",
    "Your card was declined. Your request was in test mode, but used a non test (live) card. For"
    " a list of valid test cards, visit: https://stripe.com/docs/testing.",
)
