"""How a line looks, and what it never shows."""

import json
import logging
import sys

from storefront.observing import about
from storefront.observing.lines import JsonLines, TextLines, with_facts

SECRETS = (
    "sk_live_51HvXy0123456789",
    "rk_test_51HvXy0123456789",
    "whsec_abcdefgh12345",
    "pi_123_secret_AbCdEf",
    "cs_test_a1b2c3_secret_XyZ",
    "jo.doe+shop@mail.example.com",
    "postgresql://shop:hunter2@db/shop",
    "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
    "Bearer 0123456789abcdef",
)
ESSENCES = (
    "51HvXy", "abcdefgh", "AbCdEf", "XyZ", "jo.doe", "mail.example", "hunter2", "c2FsdA",
    "0123456789abcdef",
)  # fmt: skip


def a_record(message: str, *values: object, **facts: object) -> logging.LogRecord:
    logger = logging.getLogger("storefront.test")
    return logger.makeRecord(
        logger.name, logging.INFO, "", 1, message, values, None, extra=with_facts(**facts)
    )


def test_text_is_one_line_of_words() -> None:
    with about.scope(request_id="abc"):
        line = TextLines().format(a_record("order of %s", "jam", path="/a b", n=3))
    time, level, rest = line.split(" ", 2)
    assert (len(time), time[-1], level) == (24, "Z", "INFO")
    assert rest == 'order of jam path="/a b" n=3 request_id=abc'


def test_json_holds_the_same() -> None:
    with about.scope(job="run:x"):
        about.bind(did="something")
        line = json.loads(JsonLines().format(a_record("done", ms=1.5)))
    assert line["time"].endswith("Z")
    assert line["logger"] == "storefront.test"
    assert (line["level"], line["message"]) == ("info", "done")
    assert (line["ms"], line["job"], line["did"]) == (1.5, "run:x", "something")


def test_nobody_writes_a_second_line() -> None:
    forged = a_record("hello %s", "\n2026 INFO paid\x1b[2J\x85", path="/x\r\n\x1b[2J\u2028paid")
    for formatter in (TextLines(), JsonLines()):
        line = formatter.format(forged)
        assert len(line.splitlines()) == 1
        assert line.isprintable(), "no terminal obeys it"


def test_no_secret_and_no_address_gets_through() -> None:
    """Neither in a message, nor in a fact, nor in a traceback."""
    for secret in SECRETS:
        record = a_record("found %s here", secret, what=f"<{secret}>")
        try:
            raise ValueError(f"DETAIL: Key (x)=({secret})")
        except ValueError:
            record.exc_info = sys.exc_info()
        for formatter in (TextLines(), JsonLines()):
            line = formatter.format(record)
            assert not [it for it in ESSENCES if it in line], line
            assert "found" in line
            assert "here" in line


def test_long_words_cost_no_more_than_their_length() -> None:
    """A path, or what Stripe says of a failure, may be one; nobody waits for this to end, should
    the time grow with its square."""
    for word in ("x" * 2_000_000 + "!@", "a@" + "b-" * 1_000_000, "a.@" * 700_000):
        assert TextLines().format(a_record("found %s", word)).endswith(word[-40:])


def test_ids_are_no_secrets() -> None:
    ids = "evt_1 pay_0123456789abcdef pi_3Nabc cs_test_a1 mail_receipt:pay_1 checkout.session"
    assert ids in TextLines().format(a_record(ids))


def test_what_is_known_ends_with_its_scope() -> None:
    about.bind(request_id="nobody asked")
    with about.scope(job="a"):
        with about.scope(event_id="evt_1"):
            about.bind(payment_id="pay_1")
            assert about.known() == {"job": "a", "event_id": "evt_1", "payment_id": "pay_1"}
        assert about.known() == {"job": "a"}
    assert about.known() == {}
