"""catalog.toml: what is accepted, and for each mistake the line it is in."""

import re
from pathlib import Path

import pytest

from storefront import catalog
from storefront.catalog import Catalog
from storefront.config import ROOT
from storefront.errors import BadInput, ConfigError

GOOD = """\
# a comment
[[packs]]
code = "usd_5"
name = "500 credits"
price = 500
currency = "usd"
credits = 500

[[packs]]
code = "usd_10"
name = "1,100 credits"
price = 1000
currency = "usd"
credits = 1100
bonus = 100
"""


def parsed(old: str = "", new: str = "", count: int = 1) -> Catalog:
    """GOOD with the first `count` places of `old` changed."""
    assert old in GOOD
    return catalog.parse(GOOD.replace(old, new, count) if old else GOOD)


def test_the_shipped_catalogue_sells_a_credit_for_a_cent() -> None:
    packs = catalog.load(ROOT / "catalog.toml").packs
    assert [(pack.label, pack.credits, pack.currency) for pack in packs] == [
        ("$5", 500, "usd"),
        ("$10", 1000, "usd"),
        ("$20", 2000, "usd"),
        ("$50", 5000, "usd"),
    ]
    assert all(pack.price == pack.credits for pack in packs)


def test_a_good_catalogue_is_read_as_it_stands() -> None:
    first, second = parsed().packs
    assert (first.code, first.price, first.bonus, first.price_text) == ("usd_5", 500, 0, "$5.00")
    assert (second.credits, second.bonus, second.label) == (1100, 100, "$10")


MISTAKES = {
    "duplicate code": ('"usd_10"', '"usd_5"', 10, "'usd_5' is taken by line 3"),
    "code with capitals": ('"usd_5"', '"USD_5"', 3, "lower-case"),
    "empty code": ('"usd_5"', '""', 3, "code"),
    "empty name": ('"500 credits"', '"  "', 4, "name is empty"),
    "name is a number": ('"500 credits"', "500", 4, "name must be a text in quotes"),
    "price below Stripe's minimum": ("price = 500", "price = 49", 5, "price 49 must be from 50"),
    "price of nothing": ("price = 500", "price = 0", 5, "price 0"),
    "negative price": ("price = 500", "price = -500", 5, "price -500"),
    "price of nine digits": ("price = 500", "price = 100000000", 5, "99999999"),
    "price with a point": ("price = 500", "price = 5.00", 5, "price must be a whole number"),
    "price in quotes": ("price = 500", 'price = "500"', 5, "price must be a whole number"),
    "price is true": ("price = 500", "price = true", 5, "price must be a whole number"),
    "unknown currency": ('currency = "usd"', 'currency = "xxx"', 6, "unknown currency 'xxx'"),
    "currency in capitals": ('currency = "usd"', 'currency = "USD"', 6, "unknown currency 'USD'"),
    "no credits": ("credits = 500", "credits = 0", 7, "credits must be from 1"),
    "negative credits": ("credits = 500", "credits = -1", 7, "credits must be from 1"),
    "endless credits": ("credits = 500", "credits = 1000000000001", 7, "credits must be from 1"),
    "bonus of everything": ("bonus = 100", "bonus = 1100", 15, "bonus"),
    "negative bonus": ("bonus = 100", "bonus = -1", 15, "bonus"),
    "missing price": ("price = 500\n", "", 2, "this pack has no price"),
    "missing code": ('code = "usd_10"\n', "", 9, "this pack has no code"),
    "unknown key": ("bonus = 100", "bonuss = 100", 15, "unknown key 'bonuss'"),
    "unknown table": ("# a comment", "[[things]]", 1, "unknown table 'things'"),
    "not TOML": ("price = 500", "price = ", 5, ""),
}


@pytest.mark.parametrize(("old", "new", "line", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_line(old: str, new: str, line: int, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(old, new)
    detail = caught.value.detail
    assert re.match(rf"catalog\.toml:{line}: ", detail) or f"line {line}," in detail, detail
    assert says in detail
    assert "\n" not in detail


@pytest.mark.parametrize("text", ["", "packs = []", "packs = 1"], ids=["empty", "none", "no list"])
def test_a_shop_with_nothing_to_sell_does_not_start(text: str) -> None:
    with pytest.raises(ConfigError, match="at least one is needed"):
        catalog.parse(text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"elsewhere\.toml: cannot be read"):
        catalog.load(tmp_path / "elsewhere.toml")


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"catalog\.toml: cannot be read"):
        catalog.load(path)


def test_currencies_without_cents_are_whole_units() -> None:
    text = GOOD.replace('"usd"', '"jpy"')
    (first, _) = catalog.parse(text).packs
    assert (first.label, first.price_text) == ("¥500", "¥500")
    assert catalog.parse(text).pack_for_amount(500, "jpy") == first


def test_the_minimum_of_a_currency_without_cents_is_its_own() -> None:
    yen = GOOD.replace('"usd"', '"jpy"')
    assert catalog.parse(yen.replace("price = 500", "price = 50")).packs[0].price == 50
    with pytest.raises(ConfigError, match=r"49 must be from 50 .¥50"):
        catalog.parse(yen.replace("price = 500", "price = 49"))


@pytest.mark.parametrize("amount", [10, 10.0, 5, 5.0])
def test_an_amount_finds_the_pack_with_that_price(amount: float) -> None:
    assert parsed().pack_for_amount(amount).price == amount * 100


@pytest.mark.parametrize(
    "amount",
    [0, -10, 7, 10.001, 10.1, 1e309, -1e309, float("nan"), 1e30, 10**400, "10", None, True, [10]],
    ids=lambda it: repr(it)[:12],
)
def test_an_amount_that_is_not_offered_is_refused(amount: object) -> None:
    with pytest.raises(BadInput):
        parsed().pack_for_amount(amount)


@pytest.mark.parametrize("code", ["usd_7", "", None, 5, ["usd_5"], "USD_5", "usd_5 "], ids=repr)
def test_a_code_that_does_not_exist_is_refused_and_the_codes_are_told(code: object) -> None:
    with pytest.raises(BadInput, match="usd_5, usd_10"):
        parsed().pack(code)
