"""All cases of the corpus, in the order in which they are recorded."""

from pathlib import Path

from tests.corpus import sbml, sbml_suite, shipped, small, switching
from tests.corpus.case import Case


def cases(suite: Path = sbml_suite.SUITE) -> list[Case]:
    """Every case; those of the SBML Test Suite are looked for in the folder `suite`."""
    return [
        *shipped.cases(),
        *small.cases(),
        *switching.cases(),
        *sbml.cases(),
        *sbml_suite.cases(suite),
    ]
