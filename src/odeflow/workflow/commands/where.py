"""`odeflow where`: the folder of the Snakefile, for those who call `snakemake` themselves."""

from argparse import Namespace

from odeflow.files.shipped import shipped
from odeflow.workflow.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "where",
        help="print the folder that has the Snakefile, config/ and workflow/",
        description='Prints the folder of what ships: snakemake -s "$(odeflow where)/Snakefile"',
    )
    parser.set_defaults(run=_where)


def _where(_: Namespace) -> None:
    print(shipped())
