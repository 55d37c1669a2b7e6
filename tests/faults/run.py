"""One run: a shop, its customers, the plan that hits it, then healing and the verdict."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from tests.fakestripe.harness import FakeStripe
from tests.faults import evidence, healing, model, shops
from tests.faults.agenda import Agenda
from tests.faults.bank import Bank, Operator
from tests.faults.customers import Customer
from tests.faults.evidence import Evidence
from tests.faults.healing import Healed
from tests.faults.injecting import Injector
from tests.faults.model import Verdict
from tests.faults.plan import Fault, Period
from tests.faults.processes import Nursery
from tests.faults.shops import Shop, Size
from tests.support import databases

PATIENCE_SECONDS = 8.0
"""How long a customer waits for an answer."""

START_SECONDS = 120


@dataclass
class Report:
    """What was injected, what happened meanwhile, what it took to heal, and the verdict."""

    database: str
    injected: Counter[str]
    hits: Counter[str]
    deeds: Counter[str]
    lives: dict[str, int]
    healed: Healed
    evidence: Evidence
    verdict: Verdict
    broken: tuple[str, ...] = ()

    @property
    def wrong(self) -> tuple[str, ...]:
        """Everything that is, in words."""
        known = self.evidence
        idle = [] if known.intents and known.spent else ["nobody bought or spent: nothing is shown"]
        return (*self.verdict.findings, *self.healed.troubles, *self.broken, *idle)


@dataclass
class Stage:
    """Where a run takes place."""

    folder: Path
    stripe: FakeStripe
    nursery: Nursery
    database: str
    size: Size
    patience_seconds: float = PATIENCE_SECONDS


def run(stage: Stage, plan: tuple[Period, ...], seed: int) -> Report:
    """Let the plan hit a shop where customers are; heal; judge."""
    chance = Random(f"{seed} customers of {stage.database}")
    with shops.a_shop(
        stage.database, stage.folder, stage.stripe, stage.nursery, stage.size
    ) as shop:
        healing.wait(shop.ready, START_SECONDS, "a web server does not start")
        people = _People(shop, stage, chance)
        injector = Injector(shop)
        with people.living():
            healing.wait(people.trade, START_SECONDS, "nobody has bought and spent")
            broken = _carry_out(injector, plan)
        injector.heal()
        healed = healing.heal(shop)
        with databases.connected(shop.books_url) as books:
            known = evidence.gather(evidence.Stripe(shop.stripe.url), books, people.spends())
        lives = {node.name: node.lives for node in shop.processes.nodes}
    return Report(
        database=stage.database,
        injected=injector.counts,
        hits=injector.hits,
        deeds=people.counts(),
        lives=lives,
        healed=healed,
        evidence=known,
        verdict=model.judge(known),
        broken=(*broken, *people.broken),
    )


class _People:
    """Everybody who does something to the shop, each in a thread."""

    def __init__(self, shop: Shop, stage: Stage, chance: Random) -> None:
        self.broken: list[str] = []
        self._stop = threading.Event()
        self.customers = [
            self._a_customer(number, shop, stage, chance) for number in range(stage.size.customers)
        ]
        spared = {it.email for it in self.customers if it.changes}
        self.bank = Bank(shop.stripe.url, _another(chance), spared)
        self.operator = shops.an_operator(shop, _another(chance), stage.patience_seconds)
        with ThreadPoolExecutor() as pool:  # everybody has an account before anything goes wrong
            list(pool.map(Customer.comes, self.customers))

    @contextmanager
    def living(self) -> Iterator[None]:
        threads = [
            threading.Thread(target=self._live, args=(it.lives,)) for it in self._everybody()
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def trade(self) -> bool:
        """Whether something was bought and something spent: the shop is in use."""
        counts = self.counts()
        return bool(counts["top-ups paid"] and counts["spends done"]) or bool(self.broken)

    def spends(self) -> list[evidence.Spend]:
        return [spend for it in self.customers for spend in it.spends]

    def counts(self) -> Counter[str]:
        return sum((it.counts for it in self._everybody()), Counter())

    def _everybody(self) -> list[Customer | Bank | Operator]:
        return [*self.customers, self.bank, self.operator]

    def _a_customer(self, number: int, shop: Shop, stage: Stage, chance: Random) -> Customer:
        changes = number % 2 == 1
        return Customer(
            f"customer-{number}",
            shop.urls,
            shop.stripe.url,
            _another(chance),
            stage.patience_seconds,
            changes=changes,
        )

    def _live(self, life: Callable[[threading.Event], None]) -> None:
        """What gets out of somebody's life is a mistake of ours, and no finding."""
        try:
            life(self._stop)
        except Exception as error:
            self.broken.append(f"{life.__qualname__}: {type(error).__name__}: {error}")
            raise


def _another(chance: Random) -> Random:
    return Random(chance.getrandbits(64))


def _carry_out(injector: Injector, plan: tuple[Period, ...]) -> list[str]:
    """Each fault at its time, and its end at its time; what could not be done."""
    agenda = Agenda()

    def inject(fault: Fault) -> None:
        undo = injector.inject(fault)
        if undo is not None:
            agenda.put(agenda.now + injector.lasts(fault), undo)

    for fault in (it for period in plan for it in period.faults):
        agenda.put(fault.at, partial(inject, fault))
    agenda.put(plan[-1].start + plan[-1].seconds, lambda: None)  # quiet to the end
    return agenda.carry_out()
