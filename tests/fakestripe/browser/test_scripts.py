"""How scripts and pages are served, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

import storefront.fakestripe.browser as package
from tests.fakestripe.harness import FakeStripe

FOLDER = Path(package.__file__).parent
OWN_FILES = [path for path in FOLDER.rglob("*") if path.suffix in {".js", ".html", ".css", ".svg"}]

FORBIDDEN = (
    " style=", " onclick=", "eval(", "new Function", "innerHTML", "insertAdjacentHTML",
    "document.write", "@import", "//cdn",
)  # fmt: skip


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.mark.parametrize("train", ["acacia", "basil", "clover", "dahlia", "endive"])
def test_each_release_train_is_served(
    session: requests.Session, fakestripe: FakeStripe, train: str
) -> None:
    answer = session.get(f"{fakestripe.url}/{train}/stripe.js", timeout=5)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert f'STRIPE_VERSION = "{train}"' in answer.text


def test_the_frozen_line_is_served(session: requests.Session, fakestripe: FakeStripe) -> None:
    answer = session.get(f"{fakestripe.url}/v3/", timeout=5)
    assert answer.status_code == 200
    assert 'STRIPE_VERSION = "3"' in answer.text


@pytest.mark.parametrize("path", ["foxtrot/stripe.js", "ENDIVE/stripe.js", "_browser/../x.js"])
def test_unknown_scripts_are_not_found(
    session: requests.Session, fakestripe: FakeStripe, path: str
) -> None:
    assert session.get(f"{fakestripe.url}/{path}", timeout=5).status_code == 404


@pytest.mark.parametrize(
    ("path", "framable"),
    [
        ("/", False),
        ("/_elements/payment", True),
        ("/_elements/controller", True),
        ("/_3ds/pi_unknown", True),
        ("/_browser/control/main.js", False),
        ("/endive/stripe.js", False),
    ],
)
def test_every_answer_is_strict_and_only_stripes_frames_are_framable(
    session: requests.Session, fakestripe: FakeStripe, path: str, framable: bool
) -> None:
    headers = session.get(fakestripe.url + path, timeout=5).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert ("frame-ancestors 'none'" in policy) is not framable
    assert not framable or "X-Frame-Options" not in headers
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", OWN_FILES, ids=lambda path: path.name)
def test_own_files_need_nothing_from_elsewhere_and_nothing_that_csp_forbids(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for forbidden in FORBIDDEN:
        assert forbidden not in text, forbidden
    assert len(text.splitlines()) <= 300
