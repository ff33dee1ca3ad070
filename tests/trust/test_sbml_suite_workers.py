"""The processes of the suite's runner: more cases than one may have, deaths, and time limits."""

import os
import time
from pathlib import Path

import pytest

pytest.importorskip("libsbml")

from odeflow.trust.sbml_suite.run import CaseOutcome
from odeflow.trust.sbml_suite.workers import run_cases


def by_process(folder: Path) -> CaseOutcome:
    return CaseOutcome(folder.name, "pass", str(os.getpid()))


def by_name(folder: Path) -> CaseOutcome:
    """What a case is called is what becomes of it."""
    if folder.name.startswith("dies"):
        os._exit(11)
    if folder.name.startswith("hangs"):
        time.sleep(600)
    return CaseOutcome(folder.name, "pass", "")


@pytest.mark.slow
def test_a_process_has_only_so_many_cases():
    folders = [Path(f"{i:05d}") for i in range(14)]
    outcomes = list(run_cases(folders, 2, cases_per_process=3, solve=by_process))
    assert sorted(outcome.case for outcome in outcomes) == [folder.name for folder in folders]
    processes = [outcome.detail for outcome in outcomes]
    assert max(processes.count(process) for process in processes) == 3
    assert len(set(processes)) >= 5


@pytest.mark.slow
def test_a_case_that_dies_or_hangs_is_a_failure_and_stops_no_other():
    names = ["a", "dies", "b", "hangs", "c", "dies_too", "d"]
    found = run_cases([Path(name) for name in names], 1, seconds=15, solve=by_name)
    details = {outcome.case: (outcome.verdict, outcome.detail) for outcome in found}
    assert set(details) == set(names)
    assert details["dies"] == details["dies_too"] == ("fail", "the process that solved it died")
    assert details["hangs"] == ("fail", "not solved within 15 s")
    assert all(details[name] == ("pass", "") for name in "abcd")
