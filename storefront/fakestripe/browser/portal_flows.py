"""Deep links into the portal: where a flow begins, and what comes after it."""

from __future__ import annotations

from urllib.parse import urlencode

from ..account import Work
from ..errors import JSON
from ..records import Record

FINISHED = "flow_finished"  # in the private part: the whole portal is open from then on
PAGES = {
    "payment_method_update": "payment_method",
    "customer_update": "details",
    "subscription_cancel": "cancel",
    "subscription_pause": "pause",
    "subscription_update": "update",
    "subscription_update_confirm": "preview",
}


def current(portal: Record) -> JSON | None:
    """The flow that the session still has to go through, or None."""
    flow: JSON | None = portal.body["flow"]
    return None if portal.private.get(FINISHED) else flow


def base(portal: Record) -> str:
    """The path of the session's home."""
    return f"/p/session/{portal.id}"


def path(portal: Record, flow: JSON) -> str:
    """Where a flow begins."""
    kind, home = flow["type"], base(portal)
    if kind == "payment_method_update":
        return f"{home}/payment-method"
    if kind == "customer_update":
        return f"{home}/details"
    subscription = f"{home}/subscriptions/{flow[kind]['subscription']}"
    if kind != "subscription_update_confirm":
        return f"{subscription}/{PAGES[kind]}"
    item = flow[kind]["items"][0]
    query = {"price": item["price"]}
    if item.get("quantity"):
        query["quantity"] = str(item["quantity"])
    return f"{subscription}/preview?{urlencode(query)}"


def allows(portal: Record, page: str, subscription: str | None) -> bool:
    """Whether a page may be seen: during a flow its own pages only."""
    flow = current(portal)
    if flow is None:
        return True
    kind = flow["type"]
    pages = {PAGES[kind], "preview"} if kind == "subscription_update" else {PAGES[kind]}
    about = (flow.get(kind) or {}).get("subscription")
    return page in pages and about == subscription


def finish(work: Work, portal: Record, text: str) -> str:
    """End the flow, if there is one; return the address that comes next.

    `text` is what the home page then says at its top.
    """
    flow = current(portal)
    after = flow["after_completion"] if flow else None
    portal.private[FINISHED] = True
    if after is not None and after["type"] == "redirect":
        work.save(portal)
        return str(after["redirect"]["return_url"])
    if after is not None and after["type"] == "hosted_confirmation":
        portal.private["said"] = (after["hosted_confirmation"] or {}).get("custom_message")
        work.save(portal)
        return f"{base(portal)}/done"
    portal.private["notice"] = text
    work.save(portal)
    return base(portal)


def custom_message(portal: Record) -> str | None:
    """The text that the flow's confirmation shows."""
    text: str | None = portal.private.get("said")
    return text


def take_notice(work: Work, portal: Record) -> str | None:
    """What the last action ended with: said once."""
    text: str | None = portal.private.pop("notice", None)
    if text:
        work.save(portal)
    return text
