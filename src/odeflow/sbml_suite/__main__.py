"""The command: a row a case, and how many there are of each kind."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from odeflow.sbml_suite.case import find_cases
from odeflow.sbml_suite.run import Outcome, run_case

#: Cases that one process solves before a new one takes its place: compiled code stays in memory.
_CASES_A_PROCESS = 150


def main() -> int:
    """Runs the cases of a folder; returns 1 where one fails, 2 where there is none."""
    parser = argparse.ArgumentParser(
        prog="python -m odeflow.sbml_suite",
        description="Runs cases of the SBML Test Suite and prints a row a case.",
    )
    parser.add_argument("folder", type=Path, help="folder with a folder a case")
    parser.add_argument("cases", nargs="*", help="names of cases; default: all")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
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
    for outcome in run_cases(folders, arguments.jobs):
        outcomes.append(outcome)
        print(f"{outcome.case}  {outcome.verdict:11s}  {outcome.detail}", flush=True)
    print_totals(outcomes, time.perf_counter() - began)
    return int(any(outcome.verdict == "fail" for outcome in outcomes))


def run_cases(folders: Sequence[Path], jobs: int) -> Iterator[Outcome]:
    """Outcomes as they come; a case whose process dies is a failure, and stops nobody else."""
    pending = list(folders)
    while pending:
        with ProcessPoolExecutor(
            min(jobs, len(pending)), get_context("spawn"), max_tasks_per_child=_CASES_A_PROCESS
        ) as pool:
            started = {pool.submit(run_case, folder): folder for folder in pending}
            broken = []
            for future in as_completed(started):
                try:
                    yield future.result()
                except BrokenProcessPool:
                    broken.append(started[future])
        if len(broken) == len(pending):  # alone in its process, so that it is known which it was
            yield Outcome(broken[0].name, "fail", "the process that solved it died")
            broken = broken[1:]
        pending = broken


def print_totals(outcomes: Sequence[Outcome], seconds: float) -> None:
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
