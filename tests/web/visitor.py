"""Somebody with a browser, but without one: keeps cookies, fills in forms, sends their token."""

import re
import uuid
from dataclasses import dataclass

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

PASSWORD = "correct horse battery"


@dataclass
class Visitor:
    client: FlaskClient
    email: str

    def get(self, path: str, **options: object) -> TestResponse:
        return self.client.get(path, **options)

    def submit(self, path: str, *, token_from: str | None = None, **fields: str) -> TestResponse:
        """Post the form at `path` as a browser would, with the token of the page it is on."""
        token = self.token(token_from or path)
        return self.client.post(path, data={"csrf_token": token, **fields})

    def order(self, body: object, **options: object) -> TestResponse:
        """What the top-up page's script sends."""
        headers = {"X-CSRFToken": self.token("/top-up", r'data-csrf-token="([^"]+)"')}
        return self.client.post(
            "/payments/create-payment-intent", json=body, headers=headers, **options
        )

    def token(self, page: str, pattern: str = r'name="csrf_token"[^>]*value="([^"]+)"') -> str:
        found = re.search(pattern, self.client.get(page).text)
        assert found, f"no token on {page}"
        return found[1]

    def registers(self, password: str = PASSWORD) -> "Visitor":
        answer = self.submit("/register", email=self.email, password=password)
        assert answer.status_code == 303, answer.text
        return self

    def signs_in(self, password: str = PASSWORD, email: str | None = None) -> TestResponse:
        return self.submit("/login", email=email or self.email, password=password)

    def signs_out(self) -> TestResponse:
        return self.submit("/logout", token_from="/account")

    @property
    def is_signed_in(self) -> bool:
        return self.client.get("/balance").status_code == 200

    @property
    def cookie(self) -> str:
        """The session cookie's value; empty without one."""
        name = self.client.application.config["SESSION_COOKIE_NAME"]
        domain = self.client.application.config["TRUSTED_HOSTS"][0]
        found = self.client.get_cookie(name, domain=domain)
        return found.value if found else ""

    def steals(self, cookie: str) -> "Visitor":
        """Use a cookie that was copied from another browser."""
        name = self.client.application.config["SESSION_COOKIE_NAME"]
        domain = self.client.application.config["TRUSTED_HOSTS"][0]
        self.client.set_cookie(name, cookie, domain=domain)
        return self


def a_visitor(app: Flask) -> Visitor:
    return Visitor(app.test_client(), f"{uuid.uuid4().hex[:12]}@example.com")


def main_text(answer: TestResponse) -> str:
    """The text of a page's main part, without its tags and without line breaks."""
    main = answer.text.split("<main", 1)[1].split("</main>")[0].split(">", 1)[1]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)).strip()
