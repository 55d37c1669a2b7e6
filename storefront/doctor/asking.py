"""Asking the running shop over HTTP, as Stripe and browsers do."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

TIMEOUT_SECONDS = (5, 10)
MAXIMUM_ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """`body` is what the answer's JSON says; empty when it is no JSON object."""

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Any]


def get(url: str) -> Answer | str:
    """The answer, or why there is none."""
    return _ask("GET", url, None, {})


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer | str:
    """The answer, or why there is none."""
    return _ask("POST", url, body, headers)


def _ask(method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer | str:
    try:
        with requests.request(
            method,
            url,
            data=body,
            headers=dict(headers) | {"Accept": "application/json"},
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
            stream=True,
        ) as answer:
            text = answer.raw.read(MAXIMUM_ANSWER_BYTES, decode_content=True)
            return Answer(answer.status_code, answer.headers, _object(text))
    except requests.exceptions.SSLError:
        return f"{url} has no valid certificate"
    except requests.Timeout:
        return f"{url} does not answer in time"
    except (requests.RequestException, OSError):
        return f"nothing answers at {url}"


def _object(text: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
