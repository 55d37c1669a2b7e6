"""The choice about analytics: asked for only where there is something to decide, kept, changed."""

from collections.abc import Callable

import pytest
from flask import Flask

from storefront import users
from tests.web.test_pages import a_customer
from tests.web.visitor import main_text

GA4 = {"GA4_MEASUREMENT_ID": "G-ABCDEFGH12", "GA4_API_SECRET": "abcdefghijk"}
QUESTION = "May this shop report your purchases to Google Analytics"


def test_nobody_is_asked_where_nothing_would_be_sent(app: Flask) -> None:
    _, visitor = a_customer(app)
    for path in ("/billing", "/top-up"):
        assert QUESTION not in main_text(visitor.get(path))
    assert "At present it reports to nobody" in main_text(visitor.get("/account"))


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_the_question_is_asked_once_and_the_answer_kept(
    shop_with: Callable[..., Flask], answer: str
) -> None:
    shop = shop_with(**GA4)
    customer, visitor = a_customer(shop)
    for path in ("/billing", "/top-up"):
        page = visitor.get(path).text
        assert QUESTION in page
        assert page.count('class="btn btn-quiet" name="allowed"') == 2, "two equal buttons"
    done = visitor.submit(
        "/account/analytics", token_from="/account", allowed=answer, back="/billing"
    )
    assert (done.status_code, done.location) == (303, "/billing")
    for path in ("/billing", "/top-up"):
        assert QUESTION not in main_text(visitor.get(path))
    with shop.app_context():
        user = users.find(customer.id)
        assert user.analytics_consent is (answer == "yes")
        assert (user.analytics_client is not None) == (answer == "yes")


def test_the_choice_can_be_changed_on_the_account_page(shop_with: Callable[..., Flask]) -> None:
    shop = shop_with(**GA4)
    _, visitor = a_customer(shop)
    assert "You have not chosen yet" in main_text(visitor.get("/account"))
    for answer, says in (
        ("yes", "You allow it"),
        ("no", "You do not allow it"),
        ("yes", "You allow"),
    ):
        done = visitor.submit("/account/analytics", token_from="/account", allowed=answer)
        assert done.location == "/account"
        assert says in main_text(visitor.get("/account"))


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_it_leads_to_pages_of_ours_only(app: Flask, back: str) -> None:
    _, visitor = a_customer(app)
    done = visitor.submit("/account/analytics", token_from="/account", allowed="no", back=back)
    assert done.location == "/"


@pytest.mark.parametrize("allowed", ["", "maybe", "YES", "1"])
def test_nothing_else_is_an_answer(app: Flask, allowed: str) -> None:
    customer, visitor = a_customer(app)
    done = visitor.submit("/account/analytics", token_from="/account", allowed=allowed)
    assert done.status_code == 400
    assert "Send &#34;allowed&#34; as &#34;yes&#34; or &#34;no&#34;." in done.text
    with app.app_context():
        assert users.find(customer.id).analytics_consent is None
