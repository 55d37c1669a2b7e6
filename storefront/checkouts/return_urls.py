"""The two addresses that Stripe sends a customer back to, built from configured paths."""

from dataclasses import dataclass
from urllib.parse import urlencode

SESSION_ID = "session_id={CHECKOUT_SESSION_ID}"
"""Stripe replaces the braces, and does so only where they are not percent-encoded
(docs.stripe.com/payments/checkout/custom-success-page)."""


@dataclass(frozen=True)
class ReturnUrls:
    success: str
    cancel: str


def return_urls(
    app_url: str, success_path: str, cancel_path: str, choice: dict[str, str]
) -> ReturnUrls:
    """Whole URLs. The paths may have a query already: what stands in it stays as it is written,
    except that the session's id and the choice are ours to give. A path that names a
    `checkout_status` of its own keeps it. `choice` goes to the cancel page, which shows it again.
    """
    success = _extended(success_path, {"checkout_status": "success"}, {"session_id"})
    cancel = _extended(cancel_path, {"checkout_status": "canceled"}, set(choice))
    return ReturnUrls(
        success=app_url + _joined(success, SESSION_ID),
        cancel=app_url + _joined(cancel, urlencode(choice)),
    )


def _extended(path: str, default: dict[str, str], ours: set[str]) -> str:
    """The path without parameters that are ours to give, with the default where there is none."""
    path, _, query = path.partition("?")
    kept = [it for it in query.split("&") if it and _name(it) not in ours]
    names = {_name(it) for it in kept}
    kept += [f"{name}={value}" for name, value in default.items() if name not in names]
    return f"{path}?{'&'.join(kept)}"


def _joined(url: str, parameters: str) -> str:
    return f"{url}&{parameters}" if parameters else url


def _name(parameter: str) -> str:
    return parameter.partition("=")[0]
