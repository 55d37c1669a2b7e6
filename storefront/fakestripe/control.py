"""`/_control/…`: what people and tests may see and do that Stripe's API does not offer.

No key is needed, because it only answers on the loopback interface; requests that a web page of
another site could have caused are refused.
"""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request

from . import banks, cards, control_money, deliveries
from .account import Account, Work, current_account
from .auth import revoke
from .billing import collection
from .control_input import BadRequest, NotFound, given, guard, integer, limit, number, refuse
from .errors import JSON
from .faults import BadFault
from .records import Query, Record, matches
from .store import TABLES, Transaction
from .ticker import advance
from .webhook_endpoints import TYPE as ENDPOINT
from .webhook_endpoints import listening, roll_secret, switch

bp = Blueprint("fakestripe_control", __name__, url_prefix="/_control")
bp.before_request(guard)
bp.register_error_handler(BadRequest, refuse)
bp.register_error_handler(BadFault, refuse)

MAX_ADVANCE_SECONDS = 5 * 366 * 24 * 3600
MAX_DRAIN_SECONDS = 300
MAX_REDELIVERIES = 1_000
MAX_ROLL_SECONDS = 24 * 3600


def register(app: Flask) -> None:
    """Add the control interface to the app."""
    app.register_blueprint(bp)
    app.register_blueprint(control_money.bp)


@bp.get("/state")
@bp.get("/")
def state() -> Response:
    """Show the whole at a glance: clock, counts, endpoints, faults."""
    account = current_account()
    with account.store.reading() as tx:
        rows = tx.execute(
            "SELECT type, COUNT(*) FROM objects WHERE deleted = 0 GROUP BY type"
        ).fetchall()
        endpoints = [_standing(record) for record in tx.records.all(ENDPOINT)]
        delivery_counts = deliveries.counts(tx)
        publishable_key = tx.meta("publishable_key")
        dunning_end = tx.meta(collection.END_SETTING) or collection.ENDS[0]
    return jsonify(
        account=account.id,
        url=account.url,
        publishable_key=publishable_key,
        dunning_end=dunning_end,
        clock=_clock(account),
        objects=dict(rows),
        deliveries=delivery_counts,
        webhook_endpoints=endpoints,
        faults=account.faults.listed(),
        webhook_faults=account.webhook_faults.listed(),
    )


@bp.get("/objects")
def objects() -> Response:
    """List objects of one type, or the newest of all, newest first."""
    type, most = request.args.get("type"), limit()
    with current_account().store.reading() as tx:
        if type:
            records, _ = tx.records.page(Query(type, limit=most))
        else:
            ids = tx.execute(
                "SELECT id FROM objects WHERE deleted = 0 AND type != 'event'"
                " ORDER BY seq DESC LIMIT ?",
                (most,),
            ).fetchall()
            records = [record for (id,) in ids if (record := tx.records.named(id)) is not None]
    return jsonify(data=[record.shown() for record in records])


@bp.get("/objects/<id>")
def show_object(id: str) -> Response:
    """Show one object as the API shows it."""
    with current_account().store.reading() as tx:
        record = tx.records.named(id)
    if record is None:
        raise NotFound(f"there is no object {id}")
    return jsonify(record.shown())


@bp.get("/events")
def events() -> Response:
    """List events newest first, of one type or a pattern such as `charge.*`."""
    type = request.args.get("type")
    conditions = (matches("type", type),) if type else ()
    with current_account().store.reading() as tx:
        records, _ = tx.records.page(Query("event", conditions, limit()))
    return jsonify(data=[record.shown() for record in records])


@bp.get("/deliveries")
def list_deliveries() -> Response:
    """List deliveries newest first, each with every attempt; of one event if asked."""
    with current_account().store.reading() as tx:
        found = deliveries.listed(tx, request.args.get("event"), limit())
        counts = deliveries.counts(tx)
    return jsonify(data=found, counts=counts)


@bp.post("/events/<id>/redeliver")
def redeliver_event(id: str) -> Response:
    """Send one event again, `times` times."""
    times = integer("times", 1, MAX_REDELIVERIES, 1)
    account = current_account()
    with account.store.writing() as tx:
        event = tx.get("event", id)
        if event is None:
            raise NotFound(f"there is no event {id}")
        return jsonify(_redeliver(account, tx, event, times))


@bp.post("/redeliver")
def redeliver_latest() -> Response:
    """Send the latest event of a type again, `times` times."""
    times = integer("times", 1, MAX_REDELIVERIES, 1)
    type = given().get("type")
    if not isinstance(type, str):
        raise BadRequest("type must be an event type such as payment_intent.succeeded")
    account = current_account()
    with account.store.writing() as tx:
        found, _ = tx.records.page(Query("event", (matches("type", type),), 1))
        if not found:
            raise NotFound(f"there is no event of type {type} yet")
        return jsonify(_redeliver(account, tx, found[0], times))


@bp.post("/drain")
def drain() -> Response:
    """Wait until nothing is to be delivered any more, at most `seconds` (10)."""
    seconds = number("seconds", 0, MAX_DRAIN_SECONDS, 10)
    account = current_account()
    for batch in account.webhook_faults.release():
        account.deliverer.run_batch(batch)
    drained = account.deliverer.wait(seconds, due_only=False)
    with account.store.reading() as tx:
        return jsonify(drained=drained, **deliveries.counts(tx))


@bp.get("/clock")
def show_clock() -> Response:
    """Show the stand-in's time, and how far it is ahead of real time."""
    return jsonify(_clock(current_account()))


@bp.post("/clock")
def move_clock() -> Response:
    """Move the clock forward; everything that comes due is done before the answer."""
    seconds = number("advance_seconds", 0, MAX_ADVANCE_SECONDS)
    account = current_account()
    advance(account, seconds)
    return jsonify(_clock(account))


@bp.get("/dunning")
def show_dunning() -> Response:
    """Show what becomes of a subscription after its last failed retry."""
    with current_account().store.reading() as tx:
        return jsonify(end=tx.meta(collection.END_SETTING) or collection.ENDS[0])


@bp.post("/dunning")
def set_dunning() -> Response:
    """Choose it: `canceled`, `unpaid` or `past_due`."""
    end = given().get("end")
    if end not in collection.ENDS:
        raise BadRequest(f"end must be one of {', '.join(collection.ENDS)}")
    with current_account().store.writing() as tx:
        tx.set_meta(collection.END_SETTING, end)
    return jsonify(end=end)


@bp.get("/faults")
def list_faults() -> Response:
    """List the API faults in force."""
    return jsonify(data=current_account().faults.listed())


@bp.post("/faults")
def add_fault() -> tuple[Response, int]:
    """Switch an API fault on; the fields are those of `Fault`."""
    account = current_account()
    fault = account.faults.add(given())
    return jsonify(fault), 201


@bp.delete("/faults", defaults={"id": None})
@bp.delete("/faults/<id>")
def clear_faults(id: str | None) -> Response:
    """Switch all API faults off, or one."""
    return jsonify(removed=_removed(current_account().faults.clear(id), id))


@bp.get("/webhook_faults")
def list_webhook_faults() -> Response:
    """List the delivery faults in force."""
    return jsonify(data=current_account().webhook_faults.listed())


@bp.post("/webhook_faults")
def add_webhook_fault() -> tuple[Response, int]:
    """Switch a delivery fault on; the fields are those of `WebhookFault`."""
    rule = current_account().webhook_faults.add(given())
    return jsonify(rule), 201


@bp.delete("/webhook_faults", defaults={"id": None})
@bp.delete("/webhook_faults/<id>")
def clear_webhook_faults(id: str | None) -> Response:
    """Switch all delivery faults off, or one; what they held back is sent."""
    account = current_account()
    removed, batches = account.webhook_faults.clear(id)
    for batch in batches:
        account.deliverer.run_batch(batch)
    return jsonify(removed=_removed(removed, id))


@bp.post("/keys/revoke")
def revoke_key() -> Response:
    """Make an API key answer 401 from now on."""
    key = given().get("key")
    if not isinstance(key, str) or not key:
        raise BadRequest("key must be the API key to revoke")
    with current_account().store.writing() as tx:
        revoke(key, tx)
    return jsonify(revoked=True)


@bp.post("/webhook_endpoints/<id>/roll")
def roll(id: str) -> Response:
    """Give an endpoint a new secret; both sign for `expires_in` seconds (at most 24 hours)."""
    keep = number("expires_in", 0, MAX_ROLL_SECONDS, 0)
    account = current_account()
    with account.store.writing() as tx:
        endpoint = _endpoint(tx, id)
        # Real time, like the signatures: the receiver's clock does not follow ours.
        secret = roll_secret(Work(account, tx), endpoint, time.time(), keep)
    return jsonify(secret=secret)


@bp.post("/webhook_endpoints/<id>/<any(enable, disable):action>")
def switch_endpoint(id: str, action: str) -> Response:
    """Enable or disable an endpoint, as the Dashboard can."""
    with current_account().store.writing() as tx:
        endpoint = _endpoint(tx, id)
        switch(endpoint, on=action == "enable")
        tx.records.save(endpoint)
        return jsonify(endpoint.shown())


@bp.get("/cards")
def test_cards() -> Response:
    """Show the table of test cards and test bank accounts."""
    return jsonify(
        cards=[
            {"number": card.number, "title": card.title, "brand": card.brand, "ids": card.ids}
            for card in cards.CARDS
        ],
        bank_accounts=[
            {"type": a.type, "number": a.number, "title": a.title, "ids": a.ids,
             "routing_number": banks.ACH_ROUTING_NUMBER if a.type == "us_bank_account" else None}
            for a in banks.ACCOUNTS
        ],
    )  # fmt: skip


@bp.post("/reset")
def reset() -> Response:
    """Forget everything but the keys and, unless `webhook_endpoints` is true, the webhook
    endpoints; the clock is real time again."""
    account = current_account()
    forget_endpoints = given().get("webhook_endpoints", False) is True
    account.faults.clear()
    account.webhook_faults.clear()
    with account.store.writing() as tx:
        for table in TABLES:
            keep = table == "objects" and not forget_endpoints
            kept = f" WHERE type != '{ENDPOINT}'" if keep else ""
            tx.execute(f"DELETE FROM {table}{kept}")  # noqa: S608  our own table names
        tx.execute("DELETE FROM meta WHERE name LIKE 'revoked:%'")
        tx.execute("DELETE FROM meta WHERE name = ?", (collection.END_SETTING,))
    account.clock.reset()
    return jsonify(reset=True)


def _standing(endpoint: Record) -> JSON:
    """Return an endpoint with the moment since which it has not answered 2xx."""
    return {**endpoint.shown(), "failing_since": endpoint.private.get("failing_since")}


def _endpoint(tx: Transaction, id: str) -> Record:
    endpoint = tx.get(ENDPOINT, id)
    if endpoint is None or endpoint.deleted:
        raise NotFound(f"there is no webhook endpoint {id}")
    return endpoint


def _redeliver(account: Account, tx: Any, event: Record, times: int) -> JSON:
    endpoints = listening(tx, event.body["type"])
    ids = deliveries.redeliver(Work(account, tx), event, endpoints, times)
    return {"event": event.id, "deliveries": ids}


def _clock(account: Account) -> JSON:
    return {"now": account.clock.time(), "ahead_seconds": account.clock.offset()}


def _removed(count: int, id: str | None) -> int:
    if id is not None and count == 0:
        raise NotFound(f"there is no fault {id}")
    return count
