"""`odeflow crate`: an experiment's results as a Workflow Run RO-Crate."""

from argparse import Namespace
from pathlib import Path

from odeflow.files.shipped import shipped
from odeflow.workflow.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "crate",
        help="put an experiment's results into a Workflow Run RO-Crate",
        description="Puts an experiment's results, a study that makes them again, and how they "
        "were made into a Workflow Run RO-Crate.",
    )
    parser.add_argument("results", type=Path, help="the folder of the results, results/NAME")
    parser.add_argument("folder", type=Path, help="a new folder for the crate")
    parser.set_defaults(run=_crate)


def _crate(given: Namespace) -> None:
    from odeflow.workflow.crate import write_crate

    written = write_crate(given.results, given.folder, shipped() / "Snakefile")
    print(f"written: {given.folder}, {len(written)} files")
