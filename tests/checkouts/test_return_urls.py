"""Where Stripe sends a customer back to, for every kind of configured path."""

import pytest

from storefront.checkouts.return_urls import return_urls

SHOP = "https://shop.example"
ID = "session_id={CHECKOUT_SESSION_ID}"
CHOICE = {"plan": "premium_plan", "interval": "yearly"}
CHOSEN = "plan=premium_plan&interval=yearly"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/billing?checkout_status=success", f"/billing?checkout_status=success&{ID}"),
        ("/billing", f"/billing?checkout_status=success&{ID}"),
        ("/billing?", f"/billing?checkout_status=success&{ID}"),
        ("/", f"/?checkout_status=success&{ID}"),
        ("/a/b?tab=1", f"/a/b?tab=1&checkout_status=success&{ID}"),
        ("/a?checkout_status=paid&tab=1", f"/a?checkout_status=paid&tab=1&{ID}"),
        ("/a?checkout_status", f"/a?checkout_status&{ID}"),
        (f"/a?{ID}", f"/a?checkout_status=success&{ID}"),
        ("/a?session_id=mine&b=2", f"/a?b=2&checkout_status=success&{ID}"),
        ("/a?x=%7B1%7D&&y=a+b&", f"/a?x=%7B1%7D&y=a+b&checkout_status=success&{ID}"),
    ],
)
def test_the_success_url_names_the_session(path: str, expected: str) -> None:
    assert return_urls(SHOP, path, "/billing", CHOICE).success == SHOP + expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/billing?checkout_status=canceled", f"/billing?checkout_status=canceled&{CHOSEN}"),
        ("/billing", f"/billing?checkout_status=canceled&{CHOSEN}"),
        ("/a?tab=1", f"/a?tab=1&checkout_status=canceled&{CHOSEN}"),
        ("/a?checkout_status=gone", f"/a?checkout_status=gone&{CHOSEN}"),
        ("/a?plan=other&interval=x&z=1", f"/a?z=1&checkout_status=canceled&{CHOSEN}"),
    ],
)
def test_the_cancel_url_keeps_the_choice(path: str, expected: str) -> None:
    assert return_urls(SHOP, "/billing", path, CHOICE).cancel == SHOP + expected


def test_the_choice_is_escaped_and_the_braces_are_not() -> None:
    urls = return_urls(SHOP, "/billing", "/billing", {"plan": "a&b=c d"})
    assert urls.cancel.endswith("&plan=a%26b%3Dc+d")
    assert urls.success.count("{CHECKOUT_SESSION_ID}") == 1
