"""Settings: the environment becomes one frozen Config, or start-up stops with one line.

`.env` and then `.env.local` are read from the project folder; what the environment already says
wins over both. With no Stripe key anywhere, the settings that `bin/run` wrote for fakestripe
(`fakestripe.env` in the instance folder) are used, except in production.
"""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from storefront.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ("development", "production")
STRIPE_API_BASE = "https://api.stripe.com"
STRIPE_JS_URL = "https://js.stripe.com/endive/stripe.js"
FAKESTRIPE_ENV_FILE = "fakestripe.env"
MINIMUM_SECRET_KEY_LENGTH = 32


@dataclass(frozen=True)
class Config:
    """All settings, validated. Secrets are left out of repr() so that no log shows them."""

    env: str
    app_url: str
    database_url: str = field(repr=False)
    instance: Path
    catalog_path: Path
    project_name: str
    secret_key: str = field(repr=False)
    stripe_secret_key: str = field(repr=False)
    stripe_publishable_key: str
    stripe_webhook_secrets: tuple[str, ...] = field(repr=False)
    stripe_api_base: str
    stripe_js_url: str
    webhook_path: str
    checkout_success_path: str
    checkout_cancel_path: str
    portal_return_path: str
    low_balance_credits: int
    trusted_proxies: int
    registrations_per_hour: int
    mail_url: str | None = field(repr=False)
    mail_from: str

    @property
    def production(self) -> bool:
        return self.env == "production"

    @property
    def livemode(self) -> bool:
        """True when the secret key moves real money."""
        return "_live_" in self.stripe_secret_key

    @property
    def stand_in(self) -> bool:
        """True when a stand-in answers instead of Stripe, so that no money can move."""
        return self.stripe_api_base != STRIPE_API_BASE

    @property
    def https(self) -> bool:
        return self.app_url.startswith("https://")

    @property
    def host(self) -> str:
        return urlsplit(self.app_url).hostname or ""

    @property
    def sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")


def load(environ: Mapping[str, str] | None = None, root: Path = ROOT) -> Config:
    """Read and check the settings. Raises ConfigError: one line, the setting, what is right."""
    settings = read_files(dict(os.environ if environ is None else environ), root)
    env = _choice(settings, "STOREFRONT_ENV", "development", ENVIRONMENTS)
    instance = instance_folder(settings, root)
    secret_key, publishable_key = _stripe_keys(settings)
    api_base = _url(settings, "STRIPE_API_BASE", STRIPE_API_BASE)
    _check_api_base(secret_key, api_base, env)
    return Config(
        env=env,
        app_url=_app_url(settings, env),
        database_url=_database_url(settings, instance),
        instance=instance,
        catalog_path=(root / settings.get("CATALOG_PATH", "catalog.toml")).resolve(),
        project_name=settings.get("PROJECT_NAME", "Storefront"),
        secret_key=_secret_key(settings, env, instance),
        stripe_secret_key=secret_key,
        stripe_publishable_key=publishable_key,
        stripe_webhook_secrets=_webhook_secrets(settings),
        stripe_api_base=api_base,
        stripe_js_url=_url(settings, "STRIPE_JS_URL", STRIPE_JS_URL, bare=False),
        webhook_path=_path(settings, "STRIPE_WEBHOOK_PATH", "/stripe/webhook", query=False),
        checkout_success_path=_path(
            settings, "CHECKOUT_SUCCESS_PATH", "/billing?checkout_status=success"
        ),
        checkout_cancel_path=_path(
            settings, "CHECKOUT_CANCEL_PATH", "/billing?checkout_status=canceled"
        ),
        portal_return_path=_path(settings, "CUSTOMER_PORTAL_RETURN_PATH", "/billing"),
        low_balance_credits=_integer(settings, "LOW_BALANCE_CREDITS", 100, minimum=0),
        trusted_proxies=_integer(settings, "TRUSTED_PROXIES", 0, minimum=0),
        registrations_per_hour=_integer(settings, "REGISTRATIONS_PER_HOUR", 60, minimum=1),
        mail_url=_mail_url(settings),
        mail_from=_mail_from(settings),
    )


def read_files(environ: dict[str, str], root: Path) -> dict[str, str]:
    """Merge `.env`, `.env.local` and the environment; empty values count as not set."""
    file = _non_empty(dotenv_values(root / ".env", interpolate=False))
    local = _non_empty(dotenv_values(root / ".env.local", interpolate=False))
    # The flask command puts .env into the environment by itself; that does not count as set.
    given = {name: value for name, value in _non_empty(environ).items() if file.get(name) != value}
    merged = file | local | given
    if "STRIPE_SECRET_KEY" in merged or merged.get("STOREFRONT_ENV") == "production":
        return merged
    made = instance_folder(merged, root) / FAKESTRIPE_ENV_FILE
    return _non_empty(dotenv_values(made, interpolate=False)) | merged


def instance_folder(settings: Mapping[str, str], root: Path = ROOT) -> Path:
    """Where this copy of the shop keeps its SQLite files and what it made for itself."""
    return (root / settings.get("STOREFRONT_INSTANCE", "instance")).resolve()


def _non_empty(values: Mapping[str, str | None]) -> dict[str, str]:
    """Drop unset and empty values; blanks are kept: a blank secret must be refused, not missed."""
    return {name: value for name, value in values.items() if value}


def _choice(settings: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = settings.get(name, default)
    if value not in allowed:
        raise ConfigError(f"{name} is {value!r}; it must be one of: {', '.join(allowed)}.")
    return value


def _integer(settings: Mapping[str, str], name: str, default: int, *, minimum: int) -> int:
    value = settings.get(name, str(default)).strip()
    if not re.fullmatch(r"[0-9]{1,9}", value, re.ASCII) or int(value) < minimum:
        raise ConfigError(f"{name} is {value!r}; it must be a whole number from {minimum} up.")
    return int(value)


def _url(settings: Mapping[str, str], name: str, default: str, *, bare: bool = True) -> str:
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


def _app_url(settings: Mapping[str, str], env: str) -> str:
    if "APP_URL" not in settings and env == "production":
        raise ConfigError("APP_URL is not set; production needs it, such as https://shop.example.")
    port = settings.get("PORT", "8000")
    url = _url(settings, "APP_URL", f"http://localhost:{port}")
    if env == "production" and not url.startswith("https://"):
        raise ConfigError(f"APP_URL is {url!r}; production needs https:// in front.")
    return url


def _path(settings: Mapping[str, str], name: str, default: str, *, query: bool = True) -> str:
    value = settings.get(name, default)
    if not re.fullmatch(r"/(?![/\\])[\x21-\x7e]*", value) or "#" in value or "\\" in value:
        raise ConfigError(f"{name} is {value!r}; it must be a path of this shop, such as {default}")
    if not query and ("?" in value or "<" in value):
        raise ConfigError(f"{name} is {value!r}; it must be a plain path, such as {default}")
    return value


def _secret_key(settings: Mapping[str, str], env: str, instance: Path) -> str:
    value = settings.get("SECRET_KEY", "")
    advice = "make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
    if not value and env == "production":
        raise ConfigError(f"SECRET_KEY is not set; production needs it; {advice}")
    if not value:
        return _kept_secret_key(instance)
    if env == "production" and len(value) < MINIMUM_SECRET_KEY_LENGTH:
        raise ConfigError(
            f"SECRET_KEY is shorter than {MINIMUM_SECRET_KEY_LENGTH} characters; {advice}"
        )
    return value


def _kept_secret_key(instance: Path) -> str:
    """Make a key at the first start in development and keep it, so that sessions survive."""
    path = instance / "secret_key"
    try:
        instance.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _create_once(path, os.urandom(32).hex())
    except OSError as error:
        raise ConfigError(
            f"STOREFRONT_INSTANCE is {str(instance)!r}, which cannot be written to "
            f"({error.strerror}); it must be a folder of ours."
        ) from None
    return path.read_text()


def _create_once(path: Path, content: str) -> None:
    """Write a private file whole or not at all; the first of several processes wins."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(content)
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()


def _stripe_keys(settings: Mapping[str, str]) -> tuple[str, str]:
    secret = _stripe_key(settings, "STRIPE_SECRET_KEY", ("sk_", "rk_"))
    publishable = _stripe_key(settings, "STRIPE_PUBLISHABLE_KEY", ("pk_",))
    modes = ["live" if "_live_" in key else "test" for key in (secret, publishable)]
    if modes[0] != modes[1]:
        raise ConfigError(
            f"STRIPE_SECRET_KEY is a {modes[0]} key and STRIPE_PUBLISHABLE_KEY a {modes[1]} key; "
            "both must be of one mode."
        )
    return secret, publishable


def _stripe_key(settings: Mapping[str, str], name: str, prefixes: tuple[str, ...]) -> str:
    """One key of Stripe's. The message never repeats it, not even in part."""
    value = settings.get(name, "").strip()
    wanted = " or ".join(f"{prefix}test_…/{prefix}live_…" for prefix in prefixes)
    if not value:
        raise ConfigError(
            f"{name} is not set; put a key ({wanted}) into .env, "
            "or start the shop with bin/run, which brings a stand-in for Stripe."
        )
    if not re.fullmatch(rf"({'|'.join(prefixes)})(test|live)_[A-Za-z0-9_]+", value):
        raise ConfigError(f"{name} does not look like a key of its kind; it must be {wanted}.")
    return value


def _check_api_base(secret_key: str, api_base: str, env: str) -> None:
    if api_base == STRIPE_API_BASE:
        return
    if "_live_" in secret_key:
        raise ConfigError(
            "STRIPE_API_BASE is set together with a live STRIPE_SECRET_KEY; "
            "a live key is only ever sent to Stripe: unset one of them."
        )
    if env == "production" and not api_base.startswith("https://"):
        raise ConfigError("STRIPE_API_BASE must be unset in production: a stand-in moves no money.")


def _webhook_secrets(settings: Mapping[str, str]) -> tuple[str, ...]:
    """Several secrets, comma-separated, while one is rolled. None at all is allowed:
    the endpoint then answers 503."""
    value = settings.get("STRIPE_WEBHOOK_SECRET")
    if value is None:
        return ()
    secrets = tuple(part.strip() for part in value.split(","))
    if any(not re.fullmatch(r"whsec_[\x21-\x7e]+", secret) for secret in secrets):
        raise ConfigError(
            "STRIPE_WEBHOOK_SECRET must be one secret (whsec_…), or several with commas between; "
            "a blank or foreign one would let anybody sign."
        )
    return secrets


def _database_url(settings: Mapping[str, str], instance: Path) -> str:
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


def _mail_url(settings: Mapping[str, str]) -> str | None:
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


def _mail_from(settings: Mapping[str, str]) -> str:
    """The address that mail comes from; the name beside it is PROJECT_NAME."""
    host = urlsplit(settings.get("APP_URL", "http://localhost")).hostname or "localhost"
    value = settings.get("MAIL_FROM", f"no-reply@{host}").strip()
    if not re.fullmatch(r"[^@\s<>,;:\"()\\[\]]+@[A-Za-z0-9.\[\]:-]+", value):
        raise ConfigError(
            f"MAIL_FROM is {value!r}; it must be an address, such as shop@example.com."
        )
    return value
