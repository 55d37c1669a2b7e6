"""Checks of what runs: the shop, the worker, what waits, what failed."""

import json
import os
import runpy
from datetime import timedelta

from sqlalchemy import func, select

from storefront import reconciling, users, work
from storefront.db import utcnow
from storefront.doctor.asking import Answer, post
from storefront.doctor.at_stripe import age
from storefront.doctor.findings import Finding, NotLookedAt, failure, ok, warning
from storefront.doctor.visit import Visit
from storefront.inbox import StripeEvent
from storefront.jobs import Job
from storefront.payments import Payment
from storefront.stripe_gateway import signature

WORKER_SILENT = timedelta(minutes=3)
BACKLOG = timedelta(minutes=5)
FAILED_FOR = timedelta(hours=1)
DEMO_EMAIL = "demo@example.com"
NOT_AN_EVENT = json.dumps({"object": "doctor"}).encode()
"""Signed and posted: what is no event is refused after its signature was checked, and leaves
nothing behind."""


def shop(visit: Visit) -> Finding:
    """It answers at APP_URL, and says that it is ready."""
    answer, url = visit.answer, visit.config.app_url
    if isinstance(answer, str):
        return visit.bad(answer, "bin/run")
    if answer.status == 503 and "run" in answer.body:
        return failure(f"{url} is not ready", str(answer.body["run"]))
    if answer.status != 200 or answer.body.get("status") != "ok":
        found = f"{url} answers {answer.status} to /readyz, and not as the shop does"
        return failure(found, "let APP_URL lead to the shop, and look at its log")
    return ok(f"{url} is ready")


def round_trip(visit: Visit) -> Finding:
    """What is signed with our secret is accepted at the address that Stripe is given."""
    secrets = visit.config.stripe_webhook_secrets
    if isinstance(visit.answer, str):
        raise NotLookedAt(visit.answer)
    if not secrets:
        raise NotLookedAt("STRIPE_WEBHOOK_SECRET is not set")
    for number, secret in enumerate(secrets, 1):
        said = _said(visit, {"Stripe-Signature": signature(NOT_AN_EVENT, secret)})
        if said != "bad_input":
            which = f"secret {number} of {len(secrets)}" if len(secrets) > 1 else "our secret"
            return failure(f"signed with {which}, a request is answered: {said}", _mend(said))
    forged = signature(NOT_AN_EVENT, "whsec_of_nobody")
    if _said(visit, {"Stripe-Signature": forged}) == "bad_input":
        return failure("a request that nobody signed is accepted", "look at what APP_URL leads to")
    return ok(f"{visit.site.url} knows our signature from others")


def worker(visit: Visit) -> Finding:
    """Somebody does what was promised."""
    starts = [it.started_at for it in work.schedule_state(visit.tables()) if it.started_at]
    if not starts:
        return failure("none has ever run: no mail, no retries, no renewals", "flask worker")
    if utcnow() - max(starts) > WORKER_SILENT:
        return failure(f"silent for {age(max(starts))}", "flask worker")
    return ok(f"at work {age(max(starts))} ago")


def schedule(visit: Visit) -> Finding:
    """What is done again and again ends well."""
    states = work.schedule_state(visit.tables())
    failed = [it for it in states if it.error]
    if failed:
        found = f"{failed[0].name} failed: {(failed[0].error or '').splitlines()[0]}"
        return failure(found, "flask jobs schedule")
    late = [it.name for it in states if it.state == "late"]
    if late:
        return warning(f"late: {', '.join(late)}", "flask jobs schedule")
    return ok(f"{len(states)} entries")


def events(visit: Visit) -> Finding:
    """No event waits for a person, or for too long."""
    waiting = select(StripeEvent.state, func.count()).group_by(StripeEvent.state)
    waiting = waiting.where(StripeEvent.state.in_(("failed", "parked")))
    counts = {state: count for state, count in visit.tables().execute(waiting)}  # noqa: C416
    if counts.get("parked"):
        found = f"{counts['parked']} events are parked: each has an effect that is missing"
        return failure(found, "flask webhooks list --state parked")
    oldest = visit.tables().scalar(
        select(StripeEvent.received_at)
        .where(StripeEvent.state == "failed")
        .order_by(StripeEvent.received_at)
        .limit(1)
    )
    if oldest is None:
        return ok("none failed")
    found = f"{counts['failed']} failed, the oldest {age(oldest)} ago; they are tried again"
    late = utcnow() - oldest > FAILED_FOR
    return warning(found, "flask webhooks list --state failed") if late else ok(found)


def backlog(visit: Visit) -> Finding:
    """Promised work is done soon, and none was given up."""
    given_up = visit.tables().scalar(
        select(func.count()).where(Job.given_up_at.is_not(None), Job.done_at.is_(None))
    )
    if given_up:
        return warning(f"{given_up} jobs were given up", "flask jobs list")
    due = (Job.done_at.is_(None), Job.given_up_at.is_(None), Job.run_at <= utcnow())
    waiting = select(func.count(), func.min(Job.run_at)).where(*due)
    count, oldest = visit.tables().execute(waiting).one()
    if count and utcnow() - oldest > BACKLOG:
        found = f"{count} jobs are due, the oldest for {age(oldest)}"
        return failure(found, "flask worker (one more)")
    return ok(f"{count} jobs are due")


def gunicorn(visit: Visit) -> Finding:
    """No door that nobody uses, and on SQLite one web process."""
    settings = runpy.run_path(str(visit.gunicorn_file))
    given = os.environ.get("GUNICORN_CMD_ARGS", "")
    if settings.get("control_socket_disable") is not True or "--control-socket" in given:
        found = "gunicorn opens its control socket: who reaches it, adds and removes workers"
        return failure(found, f"control_socket_disable = True in {visit.gunicorn_file.name}")
    if visit.config.sqlite and settings.get("workers", 1) != 1:
        found = f"{settings['workers']} web processes on SQLite: their writers wait for each other"
        return warning(found, f"workers = 1 in {visit.gunicorn_file.name}, or PostgreSQL")
    return ok("no control socket")


def reconciled(visit: Visit) -> Finding:
    """The last comparison of our books with Stripe's."""
    found = next(iter(reconciling.latest(visit.tables(), 1)), None)
    if found is None:
        return ok("not compared yet: the worker does so each night")
    if found.error:
        return warning(f"the last comparison did not end: {found.error}", "flask reconcile")
    when = f"when compared {age(found.started_at)} ago"
    if found.money_remaining:
        text = f"{found.money_remaining} differences about money or credits {when}"
        return failure(text, "flask reconcile --repair")
    if found.remaining:
        return warning(f"{found.remaining} differences {when}", "flask reconcile --repair")
    return ok(f"as Stripe's {when}")


def demo_customer(visit: Visit) -> Finding:
    """Its password stands in a file."""
    visit.tables()
    if users.find_by_email(DEMO_EMAIL) is not None:
        return warning(f"the demo customer {DEMO_EMAIL} can sign in", "use a database of its own")
    return ok("there is none")


def first_purchase(visit: Visit) -> Finding:
    """Somebody has bought something, once, from the first click to the credits."""
    paid = select(Payment.id).where(Payment.status == "succeeded").limit(1)
    if visit.tables().scalar(paid) is None:
        mend = f"buy something at {visit.config.app_url}/top-up with a real card, and refund it"
        return warning("nobody has bought anything yet", mend)
    return ok("a payment has succeeded")


def _said(visit: Visit, headers: dict[str, str]) -> str:
    """The code of the refusal, or what else is answered."""
    headers |= {"Content-Type": "application/json"}
    answer = post(visit.site.url, NOT_AN_EVENT, headers)
    if isinstance(answer, Answer):
        return str(answer.body.get("code") or answer.status)
    return answer


def _mend(said: str) -> str:
    if said in ("bad_signature", "webhook_not_configured"):
        return "start the shop again, so that it reads .env"
    return "let APP_URL with STRIPE_WEBHOOK_PATH lead to the shop"
