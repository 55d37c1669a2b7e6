"""A run in words: what was injected, what happened, what it took to heal, and the verdict."""

from collections.abc import Iterator

from tests.faults.plan import KINDS
from tests.faults.run import Report


def lines(report: Report) -> Iterator[str]:
    yield from _injected(report)
    yield ""
    yield "  what happened meanwhile"
    for deed, count in sorted(report.deeds.items()):
        yield f"    {count:6}  {deed}"
    yield from _healed(report)
    yield from _verdict(report)


def _injected(report: Report) -> Iterator[str]:
    yield f"  {'injected':>8}  {'met':>6}  fault"
    for kind, says in KINDS[report.database].items():
        met = report.hits.get(kind)
        count = report.injected.get(kind, 0)
        yield f"  {count:8}  {'' if met is None else met:>6}  {kind}: {says}"
    restarts = ", ".join(f"{name} {lives - 1}" for name, lives in report.lives.items())
    yield f"  processes that were started again: {restarts}"


def _healed(report: Report) -> Iterator[str]:
    healed = report.healed
    yield ""
    yield "  what it took to heal"
    yield f"    {healed.retried_jobs:6}  jobs tried again by command"
    yield f"    {healed.retried_events:6}  events tried again by command"
    yield f"    {healed.missing_events:6}  events that never came, by catch-up"
    mended = sum(healed.mended.values())
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(healed.mended.items()))
    yield f"    {mended:6}  differences mended by reconcile{f' ({kinds})' if kinds else ''}"


def _verdict(report: Report) -> Iterator[str]:
    verdict, known = report.verdict, report.evidence
    yield ""
    yield (
        f"  {len(known.balances)} accounts, {len(known.intents)} payments,"
        f" {len(known.spent)} spends, {sum(known.balances.values()):,} credits"
    )
    yield f"  credits lost {verdict.lost}, credits doubled {verdict.doubled}"
    for finding in report.wrong:
        yield f"  WRONG: {finding}"
    yield "  FAILED" if report.wrong else "  passed"
