"""A customer on Billing, at Checkout and in the Customer Portal: what people do there, in the words
of the pages, and what must be true of them whenever the shop has come to rest."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import BrowserContext, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront import ledger
from storefront.db import clock
from storefront.jobs.promises import Job
from storefront.subscriptions import Subscription
from storefront.users import User
from tests.support import databases
from tests.support.buyer import Buyer
from tests.support.served import eventually
from tests.support.shop import RunningShop

VISA = "4242 4242 4242 4242"
Json = dict[str, Any]


class Subscriber(Buyer):
    """A buyer who also knows the shop from behind: its rows, its mails, what Stripe holds."""

    def __init__(self, context: BrowserContext, shop: RunningShop) -> None:
        super().__init__(context, shop.url)
        self.shop = shop

    def presses(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def follows(self, name: str | re.Pattern[str]) -> None:
        self.page.get_by_role("link", name=name).click()

    def sees(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_role("main").get_by_text(text).first).to_be_visible()

    def sees_heading(self, name: str) -> None:
        expect(self.page.get_by_role("heading", name=name)).to_be_visible()

    def has(self, plan: str, status: str) -> None:
        """What Billing says: the plan in force, and how the subscription stands."""
        expect(self.page.get_by_test_id("plan")).to_have_text(plan)
        expect(self.page.get_by_test_id("plan-status")).to_have_text(status)

    def fills_in(self, card: str = VISA) -> None:
        """The card's fields on a page of Stripe's."""
        self.page.get_by_label("Card number").fill(card)
        self.page.get_by_label("Expiration date").fill("12 / 34")
        self.page.get_by_label("Security code").fill("123")

    def answers_the_bank(self, button: str) -> None:
        """Press Complete or Fail in the 3-D Secure challenge of a page of Stripe's."""
        challenge = self.page.frame_locator("dialog iframe")
        challenge.get_by_role("button", name=button, exact=True).click()

    def may_see_reports(self) -> bool:
        """Asks for the page that is part of some plans only. (Not in the browser, which notes a
        refusal in its console.)"""
        answer = self.context.request.get(f"{self.shop_url}/reports")
        assert answer.status in (200, 403)
        named = "<h1>Reports" if answer.ok else "Reports about everything is part of Premium"
        assert named in answer.text()
        return answer.ok

    def subscribes(self, card: str = VISA) -> None:
        """Premium, by the month, until Billing says that it is active."""
        self.visits("/billing")
        self.presses("Go Premium monthly")
        self.fills_in(card)
        self.presses("Subscribe")
        self.sees_heading("Premium is active")
        self.has("Premium", "Active")

    def mails(self, subject: str) -> list[str]:
        """The mails to this customer whose subject begins so, oldest first."""
        found = self.shop.mails_to(self.email)
        return [mail for mail in found if mail.startswith(subject)]

    def is_written_to(self, subject: str, says: str = "") -> None:
        """The worker has sent such a mail, or will in a moment."""
        what = f"a mail {subject!r} that says {says!r}"
        eventually(lambda: any(says in mail for mail in self.mails(subject)), what)

    def at_stripe(self, type: str) -> list[Json]:
        """The customer's objects of a type as fakestripe holds them, newest first."""
        everybody = self.shop.stripe("objects?type=customer&limit=1000")["data"]
        mine = {each["id"] for each in everybody if each["email"] == self.email}
        found = self.shop.stripe(f"objects?type={type}&limit=1000")["data"]
        return [each for each in found if each["customer"] in mine]

    def subscription(self) -> Json:
        """The newest one at fakestripe."""
        return self.at_stripe("subscription")[0]

    def looks_until(self, seen: Callable[[], bool], what: str) -> None:
        """Load Billing again and again until something shows: a webhook is on its way."""

        def look() -> bool:
            self.visits("/billing")
            return seen()

        eventually(look, what)

    def sees_soon(self, text: str) -> None:
        """Billing says so, once the worker has done what Stripe's event asks for."""
        main = self.page.get_by_role("main")
        self.looks_until(lambda: text in main.inner_text(), text)

    def ends_everything(self) -> None:
        """Cancel what still runs, so that no later story's clock renews it."""
        for each in self.at_stripe("subscription"):
            if each["status"] not in ("canceled", "incomplete_expired"):
                self.shop.stripe_api("DELETE", f"subscriptions/{each['id']}")


def check_the_books(subscriber: Subscriber) -> None:
    """At rest, our rows are what Stripe holds, and the ledger is clean."""
    shop = subscriber.shop
    shop.stripe("drain", {})
    with databases.an_engine(shop.database_url) as engine, Session(engine) as session:
        eventually(lambda: _nothing_is_due(session), "the worker has done all that is due")
        mine = select(Subscription).join(User).where(User.email == subscriber.email)
        ours = [_as_stripe_says_it(row) for row in session.scalars(mine)]
        problems = ledger.verify(session)
    theirs = [_what_we_mirror(each) for each in subscriber.at_stripe("subscription")]
    assert sorted(ours, key=str) == sorted(theirs, key=str)
    assert problems == []


def _nothing_is_due(session: Session) -> bool:
    session.rollback()  # look anew
    still_open = Job.done_at.is_(None), Job.given_up_at.is_(None), Job.run_at <= clock(session)
    return session.scalar(select(Job.key).where(*still_open).limit(1)) is None


def _as_stripe_says_it(row: Subscription) -> Json:
    return {
        "id": row.stripe_subscription_id,
        "status": row.status,
        "item": row.stripe_item_id,
        "price": row.stripe_price_id,
        "product": row.stripe_product_id,
        "quantity": row.quantity,
        "period": (row.current_period_start, row.current_period_end),
        "cancel_at_period_end": row.cancel_at_period_end,
        "cancel_at": row.cancel_at,
        "trial": (row.trial_start, row.trial_end),
        "started_at": row.started_at,
        "ended_at": row.ended_at,
    }


def _what_we_mirror(subscription: Json) -> Json:
    (item,) = subscription["items"]["data"]
    return {
        "id": subscription["id"],
        "status": subscription["status"],
        "item": item["id"],
        "price": item["price"]["id"],
        "product": item["price"]["product"],
        "quantity": item["quantity"],
        "period": (_time(item["current_period_start"]), _time(item["current_period_end"])),
        "cancel_at_period_end": subscription["cancel_at_period_end"],
        "cancel_at": _time(subscription["cancel_at"]),
        "trial": (_time(subscription["trial_start"]), _time(subscription["trial_end"])),
        "started_at": _time(subscription["start_date"]),
        "ended_at": _time(subscription["ended_at"]),
    }


def _time(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
