"""Many histories on several cores, and what came of them."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from tests.torture.mutants import PATCHES, SURVIVE, mutated
from tests.torture.observer import Broken
from tests.torture.world import Outcome, Plan, live

ENOUGH = 0.95
"""Share of histories that must notice a faulty variant."""
CHUNK = 20


@dataclass(frozen=True)
class Verdict:
    """What came of one history; `kind` is empty when everything held."""

    plan: Plan
    kind: str = ""
    detail: str = ""
    digest: str = ""
    events: int = 0
    counts: Counter[str] = field(default_factory=Counter)


def plan_of(seed: int, *, has_files: bool = False) -> Plan:
    """Which form a history takes hangs on its number, unless all shall have files."""
    if has_files:
        return Plan(seed=seed, has_files=True, is_signed=seed % 4 == 3)
    return Plan(
        seed=seed, is_signed=seed % 16 == 3, is_whole=seed % 8 == 5, has_files=seed % 10 == 2
    )


def judge(plan: Plan) -> Verdict:
    """Live one history, some of them twice: again, and with other clocks (I9)."""
    try:
        outcome = live(plan)
        broken = _compare(plan, outcome)
    except Broken as error:
        broken = error
    except Exception as error:  # noqa: BLE001 - a crash is a finding too
        return Verdict(plan, "crashed", repr(error))
    if broken is not None:
        return Verdict(plan, broken.kind, str(broken))
    return Verdict(plan, "", "", outcome.digest, outcome.events, outcome.counts)


def _compare(plan: Plan, outcome: Outcome) -> Broken | None:
    if plan.is_whole and live(replace(plan, clocks=1)).content != outcome.content:
        return Broken("clocks", "other clocks gave other facts")
    if plan.seed % 64 == 0 and live(plan) != outcome:
        return Broken("unstable", "the same seed gave another history")
    return None


def _judge_all(name: str, plans: Iterable[Plan]) -> list[Verdict]:
    with mutated(name):
        return [judge(plan) for plan in plans]


@contextmanager
def workers(jobs: int) -> Iterator:
    """Give something that maps like `map`, over processes if there are several."""
    if jobs < 2:
        yield map
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield pool.map


def verdicts(plans: list[Plan], jobs: int, mutant: str = "") -> Iterator[Verdict]:
    """Judge histories in order."""
    chunks = [plans[at : at + CHUNK] for at in range(0, len(plans), CHUNK)]
    with workers(jobs) as spread:
        for found in spread(_judge_all, [mutant] * len(chunks), chunks):
            yield from found


@dataclass
class Report:
    """The figures of a run."""

    histories: int = 0
    events: int = 0
    lost: int = 0
    diverged: int = 0
    failures: list[Verdict] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    digests: list[str] = field(default_factory=list)
    mutants: dict[str, float] = field(default_factory=dict)

    def add(self, verdict: Verdict) -> None:
        self.histories += 1
        self.events += verdict.events
        self.lost += verdict.kind == "lost"
        self.diverged += verdict.kind == "diverged"
        self.counts.update(verdict.counts)
        self.digests.append(verdict.digest)
        if verdict.kind:
            self.failures.append(verdict)

    @property
    def digest(self) -> str:
        """Sums up all histories."""
        return hashlib.sha256("".join(self.digests).encode()).hexdigest()[:16]

    def weak(self) -> dict[str, float]:
        """Return faulty variants that too few histories noticed, and harmless ones that any did."""
        return {
            name: share
            for name, share in self.mutants.items()
            if (share > 0 if name in SURVIVE else share < ENOUGH)
        }

    def is_good(self) -> bool:
        return not self.failures and not self.weak()

    def as_json(self) -> dict[str, object]:
        return {
            "histories": self.histories,
            "events": self.events,
            "lost": self.lost,
            "diverged": self.diverged,
            "mutants": self.mutants,
            "failed": [verdict.plan.seed for verdict in self.failures],
            "digest": self.digest,
            "faults": dict(sorted(self.counts.items())),
        }


def torture(
    seeds: range, jobs: int, mutant_seeds: range, *, has_files: bool = False
) -> Iterator[tuple[str, Report]]:
    """Run histories, then every faulty variant; gives the report after each part."""
    report = Report()
    for verdict in verdicts([plan_of(seed, has_files=has_files) for seed in seeds], jobs):
        report.add(verdict)
    yield "histories", report
    for name in PATCHES if len(mutant_seeds) else ():
        plans = [Plan(seed=seed) for seed in mutant_seeds]
        killed = sum(bool(verdict.kind) for verdict in verdicts(plans, jobs, name))
        report.mutants[name] = killed / len(plans)
        yield name, report
