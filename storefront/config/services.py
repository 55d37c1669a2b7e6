"""The services around the shop: where it is reached, its database, its mail, its analytics."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from storefront.config.values import url
from storefront.errors import ConfigError


def app_url(settings: Mapping[str, str], env: str) -> str:
    if "APP_URL" not in settings and env == "production":
        raise ConfigError("APP_URL is not set; production needs it, such as https://shop.example.")
    port = settings.get("PORT", "8000")
    value = url(settings, "APP_URL", f"http://localhost:{port}")
    if env == "production" and not value.startswith("https://"):
        raise ConfigError(f"APP_URL is {value!r}; production needs https:// in front.")
    return value


def database_url(settings: Mapping[str, str], instance: Path) -> str:
    value = settings.get("DATABASE_URL", f"sqlite:///{instance}/storefront.sqlite3").strip()
    if value.startswith("postgres://"):
        value = "postgresql://" + value.removeprefix("postgres://")
    if value.startswith(("postgresql://", "postgresql+psycopg://")):
        return value
    if not value.startswith("sqlite:///"):
        raise ConfigError(
            "DATABASE_URL must begin with postgresql:// or sqlite:/// (a file), "
            "such as postgresql://user:password@host/shop."
        )
    _check_sqlite_path(value.removeprefix("sqlite:///").split("?")[0])
    return value


def _check_sqlite_path(name: str) -> None:
    path = Path(name)
    if not path.is_absolute():
        raise ConfigError(
            f"DATABASE_URL names the relative file {name!r}; "
            "write the whole path: sqlite:////folder/shop.sqlite3 (four slashes)."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writable = os.access(path if path.exists() else path.parent, os.W_OK) and not path.is_dir()
    except OSError:
        writable = False
    if not writable:
        raise ConfigError(
            f"DATABASE_URL names {name!r}, which cannot be written to; "
            "give a file in a folder of ours."
        )


def mail_url(settings: Mapping[str, str]) -> str | None:
    """The server that takes our mail. The message never repeats the URL: it holds a password."""
    value = settings.get("MAIL_URL")
    if value is None:
        return None
    wanted = (
        "MAIL_URL must be smtp://user:password@host:587 (which switches to TLS), "
        "or smtps://user:password@host:465; special characters percent-encoded"
    )
    try:
        parts = urlsplit(value.strip())
        port = parts.port
    except ValueError:
        raise ConfigError(f"{wanted}.") from None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or port == 0:
        raise ConfigError(f"{wanted}.")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ConfigError(f"{wanted}, and nothing behind the port.")
    if bool(parts.username) != bool(parts.password):
        raise ConfigError(f"{wanted}: a user name and a password, or neither.")
    return value.strip()


def mail_from(settings: Mapping[str, str]) -> str:
    """The address that mail comes from; the name beside it is PROJECT_NAME."""
    host = urlsplit(settings.get("APP_URL", "http://localhost")).hostname or "localhost"
    value = settings.get("MAIL_FROM", f"no-reply@{host}").strip()
    if not re.fullmatch(r"[^@\s<>,;:\"()\\[\]]+@[A-Za-z0-9.\[\]:-]+", value):
        raise ConfigError(
            f"MAIL_FROM is {value!r}; it must be an address, such as shop@example.com."
        )
    return value


def ga4(settings: Mapping[str, str]) -> tuple[str, str] | tuple[None, None]:
    """The measurement id and the API secret, or neither. The message never repeats the secret."""
    id, secret = (
        settings.get(name, "").strip() for name in ("GA4_MEASUREMENT_ID", "GA4_API_SECRET")
    )
    if not id and not secret:
        return None, None
    if not id or not secret:
        missing = "GA4_API_SECRET" if id else "GA4_MEASUREMENT_ID"
        raise ConfigError(f"{missing} is not set; purchases are reported with both, or not at all.")
    if not re.fullmatch(r"G-[A-Z0-9]{4,20}", id):
        raise ConfigError(f"GA4_MEASUREMENT_ID is {id!r}; it must be one such as G-ABC1234567.")
    if not re.fullmatch(r"[A-Za-z0-9_-]{8,100}", secret):
        raise ConfigError("GA4_API_SECRET must be letters, digits, - and _, as Google shows it.")
    return id, secret
