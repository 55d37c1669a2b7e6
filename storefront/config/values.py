"""Reading one setting: a choice, a number, an address; or one line that says what is right."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from storefront.errors import ConfigError


def choice(settings: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = settings.get(name, default)
    if value not in allowed:
        raise ConfigError(f"{name} is {value!r}; it must be one of: {', '.join(allowed)}.")
    return value


def flag(settings: Mapping[str, str], name: str) -> bool:
    """yes or no; no if it is not set."""
    return choice(settings, name, "no", ("yes", "no")) == "yes"


def integer(
    settings: Mapping[str, str],
    name: str,
    default: int,
    *,
    minimum: int,
    maximum: int | None = None,
) -> int:
    value = settings.get(name, str(default)).strip()
    number = int(value) if re.fullmatch(r"[0-9]{1,9}", value, re.ASCII) else -1
    if number < minimum or (maximum is not None and number > maximum):
        upwards = "up" if maximum is None else f"to {maximum}"
        raise ConfigError(
            f"{name} is {value!r}; it must be a whole number from {minimum} {upwards}."
        )
    return number


def url(settings: Mapping[str, str], name: str, default: str, *, bare: bool = True) -> str:
    """An absolute http(s) URL; `bare` ones have neither path nor query and lose a last slash."""
    value = settings.get(name, default).strip()
    wanted = f"{name} is {value!r}; it must be a full URL such as {default}"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"{wanted} ({error}).") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ConfigError(f"{wanted}, with http:// or https:// in front.")
    if parts.username or parts.password or parts.fragment:
        raise ConfigError(f"{name} must hold neither a user name nor a fragment.")
    if bare and (parts.path.strip("/") or parts.query):
        raise ConfigError(f"{wanted}, without a path behind the host.")
    return value.rstrip("/") if bare else value


def optional_url(settings: Mapping[str, str], name: str, example: str) -> str | None:
    """A full URL, or None when it is not set."""
    return url(settings, name, example, bare=False) if name in settings else None


def path(settings: Mapping[str, str], name: str, default: str, *, query: bool = True) -> str:
    value = settings.get(name, default)
    if not re.fullmatch(r"/(?![/\\])[\x21-\x7e]*", value) or "#" in value or "\\" in value:
        raise ConfigError(f"{name} is {value!r}; it must be a path of this shop, such as {default}")
    if not query and ("?" in value or "<" in value):
        raise ConfigError(f"{name} is {value!r}; it must be a plain path, such as {default}")
    return value
