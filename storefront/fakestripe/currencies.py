"""Currencies: which there are, how many decimals they have, and Stripe's smallest charge."""

from __future__ import annotations

from .errors import ApiError, invalid


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ZERO_DECIMAL = _words("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf")
THREE_DECIMAL = _words("bhd jod kwd omr tnd")
TWO_DECIMAL = _words(
    "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd"
    " cad cdf chf cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd"
    " hnl htg huf idr ils inr isk jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt"
    " mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub"
    " sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah uyu uzs wst xcd"
    " yer zar zmw"
)
ALL = ZERO_DECIMAL | THREE_DECIMAL | TWO_DECIMAL

# Smallest charge in minor units (Stripe's published table); elsewhere the equivalent of $0.50,
# for which a stand-in without exchange rates takes one minor unit.
MINIMUM = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500,
    "dkk": 250, "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50,
    "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50, "pln": 200, "ron": 200, "sek": 300,
    "sgd": 50, "thb": 1000,
}  # fmt: skip
MAXIMUM = 99_999_999  # eight digits


def checked_currency(currency: str) -> str:
    """Return the currency in lower case, or raise Stripe's error for an unknown one."""
    code = currency.lower()
    if code not in ALL:
        raise invalid(
            f"Invalid currency: {code}. Stripe currently supports these currencies:"
            f" {', '.join(sorted(ALL))}",
            "currency",
        )
    return code


def check_amount(amount: int, currency: str) -> None:
    """Raise Stripe's error for an amount (minor units) that cannot be charged."""
    if amount < 1:
        raise invalid(
            "This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer"
        )
    least = MINIMUM.get(currency, 1)
    if amount < least:
        raise ApiError(
            400,
            f"Amount must be at least {shown(least, currency)}",
            code="amount_too_small",
            param="amount",
        )
    if amount > MAXIMUM:
        raise ApiError(
            400,
            f"Amount must be no more than {shown(MAXIMUM, currency)}",
            code="amount_too_large",
            param="amount",
        )


def shown(amount: int, currency: str) -> str:
    """Return an amount for people: `$0.50 usd`, `¥50 jpy`, `1.500 kwd`."""
    sign = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}.get(currency, "")
    digits = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    whole, rest = divmod(amount, 10**digits)
    number = f"{whole:,}.{rest:0{digits}d}" if digits else f"{whole:,}"
    return f"{sign}{number} {currency}"
