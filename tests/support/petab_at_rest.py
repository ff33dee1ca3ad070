"""A PEtab problem whose measurements are of what was at rest before, or is at rest after.

A is made at the rate u and decays: A(t) = u/k + (A(0) - u/k) exp(-k t), and u/k at rest.
"""

from pathlib import Path

import numpy as np

from tests.support.petab_text import make_problem
from tests.support.sbml_text import compartment, parameter, reaction, sbml, species

MODEL = sbml(
    compartment("c"), species("A", "c", concentration=1), parameter("k", 0.5), parameter("u", 2),
    parameter("half", 0.5),
    reaction("made", "", "A", "c * u"), reaction("gone", "A", "", "c * k * A"),
)  # fmt: skip
TABLES = {
    "parameters": """
        parameterId | parameterScale | lowerBound | upperBound | nominalValue | estimate
        k           | log10          | 0.1        | 10         | 0.7          | 1
        base        | lin            | 1          | 4          | 2.5          | 1
        high        | log            | 1          | 40         | 7            | 1
        sd          | log            | 0.01       | 1          | 0.2          | 1
    """,
    "conditions": """
        conditionId | u    | A
        low         | base |
        lower       | 0.5  |
        main        | high |
        anew        | 3    | base
    """,
    "observables": """
        observableId | observableFormula | noiseFormula
        a            | A                 | noiseParameter1_a
        b            | half * A + base   | 0.05 + 0.1 * b
    """,
    "measurements": """
        observableId | preequilibrationConditionId | simulationConditionId | measurement | time | noiseParameters
        a            | low                         | main                  | 4.1         | 0    | sd
        a            | low                         | main                  | 6.4         | 2    | sd
        a            | lower                       | main                  | 1.9         | 0.5  | 0.3
        b            | lower                       | main                  | 9           | inf  |
        a            | low                         | anew                  | 3.1         | 1    | sd
        a            |                             | anew                  | 4.2         | inf  | sd
    """,  # noqa: E501
}


def make_problem_at_rest(folder: Path) -> Path:
    """A study of it, whose experiment is `mine`."""
    return make_problem(folder, sbml=MODEL, **TABLES)


def log_likelihood(k: float, base: float, high: float, sd: float) -> float:
    """That of the closed form."""
    moved = lambda a0, u, t: u / k + (a0 - u / k) * np.exp(-k * t)
    b = 0.5 * high / k + base
    rows = [
        (4.1, base / k, sd),
        (6.4, moved(base / k, high, 2), sd),
        (1.9, moved(0.5 / k, high, 0.5), 0.3),
        (9, b, 0.05 + 0.1 * b),
        (3.1, moved(base, 3, 1), sd),
        (4.2, 3 / k, sd),
    ]
    return float(
        sum(-0.5 * ((m - x) / s) ** 2 - np.log(s * np.sqrt(2 * np.pi)) for m, x, s in rows)
    )
