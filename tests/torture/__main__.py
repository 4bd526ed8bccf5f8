"""`python -m tests.torture --histories N --seed S --jobs J --json`: 1 on any loss or divergence."""

import argparse
import json
import os
import sys

from tests.torture.runs import Report, torture


def parser() -> argparse.ArgumentParser:
    """Describe the arguments."""
    made = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    made.add_argument("--histories", type=int, default=500)
    made.add_argument("--seed", type=int, default=1, help="of the first history")
    made.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    made.add_argument("--mutants", type=int, default=-1, help="histories of each faulty variant")
    made.add_argument("--files", action="store_true", help="all with the stores in SQLite")
    made.add_argument("--json", action="store_true")
    return made


def main() -> int:
    """Run; print the report, and how to repeat what failed."""
    asked = parser().parse_args()
    seeds = range(asked.seed, asked.seed + asked.histories)
    most = asked.mutants if asked.mutants >= 0 else min(100, asked.histories // 5)
    report = Report()
    faulty = range(asked.seed, asked.seed + most)
    for part, report in torture(seeds, asked.jobs, faulty, has_files=asked.files):
        print(f"torture: {part} {report.mutants.get(part, report.digest)}", file=sys.stderr)
    for verdict in report.failures:
        form = " --files" if asked.files else ""
        again = f"python -m tests.torture --histories 1 --seed {verdict.plan.seed}{form}"
        print(f"torture: {verdict.plan.seed}: {verdict.detail}; again: {again}", file=sys.stderr)
    for name, share in report.weak().items():
        print(f"torture: {name} was noticed by {share:.0%}", file=sys.stderr)
    figures = report.as_json()
    print(json.dumps(figures) if asked.json else json.dumps(figures, indent=2))
    return 0 if report.is_good() else 1


if __name__ == "__main__":
    raise SystemExit(main())
