"""Runs the cases of the PEtab test suite (SBML): one row per case, with log-likelihood.

    python -m tests.support.petab_suite petabtests/cases/v1.0.0/sbml

The folder is one of the package petabtests, or of https://github.com/PEtab-dev/petab_test_suite, of
either version of the format. It returns 1 where a case comes out wrong.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import yaml

import odeflow
from odeflow.analysis.summary import summarise
from odeflow.files.errors import ConfigError
from odeflow.importers.study.compose import compose
from odeflow.workflow.stages.summarise import measurements_of

EXPERIMENT = "# @package _global_\nname: case\ndesign: {{petab: _{}.yaml, nominal: true}}\n"


def run_case(case: Path, study: Path) -> str:
    """What comes of a case: ok, WRONG, or refused and why."""
    shutil.copytree(case, study)
    (study / "config/experiment").mkdir(parents=True)
    (study / "config/experiment/case.yaml").write_text(EXPERIMENT.format(case.name))
    expected = yaml.safe_load((study / f"_{case.name}_solution.yaml").read_text())
    try:
        config = compose("experiment=case", "solver.rtol=1e-10", "solver.atol=1e-12", study=study)
        ensemble = odeflow.run(config)
        summary = summarise(ensemble, config.summary, measurements_of(config, study))
    except ConfigError as error:
        return f"refused  {error}"
    found = float(summary["log_likelihood"][0])
    verdict = "ok" if abs(found - expected["llh"]) <= expected["tol_llh"] else "WRONG"
    return f"{verdict}  {found:.9g}, expected {expected['llh']:.9g}"


def main(folder: Path) -> int:
    wrong = 0
    with tempfile.TemporaryDirectory() as temporary:
        for case in sorted(folder.glob("[0-9]*")):
            row = run_case(case, Path(temporary, case.name))
            wrong += row.startswith("WRONG")
            print(case.name, row, flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
