"""A PEtab problem of format version 2 whose experiments have periods, with its closed form.

A is made at the rate u and decays: A(t) = u/k + (A(0) - u/k) exp(-k t), and u/k at rest.
"""

from pathlib import Path
from typing import Any

import numpy as np

from tests.support.petab_at_rest import MODEL
from tests.support.petab_text import EXPERIMENT, tabbed

YAML = """\
format_version: 2.0.0
model_files:
  decay: {location: decay.xml, language: sbml}
parameter_files: [parameters.tsv]
condition_files: [conditions.tsv]
experiment_files: [experiments.tsv]
observable_files: [observables.tsv]
measurement_files: [measurements.tsv]
"""
TABLES = {
    "parameters": """
        parameterId | lowerBound | upperBound | nominalValue | estimate | priorDistribution | priorParameters
        k           | 0.1        | 2          | 0.7          | true     | log-normal        | -0.3;0.4
        start       | 1          | 4          | 2.5          | true     |                   |
        base        | 1          | 4          | 1.5          | true     | normal            | 2;0.7
        sd          | 0.01       | 1          | 0.2          | true     | uniform           | 0.05;2
        fixed       |            |            | 3            | false    |                   |
    """,  # noqa: E501
    "conditions": """
        conditionId | targetId | targetValue
        begin       | A        | start / 2
        feed        | u        | fixed
        jump        | A        | A + base
        slow        | u        | base
        faster      | u        | 2 * u
    """,
    "experiments": """
        experimentId | time | conditionId
        grown        | 2    | jump
        grown        | 0    | begin
        grown        | 1    | feed
        rested       | -inf | slow
        rested       | 0    | faster
        both         | -inf | slow
        both         | 0    | jump
        both         | 0    | feed
        late         | 0    |
        late         | 1.5  | slow
    """,
    "observables": """
        observableId | observableFormula | noiseFormula    | noiseDistribution | observablePlaceholders | noisePlaceholders
        a            | A                 | width           |                   |                        | width
        b            | factor * A + base | 0.05 + 0.1 * b  | log-laplace       | factor                 |
    """,  # noqa: E501
    "measurements": """
        observableId | experimentId | measurement | time | observableParameters | noiseParameters
        a            | grown        | 1.1         | 0    |                      | sd
        a            | grown        | 2.4         | 1    |                      | sd
        a            | grown        | 4.4         | 2    |                      | 0.3
        a            | grown        | 4.1         | 2.5  |                      | sd
        a            | rested       | 3.1         | 0    |                      | sd
        a            | rested       | 4.1         | 2    |                      | sd
        b            | rested       | 5.1         | inf  | 0.5                  |
        a            | both         | 4           | 0    |                      | sd
        b            | both         | 3           | 1    | start                |
        b            | late         | 3           | 2.5  | 0.5                  |
        a            |              | 2           | 1    |                      | sd
    """,
}
THETA = ("k", "start", "base", "sd")


def make_version2(folder: Path, **tables: Any) -> Path:
    """A study whose experiment `mine` is this problem; `tables` replace those of `TABLES`."""
    (folder / "config/experiment").mkdir(parents=True, exist_ok=True)
    (folder / "config/experiment/mine.yaml").write_text(EXPERIMENT)
    (folder / "problem.yaml").write_text(tables.pop("yaml", YAML))
    (folder / "decay.xml").write_text(tables.pop("sbml", MODEL))
    for name, table in (TABLES | tables).items():
        (folder / f"{name}.tsv").write_text(tabbed(table))
    return folder


def log_likelihood(k: float, start: float, base: float, sd: float) -> float:
    """That of the closed form."""
    moved = lambda a0, u, t: u / k + (a0 - u / k) * np.exp(-k * t)
    rest, fixed = base / k, 3
    at_1 = moved(start / 2, 2, 1)
    at_2 = moved(at_1, fixed, 1) + base
    late = moved(moved(1, 2, 1.5), base, 1)
    normal = [
        (1.1, start / 2, sd),
        (2.4, at_1, sd),
        (4.4, at_2, 0.3),
        (4.1, moved(at_2, fixed, 0.5), sd),
        (3.1, rest, sd),
        (4.1, moved(rest, 2 * base, 2), sd),
        (4, rest + base, sd),
        (2, moved(1, 2, 1), sd),
    ]
    laplace = [
        (5.1, 0.5 * 2 * rest + base),
        (3, start * moved(rest + base, fixed, 1) + base),
        (3, 0.5 * late + base),
    ]
    found = sum(-(((m - x) / s) ** 2) / 2 - np.log(s * np.sqrt(2 * np.pi)) for m, x, s in normal)
    for m, x in laplace:
        s = 0.05 + 0.1 * x
        found += -abs(np.log(m / x)) / s - np.log(2 * s * m)
    return float(found)
