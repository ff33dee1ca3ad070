"""The command: one row per case, and how many there are of each kind."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from odeflow.trust.sbml_suite.case import find_cases
from odeflow.trust.sbml_suite.run import CaseOutcome
from odeflow.trust.sbml_suite.workers import SECONDS_PER_CASE, run_cases


def main() -> int:
    """Runs the cases of a folder; returns 1 where one fails, 2 where there is none."""
    parser = argparse.ArgumentParser(
        prog="python -m odeflow.trust.sbml_suite",
        description="Runs cases of the SBML Test Suite and prints one row per case.",
    )
    parser.add_argument("folder", type=Path, help="folder with one folder per case")
    parser.add_argument("cases", nargs="*", help="names of cases; default: all")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument(
        "--seconds", type=float, default=SECONDS_PER_CASE, help="limit for each case (%(default)s)"
    )
    arguments = parser.parse_args()
    folders = [
        folder
        for folder in find_cases(arguments.folder)
        if not arguments.cases or folder.name in arguments.cases
    ]
    if not folders:
        print(f"no cases in {arguments.folder}", file=sys.stderr)
        return 2
    began = time.perf_counter()
    outcomes = []
    for outcome in run_cases(folders, arguments.jobs, arguments.seconds):
        outcomes.append(outcome)
        print(f"{outcome.case}  {outcome.verdict:11s}  {outcome.detail}", flush=True)
    print_totals(outcomes, time.perf_counter() - began)
    return int(any(outcome.verdict == "fail" for outcome in outcomes))


def print_totals(outcomes: Sequence[CaseOutcome], seconds: float) -> None:
    """How many cases there are of each kind, and why some are unsupported."""
    counts = Counter(outcome.verdict for outcome in outcomes)
    print(
        f"{counts['pass']} passed, {counts['fail']} failed, {counts['unsupported']} unsupported "
        f"of {len(outcomes)} in {seconds:.0f} s"
    )
    reasons = Counter(
        outcome.detail.split(" '", 1)[0] for outcome in outcomes if outcome.verdict == "unsupported"
    )
    for reason, count in reasons.most_common():
        print(f"  {count} unsupported: {reason}")


if __name__ == "__main__":
    sys.exit(main())
