"""One line per request, per event and per job, and how they find together."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storefront import jobs, redelivery, work
from storefront.db import transaction
from storefront.web import current
from tests.observing.conftest import Written
from tests.support.builders import a_payment, an_event, an_intent, deliver, paid
from tests.support.money_back import a_refund


def test_a_request_is_one_line(client: FlaskClient, log: Written) -> None:
    answer = client.get("/payments/pay_1?payment_intent_client_secret=pi_1_secret_2")
    (line,) = log.lines("request")
    assert (line["method"], line["path"], line["status"]) == ("GET", "/payments/pay_1", 303)
    assert line["payment_id"] == "pay_1"
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert line["ms"] > 0


def test_files_and_errors_are_requests_too(client: FlaskClient, log: Written) -> None:
    for path in ("/static/css/shop.css", "/nowhere", "/healthz"):
        client.get(path)
    client.get("/", headers={"Host": "evil.example"})
    found = [(line["path"], line["status"]) for line in log.lines("request")]
    assert found[1:] == [("/nowhere", 404), ("/", 400)], "probes are told at debug level"
    assert found[0][0] == "/static/css/shop.css"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("018f3c1e-7b5a-7c3d-9e2f-0a1b2c3d4e5f", True),
        ("short", False),
        ("has blanks in it", False),
        ("a" * 129, False),
        ('"><script>alert(1)', False),
    ],
)
def test_a_caller_may_name_its_request(client: FlaskClient, given: str, kept: bool) -> None:
    id = client.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert (id == given) == kept
    assert len(id) >= 24


def test_an_event_leads_from_its_request_to_its_payment(
    app: Flask, client: FlaskClient, log: Written
) -> None:
    purchase = a_payment(app)
    event = paid(purchase)
    for _ in range(2):
        assert deliver(client, event).status_code == 200
    first, second = log.lines("event")
    assert (first["event_id"], first["payment_id"]) == (event["id"], purchase.id)
    assert (first["type"], first["outcome"]) == ("payment_intent.succeeded", "handled")
    assert second["outcome"] == "duplicate"
    request = log.lines("request")[0]
    assert (request["event_id"], request["payment_id"]) == (event["id"], purchase.id)
    assert request["request_id"] == first["request_id"] != second["request_id"]


def test_money_that_goes_back_leads_to_its_payment(
    app: Flask, client: FlaskClient, log: Written
) -> None:
    purchase = a_payment(app)
    deliver(client, paid(purchase))
    deliver(client, an_event(a_refund(purchase, 400), "refund.created"))
    assert [line["payment_id"] for line in log.lines("event")] == [purchase.id] * 2


def test_a_retried_event_is_its_own_line(app: Flask, client: FlaskClient, log: Written) -> None:
    purchase = a_payment(app)
    wrong = an_event(an_intent(purchase, amount_received=1))
    deliver(client, wrong)
    with app.app_context():
        redelivery.retry(wrong["id"], anew=True)
    first, second = log.lines("event")
    assert [first["outcome"], second["outcome"]] == ["parked", "parked"]
    assert [first["way"], second["way"]] == ["delivery", "retry"]
    assert second["event_id"] == wrong["id"]
    assert "request_id" not in second


def test_a_job_is_one_line_and_a_run_only_when_it_did_something(app: Flask, log: Written) -> None:
    purchase = a_payment(app)
    with app.app_context():
        deliver(app.test_client(), paid(purchase))
        with transaction() as session:
            jobs.promise(session, "seal_ledger", {}, key="run:seal_ledger:1")
            jobs.promise(session, "prune_jobs", {}, key="run:prune_jobs:1")
            jobs.promise(session, "nothing_of_ours", {}, key="odd")
        while jobs.work_once(work.registry(current.work_context())):
            pass
    done = {line["job"]: line for line in log.lines("job done")}
    assert done[f"payment_settled:{purchase.id}"]["attempt"] == 1
    assert "run:prune_jobs:1" not in done
    assert done["run:seal_ledger:1"]["did"] == "1 transfers sealed"
    (failed,) = log.lines("job odd, attempt 1, failed")
    assert "nothing_of_ours" in failed["traceback"]
