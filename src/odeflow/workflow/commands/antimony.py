"""`odeflow antimony`: the SBML of an Antimony model."""

from argparse import Namespace
from pathlib import Path

from odeflow.workflow.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "antimony",
        help="print the SBML of an Antimony model",
        description="Prints the SBML of an Antimony model.",
    )
    parser.add_argument("file", type=Path, help="the model, such as model.ant")
    parser.set_defaults(run=_antimony)


def _antimony(given: Namespace) -> None:
    print(antimony_as_sbml(given.file), end="")


def antimony_as_sbml(file: Path) -> str:
    """The SBML of an Antimony file; raises ConfigError with Antimony's message and line."""
    from odeflow.importers.antimony.antimony_text import sbml_of_antimony
    from odeflow.importers.refusal import ModelSource

    return sbml_of_antimony(
        ModelSource("antimony", file.name, file.read_text(encoding="utf-8"), False)
    )
