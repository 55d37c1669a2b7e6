"""Settings: each refusal is one line that names the setting, says what is right, and shows no
secret; `.env`, `.env.local` and the environment are read in that order."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from storefront import config
from storefront.config import ROOT, Config
from storefront.errors import ConfigError

SECRET = "sk_test_thisMustNeverBeShown"
GOOD = {
    "STRIPE_SECRET_KEY": SECRET,
    "STRIPE_PUBLISHABLE_KEY": "pk_test_1",
    "STRIPE_WEBHOOK_SECRET": "whsec_thisMustNeverBeShown",
    "SECRET_KEY": "thisMustNeverBeShown-thisMustNeverBeShown",
    "DATABASE_URL": "postgresql://shop:thisMustNeverBeShown@db/shop",
}
LIVE = {"STRIPE_SECRET_KEY": "sk_live_thisMustNeverBeShown", "STRIPE_PUBLISHABLE_KEY": "pk_live_1"}
PRODUCTION = LIVE | {"STOREFRONT_ENV": "production", "APP_URL": "https://shop.example"}


def load(root: Path, **changes: str) -> Config:
    return config.load(GOOD | changes, root=root)


GA4 = {"GA4_MEASUREMENT_ID": "G-ABC1234567", "GA4_API_SECRET": "thisMustNeverBeShown"}
REFUSALS: dict[str, tuple[dict[str, str], str, str]] = {
    "tax, perhaps": ({"AUTOMATIC_TAX": "true"}, "AUTOMATIC_TAX", "yes, no"),
    "grace without end": ({"PAST_DUE_GRACE_DAYS": "366"}, "PAST_DUE_GRACE_DAYS", "0 to 365"),
    "grace before": ({"PAST_DUE_GRACE_DAYS": "-1"}, "PAST_DUE_GRACE_DAYS", "0 to 365"),
    "barred, perhaps": ({"BAR_ON_DISPUTE": "yes"}, "BAR_ON_DISPUTE", "none, top_up, spend, both"),
    "GA4 without its secret": (GA4 | {"GA4_API_SECRET": ""}, "GA4_API_SECRET", "both"),
    "GA4 without its id": (GA4 | {"GA4_MEASUREMENT_ID": ""}, "GA4_MEASUREMENT_ID", "both"),
    "GA4 of the old kind": (GA4 | {"GA4_MEASUREMENT_ID": "UA-1"}, "GA4_MEASUREMENT_ID", "G-"),
    "GA4 secret with a blank": (
        GA4 | {"GA4_API_SECRET": "thisMustNeverBeShown x"},
        "GA4_API_SECRET",
        "letters",
    ),
    "GA4 nowhere": ({"GA4_ENDPOINT": "google"}, "GA4_ENDPOINT", "https://"),
    "terms without a host": ({"TERMS_URL": "/terms"}, "TERMS_URL", "https://shop.example/terms"),
    "privacy as script": (
        {"PRIVACY_URL": "javascript:alert(1)"},
        "PRIVACY_URL",
        "https://shop.example/privacy",
    ),
    "no key": ({"STRIPE_SECRET_KEY": ""}, "STRIPE_SECRET_KEY", "sk_test_"),
    "no publishable key": ({"STRIPE_PUBLISHABLE_KEY": ""}, "STRIPE_PUBLISHABLE_KEY", "pk_test_"),
    "keys swapped": (
        {"STRIPE_SECRET_KEY": "pk_test_thisMustNeverBeShown"},
        "STRIPE_SECRET_KEY",
        "sk_test_",
    ),
    "placeholder key": ({"STRIPE_SECRET_KEY": "sk_test_…"}, "STRIPE_SECRET_KEY", "sk_test_"),
    "publishable key is secret": (
        {"STRIPE_PUBLISHABLE_KEY": "sk_test_thisMustNeverBeShown"},
        "STRIPE_PUBLISHABLE_KEY",
        "pk_test_",
    ),
    "live key, test publishable key": (
        {"STRIPE_SECRET_KEY": LIVE["STRIPE_SECRET_KEY"]},
        "STRIPE_PUBLISHABLE_KEY",
        "one mode",
    ),
    "test key, live publishable key": (
        {"STRIPE_PUBLISHABLE_KEY": "pk_live_1"},
        "STRIPE_PUBLISHABLE_KEY",
        "one mode",
    ),
    "live key to elsewhere": (
        LIVE | {"STRIPE_API_BASE": "http://127.0.0.1:12111"},
        "STRIPE_API_BASE",
        "unset",
    ),
    "live restricted key to elsewhere": (
        LIVE
        | {
            "STRIPE_SECRET_KEY": "rk_live_thisMustNeverBeShown",
            "STRIPE_API_BASE": "https://api.stripe.com.evil.example",
        },
        "STRIPE_API_BASE",
        "unset",
    ),
    "API base without scheme": (
        {"STRIPE_API_BASE": "localhost:12111"},
        "STRIPE_API_BASE",
        "http://",
    ),
    "stand-in in production": (
        PRODUCTION
        | {
            "STRIPE_SECRET_KEY": SECRET,
            "STRIPE_PUBLISHABLE_KEY": "pk_test_1",
            "STRIPE_API_BASE": "http://127.0.0.1:12111",
        },
        "STRIPE_API_BASE",
        "production",
    ),
    "production without secret key": (PRODUCTION | {"SECRET_KEY": ""}, "SECRET_KEY", "python -c"),
    "production, short secret key": (
        PRODUCTION | {"SECRET_KEY": "thisMustNeverBeShown"},
        "SECRET_KEY",
        "32",
    ),
    "production without URL": (PRODUCTION | {"APP_URL": ""}, "APP_URL", "https://"),
    "production over http": (
        PRODUCTION | {"APP_URL": "http://shop.example"},
        "APP_URL",
        "https://",
    ),
    "URL without scheme": ({"APP_URL": "shop.example"}, "APP_URL", "https://"),
    "URL of another scheme": ({"APP_URL": "ftp://shop.example"}, "APP_URL", "https://"),
    "URL with a path": ({"APP_URL": "https://shop.example/shop"}, "APP_URL", "without a path"),
    "URL with a password": ({"APP_URL": "https://me:pw@shop.example"}, "APP_URL", "user name"),
    "URL with an impossible port": ({"APP_URL": "http://shop:99999"}, "APP_URL", "full URL"),
    "unknown environment": ({"STOREFRONT_ENV": "prod"}, "STOREFRONT_ENV", "production"),
    "sqlite in memory": ({"DATABASE_URL": "sqlite://"}, "DATABASE_URL", "sqlite:///"),
    "sqlite path relative": ({"DATABASE_URL": "sqlite:///shop.db"}, "DATABASE_URL", "sqlite:////"),
    "sqlite path not writable": (
        {"DATABASE_URL": "sqlite:////proc/nowhere/shop.db"},
        "DATABASE_URL",
        "cannot be written",
    ),
    "sqlite path is a folder": ({"DATABASE_URL": "sqlite:////tmp"}, "DATABASE_URL", "written"),
    "another database": (
        {"DATABASE_URL": "mysql://shop:thisMustNeverBeShown@db/shop"},
        "DATABASE_URL",
        "postgresql://",
    ),
    "instance not writable": (
        {"STOREFRONT_INSTANCE": "/proc/nowhere", "SECRET_KEY": ""},
        "STOREFRONT_INSTANCE",
        "folder",
    ),
    "blank webhook secret": ({"STRIPE_WEBHOOK_SECRET": " "}, "STRIPE_WEBHOOK_SECRET", "whsec_"),
    "one of two blank": (
        {"STRIPE_WEBHOOK_SECRET": "whsec_thisMustNeverBeShown,"},
        "STRIPE_WEBHOOK_SECRET",
        "whsec_",
    ),
    "foreign webhook secret": (
        {"STRIPE_WEBHOOK_SECRET": "thisMustNeverBeShown"},
        "STRIPE_WEBHOOK_SECRET",
        "whsec_",
    ),
    "webhook path of another host": (
        {"STRIPE_WEBHOOK_PATH": "//evil.example/x"},
        "STRIPE_WEBHOOK_PATH",
        "/stripe/webhook",
    ),
    "webhook path relative": (
        {"STRIPE_WEBHOOK_PATH": "stripe/webhook"},
        "STRIPE_WEBHOOK_PATH",
        "/stripe/webhook",
    ),
    "success path of another host": (
        {"CHECKOUT_SUCCESS_PATH": "https://evil.example"},
        "CHECKOUT_SUCCESS_PATH",
        "/billing",
    ),
    "threshold in words": ({"LOW_BALANCE_CREDITS": "few"}, "LOW_BALANCE_CREDITS", "whole number"),
    "negative threshold": ({"LOW_BALANCE_CREDITS": "-1"}, "LOW_BALANCE_CREDITS", "from 0"),
    "proxies with a point": ({"TRUSTED_PROXIES": "1.5"}, "TRUSTED_PROXIES", "whole number"),
    "mail by another way": ({"MAIL_URL": "http://mail.example"}, "MAIL_URL", "smtp://"),
    "mail without a host": ({"MAIL_URL": "smtp://"}, "MAIL_URL", "smtp://"),
    "mail with a bad port": (
        {"MAIL_URL": "smtp://a:thisMustNeverBeShown@b.example:x"},
        "MAIL_URL",
        "smtp://",
    ),
    "mail with a path": (
        {"MAIL_URL": "smtp://a:thisMustNeverBeShown@b.example/c"},
        "MAIL_URL",
        "nothing",
    ),
    "mail without a password": ({"MAIL_URL": "smtp://me@m.example"}, "MAIL_URL", "or neither"),
    "mail from nobody": ({"MAIL_FROM": "shop"}, "MAIL_FROM", "an address"),
    "mail from two": ({"MAIL_FROM": "a@b.example, c@d.example"}, "MAIL_FROM", "an address"),
    "no payments": ({"PAYMENTS_PER_HOUR": "none"}, "PAYMENTS_PER_HOUR", "from 1"),
    "no registrations": ({"REGISTRATIONS_PER_HOUR": "0"}, "REGISTRATIONS_PER_HOUR", "from 1"),
}


@pytest.mark.parametrize(("changes", "name", "advice"), REFUSALS.values(), ids=REFUSALS)
def test_a_setting_that_cannot_be_is_refused_in_one_line(
    tmp_path: Path, changes: dict[str, str], name: str, advice: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, **changes)
    detail = caught.value.detail
    assert name in detail
    assert advice in detail
    assert "\n" not in detail
    assert "thisMustNeverBeShown" not in detail + repr(caught.value)


def test_the_good_settings_are_good(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert not settings.livemode
    assert not settings.stand_in
    assert settings.webhook_path == "/stripe/webhook"
    assert load(tmp_path, **PRODUCTION).livemode


def test_no_secret_is_in_the_repr(tmp_path: Path) -> None:
    for settings in (load(tmp_path), load(tmp_path, **PRODUCTION), load(tmp_path, **GA4)):
        assert "thisMustNeverBeShown" not in repr(settings) + str(settings)


def test_selling_plans_has_usable_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert (settings.automatic_tax, settings.past_due_grace_days) == (False, 7)
    assert (settings.terms_url, settings.privacy_url) == (None, None)
    assert (settings.ga4_measurement_id, settings.ga4_api_secret) == (None, None)
    assert settings.ga4_endpoint == "https://www.google-analytics.com"


def test_selling_plans_can_be_set(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        **GA4,
        AUTOMATIC_TAX="yes",
        PAST_DUE_GRACE_DAYS="0",
        GA4_ENDPOINT="http://127.0.0.1:8123/",
        TERMS_URL="https://shop.example/terms?v=2",
    )
    assert (settings.automatic_tax, settings.past_due_grace_days) == (True, 0)
    assert settings.terms_url == "https://shop.example/terms?v=2"
    assert settings.ga4_measurement_id == "G-ABC1234567"
    assert settings.ga4_api_secret == "thisMustNeverBeShown"
    assert settings.ga4_endpoint == "http://127.0.0.1:8123"


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = load(tmp_path)
    with pytest.raises(AttributeError):
        settings.env = "production"  # type: ignore[misc]


def test_env_local_wins_over_env_and_the_environment_over_both(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PROJECT_NAME=file\nLOW_BALANCE_CREDITS=1\nAPP_URL=http://a\n")
    (tmp_path / ".env.local").write_text("PROJECT_NAME=local\nLOW_BALANCE_CREDITS=2\n")
    settings = load(tmp_path, PROJECT_NAME="environment")
    assert (settings.project_name, settings.low_balance_credits, settings.app_url) == (
        "environment",
        2,
        "http://a",
    )


def test_empty_values_count_as_not_set(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PROJECT_NAME=file\n")
    (tmp_path / ".env.local").write_text("PROJECT_NAME=\n")
    assert load(tmp_path, PROJECT_NAME="").project_name == "file"


def test_a_dollar_sign_in_a_file_is_itself(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PROJECT_NAME='$HOME ${HOME}'\n")
    assert load(tmp_path).project_name == "$HOME ${HOME}"


def test_several_webhook_secrets_are_told_apart(tmp_path: Path) -> None:
    settings = load(tmp_path, STRIPE_WEBHOOK_SECRET="whsec_1, whsec_2")
    assert settings.stripe_webhook_secrets == ("whsec_1", "whsec_2")
    assert load(tmp_path, STRIPE_WEBHOOK_SECRET="").stripe_webhook_secrets == ()


def test_a_secret_key_is_made_once_and_kept_in_private(tmp_path: Path) -> None:
    first, second = load(tmp_path, SECRET_KEY=""), load(tmp_path, SECRET_KEY="")
    assert first.secret_key == second.secret_key
    assert len(first.secret_key) >= 32
    assert (tmp_path / "instance" / "secret_key").stat().st_mode & 0o077 == 0


def test_what_was_made_for_fakestripe_is_used_unless_a_key_is_given(tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    folder.mkdir()
    (folder / "fakestripe.env").write_text(
        "STRIPE_SECRET_KEY=sk_test_fake\nSTRIPE_PUBLISHABLE_KEY=pk_test_fake\n"
        "STRIPE_API_BASE=http://127.0.0.1:12111\n"
    )
    without = {"STRIPE_SECRET_KEY": "", "STRIPE_PUBLISHABLE_KEY": ""}
    assert load(tmp_path, **without).stand_in
    assert not load(tmp_path).stand_in
    with pytest.raises(ConfigError, match="STRIPE_SECRET_KEY is not set"):
        load(tmp_path, **PRODUCTION | without)


def test_heroku_style_urls_of_postgresql_are_understood(tmp_path: Path) -> None:
    assert load(tmp_path, DATABASE_URL="postgres://h/d").database_url == "postgresql://h/d"


def test_the_process_stops_with_that_one_line(tmp_path: Path) -> None:
    """Through the entry point of gunicorn and the flask command, as the operator sees it."""
    environment = {"PATH": os.environ["PATH"], "STOREFRONT_INSTANCE": str(tmp_path)}
    environment |= GOOD | {"STRIPE_SECRET_KEY": LIVE["STRIPE_SECRET_KEY"]}
    done = subprocess.run(
        [sys.executable, "-c", "import wsgi"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("storefront cannot start: STRIPE_SECRET_KEY is a live key and STRIPE_P")
    assert "thisMustNeverBeShown" not in line
