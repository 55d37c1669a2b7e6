"""Reports to Sentry of what nobody expected: by setting only, and without what is private."""

from typing import Any

from storefront.errors import ConfigError
from storefront.observing import about
from storefront.observing.hiding import hidden

NOT_INSTALLED = (
    "SENTRY_DSN is set, and the package sentry-sdk is not installed. Unset it, or run: "
    "pip install -r requirements-sentry.txt"
)
KEPT_OF_A_REQUEST = ("method", "url")


def report_to(dsn: str, environment: str) -> None:
    """Send every error that this process logs to Sentry, tagged with what it is about. No customer,
    address, header, body, local variable or trail of earlier lines goes with it. Raises ConfigError
    when the package is not there."""
    try:
        import sentry_sdk  # optional, and nobody else's business
        from sentry_sdk.integrations.flask import FlaskIntegration
    except ImportError:
        raise ConfigError(NOT_INSTALLED) from None
    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_enabling_integrations=False,
        integrations=[FlaskIntegration()],
        before_send=_cleaned,
    )


def _cleaned(event: Any, _hint: Any) -> Any:
    """Ours for every text; and of the request what the log tells of it."""
    request = event.pop("request", {})
    event["request"] = {name: request[name] for name in KEPT_OF_A_REQUEST if name in request}
    event.pop("user", None)
    event.pop("server_name", None)
    event.setdefault("tags", {}).update({name: str(it) for name, it in about.known().items()})
    return _masked(event)


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return hidden(value)
    if isinstance(value, dict):
        return {name: _masked(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(each) for each in value]
    return value
