"""Sixty cases of the SBML Test Suite, which is no part of the project: where its folder is there.

Reference: https://github.com/sbmlteam/sbml-test-suite, semantic cases, release 3.4
"""

from functools import partial
from pathlib import Path

from odeflow.config.validate import validate
from odeflow.importers.sbml.config import imported_model
from odeflow.problem.problem import Lanes, Problem
from odeflow.trust.sbml_suite.case import read_case
from tests.corpus.case import Case, built
from tests.support.snakes import PROJECT

#: Where the tests of the suite's runner look for it, too.
SUITE = PROJECT.parent / "shared" / "sbml_cases"
#: Functions, rules, assignments at the start, stoichiometries, compartments of all kinds, fast
#: reactions, time and rare mathematics; from 00372 on those with events are among them.
_TEXT = """
00045 00050 00059 00063 00076 00079 00089 00094 00098 00117 00129 00156 00176 00215 00207
00243 00248 00258 00276 00313 00331 00343 00372 00374 00376 00388 00472 00499 00521 00522
00579 00583 00626 00651 00669 00679 00685 00708 00725 00733 00785 00790 00857 00862 00870
00873 00890 00898 00903 00913 00957 00964 00973 00974 00976 00978 00999 01045 01052 01094
"""
NAMES = _TEXT.split()
_METHODS = ("tsit5", "rodas5p")


def cases(suite: Path) -> list[Case]:
    """One for each name, by two methods in turn."""
    return [
        Case(
            f"sbml suite {name}",
            partial(_made, suite / name, _METHODS[number % 2]),
            needs=suite / name,
        )
        for number, name in enumerate(NAMES)
    ]


def _made(folder: Path, method: str) -> tuple[Problem, Lanes]:
    case = read_case(folder)
    model = imported_model({"sbml": str(case.model.resolve()), "t1": case.times[-1]}, folder)
    config = {
        "name": f"case_{case.name}",
        "model": model,
        "design": {"kind": "grid", "axes": {}},
        "solver": {"method": method, "rtol": 1e-6, "atol": 1e-9},
        "saveat": {"ts": case.times.tolist()},
    }
    return built(validate(config).in_study(folder))
