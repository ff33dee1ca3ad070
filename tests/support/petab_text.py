"""Small PEtab problems for tests, their tables written with bars."""

from pathlib import Path
from typing import Any

from tests.support.sbml_text import compartment, parameter, reaction, sbml, species

#: A decays, and starts at what its condition says: A(t) = A(0) exp(-k t).
DECAY = sbml(
    compartment("c"), species("A", "c", concentration=1), parameter("k", 0.5),
    parameter("half", 0.5), reaction("J", "A", "", "c * k * A"),
)  # fmt: skip
YAML = """\
format_version: 1
parameter_file: parameters.tsv
problems:
  - sbml_files: [decay.xml]
    condition_files: [conditions.tsv]
    measurement_files: [measurements.tsv]
    observable_files: [observables.tsv]
"""
TABLES = {
    "parameters": """
        parameterId | parameterScale | lowerBound | upperBound | nominalValue | estimate
        k           | log10          | 0.1        | 10         | 0.7          | 1
        start       | lin            | 1          | 4          | 2.5          | 1
        sd          | log            | 0.01       | 1          | 0.2          | 1
        fixed       | lin            |            |            | 3            | 0
    """,
    "conditions": """
        conditionId | conditionName | A
        low         | starts low    | 1.5
        high        |               | start
    """,
    "observables": """
        observableId | observableFormula | noiseFormula         | noiseDistribution
        a            | A                 | noiseParameter1_a    |
        scaled       | fixed * A         | 0.05 + 0.1 * scaled  | laplace
    """,
    "measurements": """
        observableId | simulationConditionId | measurement | time | noiseParameters
        a            | low                   | 1.1         | 0.5  | sd
        a            | low                   | 0.4         | 2    | 0.3
        a            | high                  | 1.9         | 0.5  | sd
        scaled       | high                  | 7.1         | 0    |
        scaled       | high                  | 1.2         | 2    |
    """,
}
EXPERIMENT = "# @package _global_\nname: mine\ndesign: {petab: problem.yaml, size: 8}\n"


def tabbed(table: str) -> str:
    """A table with bars as tab-separated text."""
    lines = [line for line in table.splitlines() if line.strip()]
    return "".join("\t".join(x.strip() for x in line.split("|")) + "\n" for line in lines)


def make_problem(folder: Path, **tables: Any) -> Path:
    """A study whose experiment `mine` is a PEtab problem; `tables` replace those of `TABLES`."""
    (folder / "config/experiment").mkdir(parents=True, exist_ok=True)
    (folder / "config/experiment/mine.yaml").write_text(tables.pop("experiment", EXPERIMENT))
    (folder / "problem.yaml").write_text(tables.pop("yaml", YAML))
    (folder / "decay.xml").write_text(tables.pop("sbml", DECAY))
    for name, table in (TABLES | tables).items():
        (folder / f"{name}.tsv").write_text(tabbed(table))
    return folder
