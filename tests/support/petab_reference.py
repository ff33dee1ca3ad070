"""Writes petab_reference.json: log-likelihoods by libpetab, of what a closed form simulates.

    python -m tests.support.petab_reference        with petab and python-libsbml installed

libpetab (petab on PyPI) pins another antlr4-python3-runtime than Hydra does, so this runs in an
environment of its own; test_petab.py reads the file.
"""

import json
import math
import tempfile
from pathlib import Path

import pandas as pd
import petab
from petab.v1.calculate import calculate_llh

from tests.support.petab_text import make_problem

VARIANTS = {
    "normal and laplace": {},
    "logarithms": {
        "observables": """
            observableId|observableFormula|observableTransformation|noiseFormula|noiseDistribution
            a|A|log10|noiseParameter1_a|normal
            scaled|fixed * A|log|0.1 * fixed|laplace
        """,
    },
    "more logarithms": {
        "observables": """
            observableId|observableFormula|observableTransformation|noiseFormula|noiseDistribution
            a|A|log|noiseParameter1_a|normal
            scaled|fixed * A|log10|0.1 + 0.2*sd^2 + k/10|laplace
        """,
    },
}


def simulated(row: pd.Series, nominal: dict[str, float]) -> float:
    start = 1.5 if row["simulationConditionId"] == "low" else nominal["start"]
    a = start * math.exp(-nominal["k"] * row["time"])
    return a if row["observableId"] == "a" else nominal["fixed"] * a


def log_likelihood(folder: Path) -> float:
    measurements = petab.v1.get_measurement_df(folder / "measurements.tsv")
    observables = petab.v1.get_observable_df(folder / "observables.tsv")
    # libpetab wants the default written out
    observables["noiseDistribution"] = observables["noiseDistribution"].fillna("normal")
    parameters = petab.v1.get_parameter_df(folder / "parameters.tsv")
    nominal = parameters["nominalValue"].to_dict()
    simulation = measurements.drop(columns="measurement")
    simulation["simulation"] = [simulated(row, nominal) for _, row in measurements.iterrows()]
    return float(calculate_llh(measurements, simulation, observables, parameters))


def main() -> None:
    found = {}
    for name, tables in VARIANTS.items():
        with tempfile.TemporaryDirectory() as folder:
            study = make_problem(Path(folder), **tables)
            found[name] = {"tables": tables, "log_likelihood": log_likelihood(study)}
    text = json.dumps({"petab": petab.__version__, "cases": found}, indent=1)
    Path(__file__).with_suffix(".json").write_text(text + "\n")


if __name__ == "__main__":
    main()
