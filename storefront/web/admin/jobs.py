"""Jobs: what waits, what was given up, what is done; and the runs of the schedule."""

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from storefront import jobs as queue
from storefront import work
from storefront.admin import filters
from storefront.admin import lists as listings
from storefront.admin.paging import Listing
from storefront.auditing import record
from storefront.db import db, transaction, utcnow
from storefront.errors import BadInput
from storefront.jobs import Job
from storefront.web import proof
from storefront.web.admin import lists
from storefront.web.admin.blueprint import actor, bp

HEADER = ("key", "kind", "run_at", "attempts", "created_at", "done_at", "given_up_at", "last_error")


@bp.get("/jobs")
def jobs() -> ResponseReturnValue:
    return lists.show(
        "admin/jobs.html",
        _listed,
        csv_endpoint="admin.jobs_csv",
        states=listings.JOB_STATES,
        kinds=sorted(work.HANDLERS),
        schedule=work.schedule_state(db.session()),
        now=utcnow(),
    )


@bp.get("/jobs.csv")
def jobs_csv() -> Response:
    return lists.export("jobs", HEADER, _listed(), _row)


@bp.post("/jobs/retry")
@proof.required
def retry_job() -> ResponseReturnValue:
    """Have an unfinished job tried now, with all its attempts. (Keys hold colons and more, so the
    form carries it, not the address.)"""
    key = request.form.get("key", "")
    with transaction() as session:
        row = session.get(Job, key) if key.isprintable() else None
        before = {"attempts": row.attempts, "error": row.last_error} if row else None
        if row is None or not queue.retry(session, key):
            raise BadInput("There is no such job that could be tried now. It may be done by now.")
        record(session, actor(), "job_retried", key, before=before)
    flash(f"The worker will take it next: {key}")
    return redirect(url_for("admin.jobs", state=request.form.get("state") or None), 303)


def _listed() -> Listing[Job]:
    sent = request.args
    state = filters.choice("State", sent.get("state"), listings.JOB_STATES) or "open"
    kind = filters.text(sent.get("kind"))
    return listings.jobs(state, *([Job.kind == kind] if kind else []))


def _row(it: Job) -> tuple[lists.Cell, ...]:
    return (
        it.key, it.kind, it.run_at, it.attempts, it.created_at, it.done_at, it.given_up_at,
        it.last_error,
    )  # fmt: skip
