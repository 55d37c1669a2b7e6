"""Plans in catalog.toml: what is read, what is computed, and for each mistake the line it is in."""

import re

import pytest

from storefront import catalog
from storefront.catalog import Catalog, Plan
from storefront.config import ROOT
from storefront.errors import BadInput, ConfigError

PACK = """\
[[packs]]
code = "usd_5"
name = "500 credits"
price = 500
currency = "usd"
credits = 500
"""

PLANS = """\
[[plans]]
code = "free"
billing = "free"
name = "Free"

[[plans]]
code = "once"
billing = "one_time"
name = "Once"
currency = "usd"
one_time = 2900
credits = 300
max_quantity = 5

[[plans]]
code = "pro"
billing = "subscription"
name = "Pro"
features = ["Priority Support", { code = "reports", text = "All reports" }]
limits = { projects = 3, seats = "unlimited" }
currency = "usd"
monthly = 4900
yearly = 49000
trial_days = 14
credits = 100
credits_expire = "never"
yearly_credits = "yearly"
popular = true
[plans.cta]
upgrade = "Go {name} {interval}"
[plans.stripe.test]
product = "prod_1"
monthly = "price_1"
[plans.stripe.live]
yearly = "price_9"
"""
TEXT = PACK + PLANS
FIRST = len(PACK.splitlines())


def parsed(old: str = "", new: str = "", count: int = 1) -> Catalog:
    assert old in TEXT, old
    return catalog.parse(TEXT.replace(old, new, count) if old else TEXT)


def plan(code: str, old: str = "", new: str = "") -> Plan:
    return parsed(old, new).plan(code)


def test_a_good_catalogue_is_read_as_it_stands() -> None:
    free, once, pro = parsed().plans
    assert (free.billing, free.prices, free.credits, free.stripe["test"].product) == (
        "free", (), 0, None,
    )  # fmt: skip
    assert (once.one_time and once.one_time.amount, once.credits, once.max_quantity) == (
        2900, 300, 5,
    )  # fmt: skip
    assert once.credits_expire == "never", "there is no period whose end could be meant"
    assert [(it.code, it.text) for it in pro.features] == [
        ("priority_support", "Priority Support"),
        ("reports", "All reports"),
    ]
    assert pro.has_feature("reports") and not pro.has_feature("All reports")
    assert dict(pro.limits) == {"projects": 3, "seats": None}
    assert (pro.popular, pro.trial_days, pro.credits_expire) == (True, 14, "never")
    assert pro.stripe["test"].product == "prod_1"
    assert dict(pro.stripe["test"].prices) == {"monthly": "price_1"}
    assert dict(pro.stripe["live"].prices) == {"yearly": "price_9"}


def test_each_price_has_its_lookup_key() -> None:
    keys = {price.lookup_key for each in parsed().plans for price in each.prices}
    assert keys == {"once_one_time", "pro_monthly", "pro_yearly"}


def test_display_strings_are_computed() -> None:
    pro = plan("pro")
    assert pro.monthly and pro.yearly
    assert (pro.monthly.text, pro.yearly.text) == ("$49/month", "$490/year")
    assert (pro.monthly.per_month_text, pro.yearly.per_month_text) == ("$49/month", "$40.83/month")
    assert pro.savings_text == "Save ~17%"
    assert (pro.total_text("yearly"), pro.total_text("one_time")) == ("$490.00", None)
    assert plan("once").total_text("one_time", 3) == "$87.00"


@pytest.mark.parametrize(
    ("yearly", "percent", "text"),
    [
        (47040, 20, "Save 20%"),
        (58800, 0, None),
        (60000, 0, None),
        (58799, 0, None),
        (100, 100, "Save ~100%"),
    ],
)
def test_savings_are_whole_percent_and_say_so_when_they_are_not(
    yearly: int, percent: int, text: str | None
) -> None:
    pro = plan("pro", "yearly = 49000", f"yearly = {yearly}")
    assert (pro.savings_percent, pro.savings_text) == (percent, text)


def test_currencies_without_cents_are_shown_without() -> None:
    yen = catalog.parse(TEXT.replace('"usd"', '"jpy"')).plan("pro")
    assert yen.yearly and (yen.yearly.text, yen.yearly.per_month_text) == (
        "¥49,000/year", "¥4,083/month",
    )  # fmt: skip


def test_credits_of_a_year_come_at_once_or_month_by_month() -> None:
    pro = plan("pro")
    assert (pro.credits_granted("monthly"), pro.credits_granted("yearly")) == (100, 1200)
    by_month = plan("pro", 'yearly_credits = "yearly"\n')
    assert (by_month.yearly_credits, by_month.credits_granted("yearly")) == ("monthly", 100)
    assert plan("once").credits_granted("one_time") == 300


def test_buttons_say_what_they_do() -> None:
    pro, once, free = plan("pro"), plan("once"), plan("free")
    assert pro.cta_text("upgrade", "yearly") == "Go Pro yearly"
    assert pro.cta_text("switch", "monthly") == "Switch to monthly"
    assert once.cta_text("upgrade", "one_time") == "Buy for $29"
    assert once.cta_text("purchased") == "Purchased"
    assert free.cta_text("upgrade") == "Get started free"
    assert free.cta_text("current") == "Current plan"


MISTAKES = {
    "no billing": ('billing = "free"\n', "", 1, "this plan has no billing"),
    "unknown billing": ('billing = "free"', 'billing = "gratis"', 3, "billing must be one of"),
    "code of a pack": ('code = "free"', 'code = "usd_5"', 2, "'usd_5' is taken by line 2"),
    "code of another plan": ('code = "pro"', 'code = "once"', 16, "'once' is taken by line 13"),
    "code with blanks": ('code = "pro"', 'code = "my plan"', 16, "lower-case"),
    "empty name": ('name = "Pro"', 'name = " "', 18, "name is empty"),
    "unknown key": ("popular = true", "populr = true", 28, "unknown key 'populr'"),
    "popular is a text": ("popular = true", 'popular = "yes"', 28, "true or false"),
    "price is a text": ("monthly = 4900", 'monthly = "49"', 22, "a whole number"),
    "price with a point": ("monthly = 4900", "monthly = 49.0", 22, "a whole number"),
    "price below the minimum": ("yearly = 49000", "yearly = 49", 23, "yearly 49 must be from 50"),
    "no price": ("one_time = 2900\n", "", 8, "no price: give one_time"),
    "price of another kind": ("one_time = 2900", "monthly = 2900", 11, "no monthly price"),
    "free with a price": ('name = "Free"', 'name = "Free"\nmonthly = 500', 5, "no monthly price"),
    "free with credits": ('name = "Free"', 'name = "Free"\ncredits = 5', 5, "grants no credits"),
    "no currency": ('currency = "usd"\nmonthly', "monthly", 15, "no currency"),
    "unknown currency": (
        'currency = "usd"\none_time', 'currency = "xxx"\none_time', 10, "unknown currency 'xxx'",
    ),
    "feature is a number": ('["Priority Support",', "[5,", 19, "a feature is a text"),
    "feature without code": ('{ code = "reports",', "{", 19, "a feature is a text"),
    "feature with a bad code": ('code = "reports"', 'code = "All!"', 19, "needs a code"),
    "feature of no letters": ('"Priority Support"', '"☺"', 19, "needs a code"),
    "feature twice": ('"Priority Support"', '"Reports"', 19, "is there twice"),
    "limit below zero": ("projects = 3", "projects = -3", 20, "the limit projects"),
    "limit is a word": ('"unlimited"', '"many"', 20, "the limit seats"),
    "limit is true": ("projects = 3", "projects = true", 20, "the limit projects"),
    "limits are a list": ('{ projects = 3, seats = "unlimited" }', "[3]", 20, "a table in { }"),
    "trial too long": ("trial_days = 14", "trial_days = 731", 24, "from 0 to 730"),
    "trial of a purchase": ("credits = 300", "credits = 300\ntrial_days = 3", 13, "subscription"),
    "quantity of a subscription": ("trial_days = 14", "max_quantity = 2", 24, "'one_time' alone"),
    "quantity of nothing": ("max_quantity = 5", "max_quantity = 0", 13, "from 1 to 999"),
    "negative credits": ("credits = 100", "credits = -100", 25, "credits must be from 0"),
    "unknown expiry": ('expire = "never"', 'expire = "soon"', 26, "'period_end' or 'never'"),
    "expiry of nothing": ("credits = 100\n", "", 25, "this plan has none"),
    "unknown yearly credits": ('its = "yearly"', 'its = "weekly"', 27, "'monthly' or 'yearly'"),
    "yearly credits without a year": ("yearly = 49000\n", "", 26, "with a yearly price alone"),
    "unknown button": ('upgrade = "Go', 'buy = "Go', 30, "unknown key 'buy'"),
    "empty button": ('"Go {name} {interval}"', '""', 30, "upgrade is empty"),
    "unknown placeholder": ("{interval}", "{user.email}", 30, "not 'user.email'"),
    "numbered placeholder": ("{interval}", "{}", 30, "not '{}'"),
    "open brace": ("{interval}", "{interval", 30, "upgrade may have"),
    "unknown mode": ("[plans.stripe.live]", "[plans.stripe.prod]", 34, "unknown key 'prod'"),
    "a price id as product": ('"prod_1"', '"price_1"', 32, "begins with prod_"),
    "a product id as price": ('"price_1"', '"prod_7"', 33, "begins with price_"),
    "id of no price": ('monthly = "price_1"', 'one_time = "price_1"', 33, "no one_time"),
    "one price id twice": ('"price_9"', '"price_1"', 35, "price_1 is the price of pro, monthly"),
    "unknown id": ('product = "prod_1"', 'prodct = "prod_1"', 32, "unknown key 'prodct'"),
    "two free plans": (
        'billing = "one_time"\nname = "Once"\ncurrency = "usd"\none_time = 2900\ncredits = 300\n'
        "max_quantity = 5\n",
        'billing = "free"\nname = "Once"\n', 8, "one free plan at most",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_line(old: str, new: str, line: int, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(old, new)
    detail = caught.value.detail
    assert says in detail
    assert re.match(rf"catalog\.toml:{FIRST + line}: ", detail), detail
    assert "\n" not in detail


@pytest.mark.parametrize("text", ["plans = 1\n", "plans = [1]\n"], ids=["number", "list"])
def test_plans_must_be_tables(text: str) -> None:
    with pytest.raises(ConfigError, match=r"plans must be \[\[plans\]\] tables"):
        catalog.parse(text + PACK)


def test_inline_tables_have_no_line_of_their_own_and_are_checked_all_the_same() -> None:
    with pytest.raises(ConfigError, match=r"^catalog\.toml:1: this plan has no billing"):
        catalog.parse('plans = [{ code = "x", name = "X" }]\n' + PACK)


def test_a_shop_without_plans_is_a_shop() -> None:
    assert catalog.parse(PACK).plans == ()
    with pytest.raises(BadInput, match="Plans: none"):
        catalog.parse(PACK).plan("pro")


@pytest.mark.parametrize("code", ["prof", "", None, 5, ["pro"], "PRO"], ids=repr)
def test_a_plan_that_does_not_exist_is_refused_and_the_codes_are_told(code: object) -> None:
    assert parsed().find_plan(code) is None
    with pytest.raises(BadInput, match="free, once, pro"):
        parsed().plan(code)


def test_the_shipped_catalogue_has_one_plan_of_each_kind() -> None:
    free, standard, premium = catalog.load(ROOT / "catalog.toml").plans
    assert (free.code, free.billing) == ("free_tier", "free")
    assert (standard.code, standard.billing) == ("standard_pack", "one_time")
    assert standard.one_time and (standard.one_time.text, standard.credits) == ("$29", 3000)
    assert (premium.code, premium.billing, premium.popular) == (
        "premium_plan", "subscription", True,
    )  # fmt: skip
    assert premium.monthly and premium.yearly and premium.credits
    assert (premium.monthly.text, premium.yearly.text) == ("$49/month", "$490/year")
    assert premium.yearly.per_month_text == "$40.83/month"
    assert premium.cta_text("upgrade", "yearly") == "Go Premium yearly"
