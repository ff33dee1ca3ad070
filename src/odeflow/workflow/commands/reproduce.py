"""`odeflow reproduce`: how a result was made, and whether it comes out the same here."""

from argparse import Namespace
from pathlib import Path

from odeflow.workflow.commands.parser import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    help = "say how an ensemble.nc, indices.nc or estimates.nc was made, and whether it comes out "
    help += "the same here"
    parser = commands.add_parser(
        "reproduce", help=help, description=help[0].upper() + help[1:] + "."
    )
    parser.add_argument("ensemble", type=Path, help="the file")
    parser.add_argument(
        "--study", type=Path, default=Path(), help="folder with the model's files (default: here)"
    )
    parser.add_argument(
        "--check", action="store_true", help="solve or fit some again, compare bit for bit"
    )
    parser.add_argument("--number", type=int, default=32, help="trajectories or starts of --check")
    parser.add_argument("--seed", type=int, default=0, help="seed of their choice")
    parser.add_argument(
        "--run-stored-source",
        action="store_true",
        help="--check runs the model's source that is stored in the file: read it first",
    )
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write a study from the file")
    parser.set_defaults(run=_reproduce)


def _reproduce(given: Namespace) -> None:
    from odeflow.trust.reproduce import reproduce

    found = reproduce(given.ensemble, given.study)
    print(found.report())
    if given.write is not None:
        print("written: " + ", ".join(map(str, found.write(given.write))))
    if given.check:
        print(found.check(given.number, given.seed, given.run_stored_source))
