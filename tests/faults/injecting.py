"""Does to a shop what the plan says, and undoes it. Each kind of fault is a method of its name; one
that lasts returns what ends it."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import requests

from tests.faults.plan import Fault
from tests.faults.processes import Node
from tests.faults.shops import Shop

HOUR_SECONDS = 3600
CLOCK_SECONDS = 600
FULL_BYTES = 4096
"""Of a file that may not grow: the first page of SQLite's log, and no more."""

LATEST = 8
TIMES = 3
STATUSES = (500, 502, 503, 504)

Undo = Callable[[], None]


class Injector:
    """`counts` is how often each kind was injected, `hits` how many requests or webhooks each
    fault of Stripe's met."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.processes, self.stripe = shop, shop.processes, shop.stripe
        self.counts: Counter[str] = Counter()
        self.hits: Counter[str] = Counter()
        self._lock = threading.Lock()

    def inject(self, fault: Fault) -> Undo | None:
        self.counts[fault.kind] += 1
        undo: Undo | None = getattr(self, fault.kind)(fault)
        return undo

    def lasts(self, fault: Fault) -> float:
        """Seconds until what the fault did is undone."""
        lease_seconds = self.shop.size.lease_seconds
        return lease_seconds * 1.5 if fault.kind == "pause_worker" else fault.seconds

    def kill_web(self, fault: Fault) -> None:
        self.processes.kill(self._one("web", fault))

    def kill_web_process(self, fault: Fault) -> None:
        self.processes.kill_one(self._one("web", fault), fault.draw)

    def kill_worker(self, fault: Fault) -> None:
        self.processes.kill(self._one("worker", fault))

    def pause_worker(self, fault: Fault) -> Undo:
        self.processes.pause(self._one("worker", fault))
        return self.processes.go_on

    def restart_database(self, fault: Fault) -> None:
        assert self.shop.server is not None
        self.shop.server.restart("immediate" if fault.draw < 0.5 else "fast")

    def end_connections(self, fault: Fault) -> None:
        assert self.shop.server is not None
        self.shop.server.end_connections()

    def cut_connections(self, fault: Fault) -> None:
        assert self.shop.proxy is not None
        self.shop.proxy.cut()

    def lose_commits(self, fault: Fault) -> None:
        assert self.shop.proxy is not None
        self.shop.proxy.lose_commits(1 + int(fault.draw * 5))

    def disk_full(self, fault: Fault) -> Undo:
        self.processes.limit_files(FULL_BYTES)
        return lambda: self.processes.limit_files(-1)

    def step_clock(self, fault: Fault) -> Undo:
        node = self.processes.nodes[int(fault.draw * len(self.processes.nodes))]
        back = int(fault.draw * 1000) % 2
        self.processes.step_clock(node, -CLOCK_SECONDS if back else CLOCK_SECONDS)
        return lambda: self.processes.step_clock(node, 0)

    def hours_at_stripe(self, fault: Fault) -> None:
        seconds = HOUR_SECONDS * (1 + 5 * fault.draw)
        self.stripe_control("POST", "clock", {"advance_seconds": seconds})

    def stripe_slow(self, fault: Fault) -> Undo:
        return self._fault(fault, kind="latency", latency_ms=500 + int(3000 * fault.draw))

    def stripe_errors(self, fault: Fault) -> Undo:
        status = STATUSES[int(fault.draw * len(STATUSES))]
        after = int(fault.draw * 1000) % 2 == 0
        return self._fault(fault, kind="status", status=status, after=after)

    def stripe_limits(self, fault: Fault) -> Undo:
        return self._fault(fault, kind="rate_limit")

    def stripe_resets(self, fault: Fault) -> Undo:
        return self._fault(fault, kind="drop")

    def stripe_loses_answers(self, fault: Fault) -> Undo:
        return self._fault(fault, kind="drop_after")

    def webhooks_twice(self, fault: Fault) -> Undo:
        return self._webhook_fault(fault, kind="twice")

    def webhooks_shuffled(self, fault: Fault) -> Undo:
        return self._webhook_fault(fault, kind="shuffled", seed=int(fault.draw * 1000))

    def webhooks_late(self, fault: Fault) -> Undo:
        seconds = HOUR_SECONDS * (1 + 5 * fault.draw)
        return self._webhook_fault(fault, kind="late", seconds=seconds)

    def webhooks_dropped(self, fault: Fault) -> Undo:
        return self._webhook_fault(fault, kind="dropped")

    def webhooks_at_once(self, fault: Fault) -> None:
        for event in self.stripe_control("GET", f"events?limit={LATEST}")["data"]:
            self.stripe_control("POST", f"events/{event['id']}/redeliver", {"times": TIMES})

    def heal(self) -> None:
        """Everything that still lasts ends."""
        self.stripe_control("DELETE", "faults")
        self.stripe_control("DELETE", "webhook_faults")
        self.processes.go_on()
        for node in self.processes.nodes:
            self.processes.step_clock(node, 0)
        self.processes.limit_files(-1)
        if self.shop.proxy is not None:
            self.shop.proxy.lose_commits(0)
            self.hits["lose_commits"] = self.shop.proxy.lost

    def stripe_control(self, method: str, path: str, body: Any = None) -> Any:
        """Not by the harness's session: several faults are injected at once."""
        url = f"{self.stripe.url}/_control/{path}"
        answer = requests.request(method, url, json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def _one(self, kind: str, fault: Fault) -> Node:
        nodes = self.processes.named(kind)
        return nodes[int(fault.draw * len(nodes))]

    def _fault(self, fault: Fault, **rule: Any) -> Undo:
        return self._rule(fault, "faults", rule | {"probability": 0.3 + 0.5 * fault.draw})

    def _webhook_fault(self, fault: Fault, **rule: Any) -> Undo:
        return self._rule(fault, "webhook_faults", rule | {"probability": 0.3 + 0.5 * fault.draw})

    def _rule(self, fault: Fault, where: str, rule: dict[str, Any]) -> Undo:
        """Switch a rule of fakestripe's on; its end counts whom it met."""
        id = self.stripe_control("POST", where, rule)["id"]

        def undo() -> None:
            rules = self.stripe_control("GET", where)["data"]
            with self._lock:
                self.hits[fault.kind] += sum(it["hits"] for it in rules if it["id"] == id)
            self.stripe_control("DELETE", f"{where}/{id}")

        return undo
