"""What is counted and timed, for Prometheus.

Under gunicorn each process counts in a file of its own in the folder PROMETHEUS_MULTIPROC_DIR,
which gunicorn.conf.py makes, and whichever process is asked adds them up. A worker counts in its
memory and shows that itself (`serving`): added to the web's, its counts would fall whenever it is
started anew, and Prometheus would take that for new ones.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from time import perf_counter

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics import disable_created_metrics
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
FAST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
SLOW = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
LATE = (1, 2, 3, 5, 10, 30, 60, 300, 1800, 3600, 6 * 3600, 24 * 3600)
"""Seconds. Stripe tells when it made an event in whole seconds."""

disable_created_metrics()  # type: ignore[no-untyped-call]

REQUESTS = Counter(
    "storefront_requests", "Requests by route and status.", ["method", "route", "status"]
)
REQUEST_SECONDS = Histogram(
    "storefront_request_seconds", "How long answers took.", ["method", "route"], buckets=FAST
)
EVENTS = Counter(
    "storefront_events",
    "Stripe's events by type and what became of them, each try counted.",
    ["type", "outcome"],
)
EVENT_TO_CREDIT = Histogram(
    "storefront_event_to_credit_seconds",
    "From when a payment or an invoice was paid at Stripe until its credits were there.",
    buckets=LATE,
)
STRIPE_CALLS = Counter(
    "storefront_stripe_calls", "Calls to Stripe by outcome.", ["operation", "outcome"]
)
STRIPE_SECONDS = Histogram(
    "storefront_stripe_call_seconds", "How long Stripe took.", ["operation"], buckets=SLOW
)
JOBS = Counter("storefront_jobs", "Jobs that workers did, by outcome.", ["kind", "outcome"])
JOB_SECONDS = Histogram("storefront_job_seconds", "How long jobs took.", ["kind"], buckets=SLOW)


def request(method: str, route: str, status: str, seconds: float) -> None:
    count, time = _request_series(method if method in METHODS else "other", route, status)
    count.inc()
    time.observe(seconds)


@cache
def _request_series(method: str, route: str, status: str) -> tuple[Counter, Histogram]:
    """Looked up once, which takes longer than counting. There are as many as routes and answers."""
    return REQUESTS.labels(method, route, status), REQUEST_SECONDS.labels(method, route)


def event(type: str, outcome: str) -> None:
    _event_series(type, outcome).inc()


@cache
def _event_series(type: str, outcome: str) -> Counter:
    return EVENTS.labels(type, outcome)


def credited(created: datetime, now: datetime) -> None:
    """Credits are there, whose payment Stripe told of by an event made at `created`."""
    EVENT_TO_CREDIT.observe(max(0.0, (now - created).total_seconds()))


def job(kind: str, outcome: str, seconds: float) -> None:
    JOBS.labels(kind, outcome).inc()
    JOB_SECONDS.labels(kind).observe(seconds)


@contextmanager
def stripe_call(operation: str) -> Iterator[None]:
    """Time a call to Stripe. Its outcome is `ok`, or the code of the error that it ends with."""
    begun, outcome = perf_counter(), "ok"
    try:
        yield
    except Exception as error:
        outcome = str(getattr(error, "code", None) or type(error).__name__)
        raise
    finally:
        STRIPE_CALLS.labels(operation, outcome).inc()
        STRIPE_SECONDS.labels(operation).observe(perf_counter() - begun)


def exposition(more: Collector | None = None) -> bytes:
    """Everything that was counted, by all processes of this server, in Prometheus' text format;
    and what `more` adds at this moment."""
    told = generate_latest(_counted())
    if more is not None:
        registry = CollectorRegistry()
        registry.register(more)
        told += generate_latest(registry)
    return told


def _counted() -> Collector:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
