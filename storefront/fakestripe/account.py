"""The one Stripe account that the stand-in plays: its store, clock, keys, faults, deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Flask, current_app

from .clock import Clock
from .errors import JSON, no_such_reference
from .faults import ApiFaults
from .ids import new_id
from .records import Record
from .settings import Settings
from .store import Store, Transaction
from .webhook_faults import WebhookFaults

if TYPE_CHECKING:
    from .deliverer import Deliverer

EXTENSION = "fakestripe"


class Account:
    """Holds the parts that requests, timers and deliveries share."""

    deliverer: Deliverer

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.database)
        self.clock = Clock(self.store)
        self.faults = ApiFaults()
        self.webhook_faults = WebhookFaults()
        self.id = self._stored("account_id", "acct")
        self.keys_in_progress: set[str] = set()

    @property
    def url(self) -> str:
        """The address at which browsers reach the stand-in, without a trailing slash."""
        return self.settings.url()

    def close(self) -> None:
        """Close the database."""
        self.store.close()

    def _stored(self, name: str, prefix: str) -> str:
        with self.store.writing() as tx:
            value = tx.meta(name) or new_id(prefix)
            tx.set_meta(name, value)
        return value


@dataclass
class Work:
    """What a piece of work needs: the account, the open transaction, and who asked.

    `request_id` is None for what happens by itself (a late settlement, an expiry).
    """

    account: Account
    tx: Transaction
    request_id: str | None = None
    idempotency_key: str | None = None

    @property
    def now(self) -> int:
        """The stand-in's time in whole seconds."""
        return self.account.clock.now()

    def find(self, type: str, id: str, param: str) -> Record:
        """Return the undeleted object that a parameter names, or raise Stripe's 400."""
        record = self.tx.get(type, id)
        if record is None or record.deleted:
            raise no_such_reference(type, id, param)
        return record

    def add(self, body: JSON, private: JSON | None = None) -> Record:
        """Store a new object; its type and time come from the body."""
        created = body.get("created", self.now)
        record = Record(body["id"], body["object"], created, body, private or {})
        return self.tx.records.add(record)

    def save(self, record: Record) -> None:
        """Store a changed object."""
        self.tx.records.save(record)

    def later(self, seconds: float, kind: str, object_id: str) -> None:
        """Promise a timer: `kind` runs on the object when the clock has moved that far."""
        self.at(self.account.clock.time() + seconds, kind, object_id)

    def at(self, moment: float, kind: str, object_id: str) -> None:
        """Promise a timer for a moment of the stand-in's clock; a past one runs at once."""
        self.tx.execute(
            "INSERT INTO timers (due, kind, object) VALUES (?, ?, ?)", (moment, kind, object_id)
        )


def current_account() -> Account:
    """Return the account of the running Flask app."""
    account: Account = current_app.extensions[EXTENSION]
    return account


def install(app: Flask, account: Account) -> None:
    """Make the account reachable from the app's views."""
    app.extensions[EXTENSION] = account
