"""MAIL_URL in Flask-Mailman's words."""

from pathlib import Path

import pytest

from storefront import mail
from storefront.config import Config
from tests.support.apps import some_settings


def config(root: Path, url: str) -> Config:
    return some_settings(root, f"sqlite:///{root}/shop.sqlite3", MAIL_URL=url)


def test_a_server_elsewhere_is_spoken_to_in_tls_only(tmp_path: Path) -> None:
    found = mail.flask_settings(config(tmp_path, "smtp://me:p%40ss%2Fword@mail.example"))
    assert found["MAIL_SERVER"] == "mail.example"
    assert (found["MAIL_PORT"], found["MAIL_USE_TLS"], found["MAIL_USE_SSL"]) == (587, True, False)
    assert (found["MAIL_USERNAME"], found["MAIL_PASSWORD"]) == ("me", "p@ss/word")
    found = mail.flask_settings(config(tmp_path, "smtps://mail.example"))
    assert (found["MAIL_PORT"], found["MAIL_USE_TLS"], found["MAIL_USE_SSL"]) == (465, False, True)
    assert found["MAIL_USERNAME"] is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_a_relay_on_this_machine_is_spoken_to_plainly(tmp_path: Path, host: str) -> None:
    found = mail.flask_settings(config(tmp_path, f"smtp://{host}:2525"))
    assert (found["MAIL_PORT"], found["MAIL_USE_TLS"]) == (2525, False)


def test_without_a_server_mail_goes_to_the_console(tmp_path: Path) -> None:
    assert mail.flask_settings(config(tmp_path, "")) == {"MAIL_BACKEND": "console"}


def test_a_header_cannot_leave_its_line() -> None:
    assert mail.one_line("a\r\n b\x00\u2028c\td") == "a b c d"
