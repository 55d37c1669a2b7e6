"""GET /metrics, for Prometheus: what the web processes counted, and what waits in the database."""

from collections.abc import Iterator
from datetime import datetime

from flask import Blueprint, Response, request
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from storefront import catching_up, inbox
from storefront.admin import overview
from storefront.db import db, utcnow
from storefront.errors import NotFound, StorefrontError
from storefront.observing import counting
from storefront.observing.serving import has_token, is_loopback
from storefront.web.current import settings

FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")

bp = Blueprint("metrics", __name__)


class TokenNeeded(StorefrontError):
    """The figures are shown to who knows METRICS_TOKEN."""

    status = 401
    code = "token_needed"
    title = "A token is needed"


@bp.get("/metrics")
def show() -> Response:
    """Figures in Prometheus' text format. Never public: for who shows METRICS_TOKEN; without one,
    in development, for this machine."""
    _refuse_strangers()
    return Response(counting.exposition(Waiting()), content_type=counting.CONTENT_TYPE)


def _refuse_strangers() -> None:
    config = settings()
    if config.metrics_token:
        if not has_token(config.metrics_token, request.headers.get("Authorization")):
            raise TokenNeeded("Show METRICS_TOKEN as Authorization: Bearer ….")
        return
    # In production a proxy on this machine makes every customer look like one of its own.
    local = is_loopback(request.remote_addr) and not any(map(request.headers.get, FORWARDED))
    if config.production or not local:
        raise NotFound("There is no such page here.")


class Waiting(Collector):
    """What the database says at the moment of the scrape: sizes and ages of what waits."""

    def collect(self) -> Iterator[Metric]:
        try:
            figures = _figures()
        except SQLAlchemyError:
            figures = []
        answers = GaugeMetricFamily(
            "storefront_database_up", "1 when the database answered this scrape."
        )
        answers.add_metric([], 1 if figures else 0)
        return iter([answers, *figures])


def _figures() -> list[Metric]:
    now, session = utcnow(), db.session()
    health, coverage = overview.health(session, now), catching_up.coverage(session)
    unsettled = inbox.unsettled(session, 1)
    events = GaugeMetricFamily(
        "storefront_events_unsettled", "Events of Stripe's without their effect.", labels=["state"]
    )
    events.add_metric(["failed"], health.failed_events)
    events.add_metric(["parked"], health.parked_events)
    jobs = GaugeMetricFamily("storefront_jobs_waiting", "Jobs by state.", labels=["state"])
    jobs.add_metric(["due"], health.waiting_jobs)
    jobs.add_metric(["given_up"], health.given_up_jobs)
    return [
        events,
        _age(
            "storefront_events_unsettled_oldest_seconds",
            "Age of the oldest event without its effect; 0 when there is none.",
            unsettled[0][0] if unsettled else None,
            now,
        ),
        jobs,
        _age(
            "storefront_jobs_due_oldest_seconds",
            "How long the job that waits longest has been due; 0 when none is.",
            health.oldest,
            now,
        ),
        *_coverage(coverage, now),
    ]


def _coverage(coverage: catching_up.Coverage, now: datetime) -> list[Metric]:
    """Nothing about its age before each type of event was walked once: that is no age of 0."""
    missing = GaugeMetricFamily(
        "storefront_webhook_events_missing",
        "Events of the last 30 days that Stripe's list had and no delivery had brought.",
    )
    missing.add_metric([], coverage.missing)
    if coverage.until is None:
        return [missing]
    what = "How long ago everything on Stripe's list was known to be here."
    return [missing, _age("storefront_webhook_coverage_age_seconds", what, coverage.until, now)]


def _age(name: str, what: str, since: datetime | None, now: datetime) -> Metric:
    gauge = GaugeMetricFamily(name, what)
    gauge.add_metric([], max(0.0, (now - since).total_seconds()) if since else 0)
    return gauge
