"""The runner of the SBML Test Suite, on cases of our own and on those beside the project."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.snakes import PROJECT

pytest.importorskip("libsbml")

from odeflow.trust.sbml_suite.case import find_cases, read_case
from odeflow.trust.sbml_suite.run import _compared, run_case
from tests.support.sbml_text import compartment, initial, parameter, reaction, rule, sbml, species

SHARED = PROJECT.parent / "shared" / "sbml_cases"

DECAY = sbml(
    compartment("c", 2), species("S", amount=3), species("A", amount=1, only_amount=True),
    parameter("k", 0.5), reaction("J", "S", "", "c * k * S"), reaction("I", "A", "", "k * A"),
)  # fmt: skip


def make_case(folder: Path, name: str, model: str, scale: float = 1.0, **settings: str) -> Path:
    """A case with values of exp(-t/2): S in amount, A in concentration, J the rate."""
    path = folder / name
    path.mkdir()
    (path / f"{name}-sbml-l3v2.xml").write_text(model)
    lines = {
        "start": "0", "duration": "2", "steps": "4", "variables": "S, A, J, k, c",
        "absolute": "1e-7", "relative": "1e-4", "amount": "S", "concentration": "A",
    } | settings  # fmt: skip
    (path / f"{name}-settings.txt").write_text("\n".join(f"{k}: {v}" for k, v in lines.items()))
    rows = ["time,S,A,J,k,c"]
    for t in np.linspace(0, 2, 5):
        decay = scale * math.exp(-t / 2)
        rows.append(f"{t},{3 * decay},{0.5 * decay},{1.5 * decay},0.5,2")
    (path / f"{name}-results.csv").write_text("\r\n".join(rows) + "\n")
    return path


@pytest.mark.slow
def test_it_prints_a_row_a_case(tmp_path: Path):
    make_case(tmp_path, "00001", DECAY)
    make_case(tmp_path, "00002", DECAY, scale=1.001)
    late = rule("assignment", "a", "delay(time, time)")
    make_case(tmp_path, "00003", sbml(parameter("a", constant=False), late))
    make_case(tmp_path, "00004", DECAY, steps="")
    make_case(tmp_path, "00005", sbml(parameter("a"), initial("a", "nobody")))
    command = [sys.executable, "-m", "odeflow.trust.sbml_suite", str(tmp_path), "--jobs", "1"]
    done = subprocess.run(command, capture_output=True, text=True)
    rows = {line[:5]: line[7:] for line in done.stdout.splitlines() if line[:1] == "0"}
    assert rows["00001"].startswith("pass"), done.stdout + done.stderr
    assert rows["00002"].startswith("fail         10 of the tolerance")
    assert "of the tolerance, S at t = 0: 3 for 3.003" in rows["00002"]
    assert rows["00003"].startswith("unsupported  ") and "a delay by what changes" in rows["00003"]
    assert rows["00004"] == "unsupported  the case asks for no time course"
    assert rows["00005"].startswith("fail         model.sbml: 00005-sbml-l3v2.xml, line")
    assert "1 passed, 2 failed, 2 unsupported of 5" in done.stdout
    assert done.returncode == 1


def test_what_is_not_finite_has_to_be_equal(tmp_path: Path):
    case = read_case(make_case(tmp_path, "00001", DECAY))
    same = {name: values.copy() for name, values in case.expected.items()}
    assert _compared(case, same).verdict == "pass"
    case.expected["S"][1:3] = np.nan, np.inf
    assert _compared(case, same).verdict == "fail"
    same["S"][1:3] = np.nan, np.inf
    assert _compared(case, same).verdict == "pass"
    same["S"][2] = -np.inf
    assert _compared(case, same).verdict == "fail"


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the cases are not beside the project")
@pytest.mark.parametrize("folder", find_cases(SHARED), ids=lambda path: path.name)
def test_a_case_passes_or_is_unsupported(folder: Path):
    outcome = run_case(folder)
    assert outcome.verdict != "fail", outcome.detail
