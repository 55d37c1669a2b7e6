"""What a paid invoice line brings, rule by rule."""

from flask import Flask
from sqlalchemy import text

from storefront import catalog as catalogs
from storefront.db import db
from storefront.subscriptions import Invoice
from tests.subscriptions.paper import CATALOG, PaperShop, a_line, at
from tests.support import books
from tests.support.lots import lots_of
from tests.support.promised import row as job

JANUARY, FEBRUARY, MARCH = at("2031-01-01"), at("2031-02-01"), at("2031-03-01")
MID_JANUARY = at("2031-01-16 12:00")
NEXT_YEAR = at("2032-01-01")


def a_shop(app: Flask) -> PaperShop:
    shop = PaperShop(app)
    shop.subscribed()
    return shop


def test_a_paid_month_brings_its_credits_until_its_end(app: Flask) -> None:
    shop = a_shop(app)
    facts = shop.invoice(a_line("basic_monthly", 1000, JANUARY, FEBRUARY), paid_at=JANUARY)
    assert shop.credits(facts)
    (grant,) = shop.granted()
    assert grant["id"] == f"invoice:{facts.id}:{facts.lines[0].id}"
    assert (grant["credits"], grant["note"]) == (1000, "Basic, 1 Jan – 1 Feb 2031")
    (lot,) = lots_of(app, shop.customer.id)
    assert (lot["id"], lot["credits"]) == (grant["id"], 1000)
    assert str(lot["expires_at"]).startswith("2031-02-01 00:00:00")
    assert job(app, f"invoice_paid:{facts.id}")["kind"] == "invoice_paid"
    books.assert_clean(app)


def test_an_invoice_is_credited_once(app: Flask) -> None:
    shop = a_shop(app)
    facts = shop.invoice(a_line("basic_monthly", 1000, JANUARY, FEBRUARY), paid_at=JANUARY)
    assert [shop.credits(facts) for _ in range(3)] == [True, False, False]
    assert shop.amounts() == [1000]
    with app.app_context():
        assert db.session.get_one(Invoice, facts.id).credited_at is not None


def test_the_quantity_multiplies(app: Flask) -> None:
    shop = a_shop(app)
    shop.pays(a_line("basic_monthly", 3000, JANUARY, FEBRUARY, quantity=3), paid_at=JANUARY)
    assert shop.amounts() == [3000]


def test_credits_that_never_expire_are_in_no_lot(app: Flask) -> None:
    shop = a_shop(app)
    shop.pays(a_line("lasting_monthly", 2000, JANUARY, FEBRUARY), paid_at=JANUARY)
    assert (shop.balance(), lots_of(app, shop.customer.id)) == (2000, [])


def test_a_plan_without_credits_brings_none(app: Flask) -> None:
    shop = a_shop(app)
    shop.pays(a_line("plain_yearly", 5000, JANUARY, NEXT_YEAR), paid_at=JANUARY)
    assert shop.grants(NEXT_YEAR) == 0
    assert shop.granted() == []


def test_a_line_of_no_plan_of_ours_brings_nothing(app: Flask) -> None:
    shop = a_shop(app)
    shop.pays(a_line("somebody_elses", 900, JANUARY, FEBRUARY), paid_at=JANUARY)
    assert shop.rows() == {}


def test_a_trial_brings_nothing_and_a_coupon_over_everything_does(app: Flask) -> None:
    shop = a_shop(app)
    shop.pays(a_line("basic_monthly", 0, JANUARY, MID_JANUARY), paid_at=JANUARY)
    assert shop.amounts() == []
    shop.pays(a_line("basic_monthly", 1000, MID_JANUARY, FEBRUARY), paid_at=MID_JANUARY, total=0)
    assert shop.amounts() == [1000]


def test_a_year_with_credits_at_once_brings_twelve_months_of_them(app: Flask) -> None:
    shop = a_shop(app)
    shop.pays(a_line("pro_yearly", 30000, JANUARY, NEXT_YEAR), paid_at=JANUARY)
    assert shop.amounts() == [36000]
    assert str(lots_of(app, shop.customer.id)[0]["expires_at"]).startswith("2032-01-01")
    assert shop.grants(NEXT_YEAR) == 0


def test_a_year_with_credits_month_by_month_brings_them_so(app: Flask) -> None:
    shop = a_shop(app)
    start, end = at("2031-01-31 08:00"), at("2032-01-31 08:00")
    invoice = shop.pays(a_line("basic_yearly", 10000, start, end), paid_at=start)
    assert shop.amounts() == [1000]
    assert shop.grants(at("2031-02-28 07:59")) == 0
    assert shop.grants(at("2031-02-28 08:00")) == 1
    assert shop.grants(at("2031-02-28 08:00")) == 0
    assert shop.grants(at("2031-06-30 08:00")) == 1, "a late worker catches up at once"
    assert shop.amounts() == [1000] * 6
    shop.grants(at("2033-01-01"))
    assert shop.amounts() == [1000] * 12
    ids = [
        grant["id"].removeprefix(f"invoice:{invoice}:").partition(":")[2]
        for grant in shop.granted()
    ]
    assert ids == ["", *(str(number) for number in range(2, 13))]
    ends = [str(lot["expires_at"])[:16] for lot in lots_of(app, shop.customer.id)]
    assert ends[:3] == ["2031-02-28 08:00", "2031-03-31 08:00", "2031-04-30 08:00"]
    assert ends[-1] == "2032-01-31 08:00"
    assert [row.next_at for row in shop.rows().values()] == [None]
    books.assert_clean(app)


def test_a_year_from_a_leap_day_has_twelve_whole_months(app: Flask) -> None:
    shop = a_shop(app)
    shop.pays(a_line("basic_yearly", 10000, at("2032-02-29"), at("2033-02-28")), paid_at=JANUARY)
    shop.pays(a_line("basic_yearly", 10000, at("2035-02-28"), at("2036-02-29")), paid_at=JANUARY)
    shop.grants(at("2037-01-01"))
    assert shop.amounts() == [1000] * 24
    ends = {str(lot["expires_at"])[:10] for lot in lots_of(app, shop.customer.id)}
    assert {"2032-03-29", "2033-02-28", "2035-03-28", "2036-02-29"} <= ends


def test_an_upgrade_brings_its_part_of_the_month_less_what_was_unused(app: Flask) -> None:
    shop = a_shop(app)
    shop.pays(a_line("basic_monthly", 1000, JANUARY, FEBRUARY), paid_at=JANUARY)
    shop.pays(
        a_line("basic_monthly", -500, MID_JANUARY, FEBRUARY, proration=True),
        a_line("pro_monthly", 1500, MID_JANUARY, FEBRUARY, proration=True),
        paid_at=MID_JANUARY,
    )
    assert shop.amounts() == [1000, 1000]
    assert shop.granted()[1]["note"] == "Pro, 16 Jan – 1 Feb 2031, 500 less after a change of plan"
    assert shop.owed() == 0


def test_what_a_downgrade_gives_back_is_owed_and_paid_off_by_the_next_grants(app: Flask) -> None:
    shop = a_shop(app)
    shop.pays(a_line("pro_monthly", 3000, JANUARY, FEBRUARY), paid_at=JANUARY)
    shop.pays(
        a_line("pro_monthly", -1500, MID_JANUARY, FEBRUARY, proration=True),
        a_line("basic_monthly", 500, MID_JANUARY, FEBRUARY, proration=True),
        paid_at=MID_JANUARY,
    )
    assert (shop.amounts(), shop.owed()) == ([3000], 1000)
    assert shop.balance() == 3000, "nothing is taken back"
    shop.pays(a_line("basic_monthly", 1000, FEBRUARY, MARCH), paid_at=FEBRUARY)
    assert (shop.amounts(), shop.owed()) == ([3000], 0)
    shop.pays(a_line("basic_monthly", 1000, MARCH, at("2031-04-01")), paid_at=MARCH)
    assert (shop.amounts(), shop.owed()) == ([3000, 1000], 0)
    books.assert_clean(app)


def test_a_part_of_a_credit_is_never_given(app: Flask) -> None:
    """Rounded down where it is given, up where it is given back."""
    shop = a_shop(app)
    shop.pays(a_line("basic_monthly", 1000, JANUARY, FEBRUARY), paid_at=JANUARY)
    tenth = at("2031-01-11")  # 21 of 31 days are left: 677.42 of 1,000, 2,032.26 of 3,000
    shop.pays(
        a_line("basic_monthly", -677, tenth, FEBRUARY, proration=True),
        a_line("pro_monthly", 2032, tenth, FEBRUARY, proration=True),
        paid_at=tenth,
    )
    assert shop.amounts() == [1000, 2032 - 678]


def test_a_change_from_monthly_to_yearly_and_back(app: Flask) -> None:
    shop = a_shop(app)
    shop.pays(a_line("basic_monthly", 1000, JANUARY, FEBRUARY), paid_at=JANUARY)
    year_end = at("2032-01-16 12:00")
    shop.pays(
        a_line("basic_monthly", -500, MID_JANUARY, FEBRUARY, proration=True),
        a_line("basic_yearly", 10000, MID_JANUARY, year_end),
        paid_at=MID_JANUARY,
    )
    assert shop.amounts() == [1000, 500]
    shop.grants(at("2031-03-20"))
    assert shop.amounts() == [1000, 500, 1000, 1000]
    half = at("2031-04-01")  # the window from 16 March 12:00 to 16 April 12:00 is half over
    shop.pays(
        a_line("basic_yearly", -7945, half, year_end, proration=True),
        a_line("basic_monthly", 1000, half, at("2031-05-01")),
        paid_at=half,
    )
    assert shop.amounts() == [1000, 500, 1000, 1000, 500]
    assert shop.grants(at("2032-01-01")) == 0, "the rest of the year never comes"
    assert shop.owed() == 0


def test_a_proration_of_a_year_has_the_months_of_that_year(app: Flask) -> None:
    shop = a_shop(app)
    shop.pays(a_line("plain_yearly", 5000, JANUARY, NEXT_YEAR), paid_at=JANUARY)
    shop.pays(
        a_line("plain_yearly", -4790, MID_JANUARY, NEXT_YEAR, proration=True),
        a_line("basic_yearly", 9580, MID_JANUARY, NEXT_YEAR, proration=True),
        paid_at=MID_JANUARY,
    )
    assert shop.amounts() == [500], "half of January"
    shop.grants(FEBRUARY)
    assert shop.amounts() == [500, 1000]
    shop.grants(NEXT_YEAR)
    assert shop.amounts() == [500, *[1000] * 11]
    assert shop.granted()[-1]["note"] == "Basic, 1 Dec 2031 – 1 Jan 2032"


def test_a_change_in_the_last_month_of_a_year_brings_a_part_of_it(app: Flask) -> None:
    shop = a_shop(app)
    shop.pays(a_line("plain_yearly", 5000, JANUARY, NEXT_YEAR), paid_at=JANUARY)
    moment = at("2031-12-16 12:00")
    shop.pays(
        a_line("basic_yearly", 420, moment, NEXT_YEAR, proration=True),
        paid_at=moment,
    )
    assert shop.amounts() == [500]
    assert shop.grants(at("2033-01-01")) == 0
    shop.pays(
        a_line("basic_yearly", -210, at("2031-12-24 06:00"), NEXT_YEAR, proration=True),
        paid_at=at("2031-12-24 06:00"),
    )
    assert shop.owed() == 250


def test_prorations_that_waited_for_the_renewal_are_counted_in_their_order(app: Flask) -> None:
    """create_prorations: two changes, billed together with the next month."""
    shop = a_shop(app)
    shop.pays(a_line("basic_monthly", 1000, JANUARY, FEBRUARY), paid_at=JANUARY)
    late = at("2031-01-24 06:00")  # a quarter is left
    lines = [
        a_line("basic_monthly", 1000, FEBRUARY, MARCH),
        a_line("basic_monthly", 250, late, FEBRUARY, proration=True),
        a_line("pro_monthly", -750, late, FEBRUARY, proration=True),
        a_line("pro_monthly", 1500, MID_JANUARY, FEBRUARY, proration=True),
        a_line("basic_monthly", -500, MID_JANUARY, FEBRUARY, proration=True),
    ]
    shop.pays(*lines, paid_at=at("2031-02-01 01:00"))
    assert sum(shop.amounts()) == 1000 - 500 + 1500 - 750 + 250 + 1000
    assert shop.owed() == 0


def test_two_changes_in_one_second_give_each_back_what_is_its_own(app: Flask) -> None:
    shop = a_shop(app)
    shop.pays(a_line("basic_monthly", 1000, JANUARY, FEBRUARY), paid_at=JANUARY)
    shop.pays(
        a_line("basic_monthly", -500, MID_JANUARY, FEBRUARY, proration=True),
        a_line("pro_monthly", 1500, MID_JANUARY, FEBRUARY, proration=True),
        a_line("pro_monthly", -1500, MID_JANUARY, FEBRUARY, proration=True),
        a_line("basic_monthly", 500, MID_JANUARY, FEBRUARY, proration=True),
        paid_at=MID_JANUARY,
    )
    assert (shop.amounts(), shop.owed()) == ([1000], 0)
    late = at("2031-01-24 06:00")
    shop.pays(a_line("basic_monthly", -250, late, FEBRUARY, proration=True), paid_at=late)
    assert shop.owed() == 250


def test_a_changed_quantity_returns_the_old_one_and_brings_the_new_one(app: Flask) -> None:
    shop = a_shop(app)
    shop.pays(a_line("basic_monthly", 2000, JANUARY, FEBRUARY, quantity=2), paid_at=JANUARY)
    shop.pays(
        a_line("basic_monthly", -1000, MID_JANUARY, FEBRUARY, proration=True, quantity=2),
        a_line("basic_monthly", 1500, MID_JANUARY, FEBRUARY, proration=True, quantity=3),
        paid_at=MID_JANUARY,
    )
    assert shop.amounts() == [2000, 500]


def test_an_edit_of_the_catalogue_changes_nothing_of_what_was_paid(app: Flask) -> None:
    shop = a_shop(app)
    shop.pays(a_line("basic_yearly", 10000, JANUARY, NEXT_YEAR), paid_at=JANUARY)
    edited = CATALOG.replace(
        'credits = 1000\n\n[[plans]]\ncode = "pro"', 'credits = 7\n\n[[plans]]\ncode = "pro"'
    )
    assert edited != CATALOG
    shop.catalog = catalogs.parse(edited.replace('name = "Basic"', 'name = "Small"'))
    shop.grants(FEBRUARY)
    assert shop.amounts() == [1000, 1000]
    assert shop.granted()[1]["note"] == "Small, 1 Feb – 1 Mar 2031"
    middle = at("2031-02-15")
    shop.pays(
        a_line("basic_yearly", -8767, middle, NEXT_YEAR, proration=True),
        a_line("basic_monthly", 1000, middle, at("2031-03-15")),
        paid_at=middle,
    )
    assert shop.owed() == 500 - 7, "the return is of the thousand, the new month of today's seven"


def test_a_plan_that_left_the_catalogue_goes_on_by_its_code(app: Flask) -> None:
    shop = a_shop(app)
    shop.pays(a_line("basic_yearly", 10000, JANUARY, NEXT_YEAR), paid_at=JANUARY)
    shop.catalog = catalogs.parse(CATALOG.split("[[plans]]")[0])
    shop.grants(FEBRUARY)
    assert shop.granted()[1]["note"] == "basic, 1 Feb – 1 Mar 2031"


def test_a_period_that_is_paid_after_the_plan_was_changed_in_it(app: Flask) -> None:
    """A renewal fails, the customer changes the plan, and only then pays what was open."""
    shop = a_shop(app)
    shop.pays(
        a_line("basic_monthly", -500, MID_JANUARY, FEBRUARY, proration=True),
        a_line("pro_monthly", 1500, MID_JANUARY, FEBRUARY, proration=True),
        paid_at=MID_JANUARY,
    )
    assert shop.amounts() == [1500]
    shop.pays(a_line("basic_monthly", 1000, JANUARY, FEBRUARY), paid_at=at("2031-01-20"))
    assert (shop.amounts(), shop.owed()) == ([1500, 500], 0)


def test_a_return_of_a_trial_gives_nothing_back(app: Flask) -> None:
    shop = a_shop(app)
    shop.pays(a_line("basic_monthly", 0, JANUARY, MID_JANUARY), paid_at=JANUARY)
    shop.pays(
        a_line("basic_monthly", -1, at("2031-01-05"), MID_JANUARY, proration=True),
        a_line("pro_monthly", 3000, at("2031-01-05"), at("2031-02-05")),
        paid_at=at("2031-01-05"),
    )
    assert (shop.amounts(), shop.owed()) == ([3000], 0)


def test_what_cost_nothing_is_given_back_without_a_line(app: Flask) -> None:
    """With a coupon over everything Stripe has no money to give back, so no line says so; going
    to and fro between monthly and yearly would bring credits each time."""
    shop = a_shop(app)
    shop.pays(a_line("basic_monthly", 1000, JANUARY, FEBRUARY), paid_at=JANUARY, total=0)
    moments = [at(f"2031-01-{day}") for day in ("05", "06", "07", "08")]
    for number, moment in enumerate(moments):
        yearly = number % 2 == 0
        end = moment.replace(year=2032) if yearly else moment.replace(month=2)
        price = "basic_yearly" if yearly else "basic_monthly"
        shop.pays(a_line(price, 10000 if yearly else 1000, moment, end), paid_at=moment, total=0)
    used = sum(shop.amounts()) - shop.owed()
    assert 1000 <= used <= 1000 + 1000 * 7 // 28
    assert sum(shop.amounts()) <= 1250


def test_money_that_was_paid_twice_brings_credits_twice(app: Flask) -> None:
    """A change of the interval without proration: nothing was given back, so nothing is owed."""
    shop = a_shop(app)
    shop.pays(a_line("basic_monthly", 1000, JANUARY, FEBRUARY), paid_at=JANUARY)
    shop.pays(a_line("pro_yearly", 30000, MID_JANUARY, NEXT_YEAR), paid_at=MID_JANUARY)
    assert shop.amounts() == [1000, 36000]


def test_cancelling_and_subscribing_again_brings_no_free_credits(app: Flask) -> None:
    """Each day she cancels, has the unused time given back, and subscribes anew."""
    shop = PaperShop(app)
    for day in range(1, 6):
        name, start, end = f"sub_{day}", at(f"2031-01-0{day}"), at(f"2031-02-0{day}")
        shop.subscribed(name)
        month = a_line("basic_monthly", 1000, start, end, subscription=name)
        shop.pays(month, paid_at=start)
        cancelled = at(f"2031-01-0{day + 1}")
        unused = a_line("basic_monthly", -968, cancelled, end, proration=True, subscription=name)
        shop.pays(unused, paid_at=cancelled)
        shop.subscribed(name, "canceled", cancelled)
    used = 5 * (1000 - 968)  # a day of 31, rounded
    assert sum(shop.amounts()) - shop.owed() == used
    assert sum(shop.amounts()) == 1000 + 4 * (1000 - 968), "what is unused pays for the next month"


def test_due_installments_come_before_an_invoice_that_is_paid_later(app: Flask) -> None:
    """Whether the worker was in time or not, the grants are the same, in the same order."""
    found = []
    for in_time in (True, False):
        shop = a_shop(app)
        shop.pays(a_line("basic_yearly", 10000, JANUARY, NEXT_YEAR), paid_at=JANUARY)
        if in_time:
            shop.grants(FEBRUARY)
        shop.pays(
            a_line("basic_yearly", -7945, at("2031-02-15"), NEXT_YEAR, proration=True),
            a_line("pro_yearly", 23836, at("2031-02-15"), NEXT_YEAR, proration=True),
            paid_at=at("2031-02-15"),
        )
        found.append([(grant["credits"], grant["note"]) for grant in shop.granted()])
    assert found[0] == found[1]
    assert [credits for credits, _ in found[0]][:2] == [1000, 1000]


def test_a_year_that_is_paid_late_brings_its_months_so_far_at_once(app: Flask) -> None:
    shop = a_shop(app)
    shop.pays(a_line("basic_yearly", 10000, JANUARY, NEXT_YEAR), paid_at=at("2031-03-05"))
    assert shop.amounts() == [1000] * 3


def test_rows_say_when_the_next_installment_comes(app: Flask) -> None:
    shop = a_shop(app)
    shop.pays(a_line("basic_yearly", 10000, JANUARY, NEXT_YEAR), paid_at=JANUARY)
    (row,) = shop.rows().values()
    assert (row.installments, row.done, row.next_at) == (12, 1, FEBRUARY)
    assert (row.earned, row.granted, row.ended_at) == (1000, 1000, None)
    with app.app_context():
        assert db.session.execute(text("SELECT COUNT(*) FROM plan_credits")).scalar() == 1
