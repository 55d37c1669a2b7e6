"""Errors as Stripe words them: one exception, and builders for the common ones."""

from __future__ import annotations

from typing import Any

JSON = dict[str, Any]

INVALID_REQUEST = "invalid_request_error"
DOC_URL = "https://stripe.com/docs/error-codes/"


class ApiError(Exception):
    """A refusal that becomes Stripe's error object.

    `executed` says that the endpoint had begun its work: what it changed is kept and the
    answer is remembered for the idempotency key. Refused input changes and remembers nothing.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = INVALID_REQUEST,
        code: str | None = None,
        param: str | None = None,
        executed: bool = False,
        should_retry: bool | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.type = type
        self.code = code
        self.param = param
        self.executed = executed
        self.should_retry = should_retry
        self.extra = extra

    def to_dict(self, request_log_url: str) -> JSON:
        """Return the `{"error": {…}}` body; absent fields are left out as Stripe does."""
        error: JSON = {"message": self.message, "type": self.type}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = doc_url(self.code)
        if self.param:
            error["param"] = self.param
        error.update({name: value for name, value in self.extra.items() if value is not None})
        error["request_log_url"] = request_log_url
        return {"error": error}


def doc_url(code: str) -> str:
    """Return the page on which Stripe explains an error code."""
    return DOC_URL + code.replace("_", "-")


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """Return a 400 for input that was refused before anything happened."""
    return ApiError(400, message, code=code, param=param)


def not_found(type: str, id: str, param: str = "id") -> ApiError:
    """Return the 404 for an object named in the URL."""
    return ApiError(404, _no_such(type, id), code="resource_missing", param=param)


def no_such_reference(type: str, id: str, param: str) -> ApiError:
    """Return the 400 for an object named in a parameter (Stripe answers 400 there, not 404)."""
    return ApiError(400, _no_such(type, id), code="resource_missing", param=param)


def _no_such(type: str, id: str) -> str:
    names = {"payment_method": "PaymentMethod", "webhook_endpoint": "webhook endpoint"}
    return f"No such {names.get(type, type)}: '{id}'"
