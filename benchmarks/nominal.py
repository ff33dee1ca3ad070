"""The negative log-likelihood of PEtab problems at their nominal parameters, priors left out.

python -m benchmarks.nominal problem.yaml ... --rtol 1e-8 --atol 1e-12
"""

import argparse
from pathlib import Path

import odeflow
from odeflow.analysis.summary import summarise
from odeflow.workflow.stages.summarise import measurements_of


def nominal(problem: Path, rtol: str, atol: str) -> float:
    """That of one problem, by the workflow's own stages."""
    config = odeflow.compose(
        "~experiment", "name=nominal", f"design.petab={problem.name}", "design.nominal=true",
        "solver=rodas5p", f"solver.rtol={rtol}", f"solver.atol={atol}", study=problem.parent,
    )  # fmt: skip
    summary = summarise(odeflow.run(config), config.summary, measurements_of(config, config.study))
    return -float(summary["log_likelihood"][0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("problems", type=Path, nargs="+")
    parser.add_argument("--rtol", default="1e-8")
    parser.add_argument("--atol", default="1e-12")
    given = parser.parse_args()
    for problem in given.problems:
        print(f"{problem.stem}: {nominal(problem, given.rtol, given.atol):.6f}", flush=True)


if __name__ == "__main__":
    main()
