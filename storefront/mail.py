"""Mail to customers: a template, rendered and handed to the SMTP server, or to the console.

Whoever wants mail sent promises a job; only the worker comes here. The server may take the same
mail twice when a worker dies between sending and writing that down: the Message-ID is made of the
job's subject, so that the two are one mail to whoever compares them.
"""

import smtplib
import ssl
from collections.abc import Callable
from email.utils import formataddr
from ipaddress import ip_address
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from flask_mailman import EmailMessage
from flask_mailman.backends.smtp import EmailBackend

from storefront.config import Config

TIMEOUT_SECONDS = 20
PORTS = {"smtp": 587, "smtps": 465}


class Undeliverable(Exception):
    """This mail can never be delivered: sending it again would not help."""


class NotSent(Exception):
    """The server did not take the mail; another try may help."""


class Render(Protocol):
    def __call__(self, template: str, **facts: object) -> str: ...


class Mailer:
    """Sends the templates of templates/mail/, each of which begins with its subject's line."""

    def __init__(self, config: Config, render: Render, connect: Callable[[], Any]) -> None:
        self._config = config
        self._render = render
        self._connect = connect

    def send(self, template: str, to: str, *, id: str, **facts: object) -> None:
        """Render `mail/<template>.txt` and send it to one address. `id` names the mail: the same
        id is the same mail. Raises Undeliverable, or NotSent or OSError for another try; their
        texts, which are logged, hold no address."""
        subject, body = self._text(template, facts)
        message = EmailMessage(
            subject=subject,
            body=body,
            from_email=formataddr((one_line(self._config.project_name), self._config.mail_from)),
            to=[to],
            headers={
                "Message-ID": f"<{id}@{self._config.mail_from.rpartition('@')[2]}>",
                "Auto-Submitted": "auto-generated",
            },
        )
        try:
            with self._connect() as connection:
                connection.send_messages([message])
        except ValueError:  # a BadHeaderError, too
            raise Undeliverable("the address or another header is none that can be") from None
        except smtplib.SMTPRecipientsRefused as error:
            code = max(code for code, _ in error.recipients.values())
            if code >= 500:
                raise Undeliverable(f"the server refuses the address ({code})") from None
            raise NotSent(f"the server does not take the address now ({code})") from None
        except smtplib.SMTPResponseException as error:  # its text may repeat addresses
            raise NotSent(f"the server answered {error.smtp_code}") from None

    def knock(self) -> None:
        """Connect and sign in as for sending, and send nothing. Raises NotSent."""
        try:
            with self._connect():
                return
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent(f"the server does not let us in ({type(error).__name__})") from None

    def _text(self, template: str, facts: dict[str, object]) -> tuple[str, str]:
        known = {"project_name": self._config.project_name, "app_url": self._config.app_url}
        text = self._render(f"mail/{template}.txt", **known, **facts)
        subject, _, body = text.partition("\n\n")
        assert subject.startswith("Subject: "), f"mail/{template}.txt begins with its subject"
        return one_line(subject.removeprefix("Subject: ")), body


def one_line(text: str) -> str:
    """Safe as a header's value: whatever stands in it, it begins no other header."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def flask_settings(config: Config) -> dict[str, object]:
    """Our mail settings in Flask-Mailman's words."""
    if config.mail_url is None:
        return {"MAIL_BACKEND": "console"}
    parts = urlsplit(config.mail_url)
    host = parts.hostname or ""
    return {
        "MAIL_BACKEND": SmtpBackend,
        "MAIL_SERVER": host,
        "MAIL_PORT": parts.port or PORTS[parts.scheme],
        "MAIL_USERNAME": unquote(parts.username) if parts.username else None,
        "MAIL_PASSWORD": unquote(parts.password) if parts.password else None,
        "MAIL_USE_SSL": parts.scheme == "smtps",
        "MAIL_USE_TLS": parts.scheme == "smtp" and not _on_this_machine(host),
        "MAIL_TIMEOUT": TIMEOUT_SECONDS,
    }


class SmtpBackend(EmailBackend):  # type: ignore[misc]  # it has no types
    """Flask-Mailman's, but STARTTLS checks the server's certificate: without a context, smtplib
    takes any."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return smtplib.SMTP_SSL if self.use_ssl else VerifyingSmtp


class VerifyingSmtp(smtplib.SMTP):
    def starttls(  # type: ignore[override]  # the rest of its arguments is gone in Python 3.12
        self, *, context: ssl.SSLContext | None = None
    ) -> tuple[int, bytes]:
        return super().starttls(context=context or ssl.create_default_context())


def _on_this_machine(host: str) -> bool:
    """A relay on this machine is spoken to plainly: nobody is in between."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
