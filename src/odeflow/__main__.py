"""`python -m odeflow`: the config's JSON schema, SBML of Antimony, what a result says of itself."""

import argparse
import json
import sys
from pathlib import Path

from odeflow.config.root import Config
from odeflow.files.errors import ConfigError


def main() -> None:
    """Runs the command that the command line names; a mistake is one line and exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m odeflow")
    commands = parser.add_subparsers(dest="command", required=True)
    schema = commands.add_parser("schema", help="print the JSON schema of the config, for editors")
    schema.set_defaults(run=lambda _: print(config_schema(), end=""))
    antimony = commands.add_parser("antimony", help="print the SBML of an Antimony model")
    antimony.add_argument("file", type=Path)
    antimony.set_defaults(run=lambda given: print(antimony_as_sbml(given.file), end=""))
    _add_reproduce(commands)
    _add_crate(commands)
    arguments = parser.parse_args()
    try:
        arguments.run(arguments)
    except ConfigError as error:
        print(f"odeflow: {error}", file=sys.stderr)
        sys.exit(1)


def antimony_as_sbml(file: Path) -> str:
    """The SBML of an Antimony file; raises ConfigError with Antimony's message and line."""
    from odeflow.importers.antimony.antimony_text import sbml_of_antimony
    from odeflow.importers.sbml.refusal import Source

    return sbml_of_antimony(Source("antimony", file.name, file.read_text(encoding="utf-8"), False))


def config_schema() -> str:
    """The JSON schema of a whole config; each group is one of its `$defs`."""
    return json.dumps(Config.model_json_schema(), indent=1) + "\n"


def _add_reproduce(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "reproduce", help="say how an ensemble.nc was made, and whether it comes out the same here"
    )
    parser.add_argument("ensemble", type=Path, help="the file")
    parser.add_argument(
        "--study", type=Path, default=Path(), help="folder with the model's files (default: here)"
    )
    parser.add_argument(
        "--check", action="store_true", help="solve some trajectories again, compare bit for bit"
    )
    parser.add_argument("--number", type=int, default=32, help="trajectories of --check")
    parser.add_argument("--seed", type=int, default=0, help="seed of their choice")
    parser.add_argument(
        "--run-stored-source",
        action="store_true",
        help="--check runs the model's source that is stored in the file: read it first",
    )
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write a study from the file")
    parser.set_defaults(run=_reproduce)


def _add_crate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "crate", help="put an experiment's results into a Workflow Run RO-Crate"
    )
    parser.add_argument("results", type=Path, help="the folder of the results, results/NAME")
    parser.add_argument("folder", type=Path, help="a new folder for the crate")
    parser.set_defaults(run=_crate)


def _crate(arguments: argparse.Namespace) -> None:
    from odeflow.config.shipped import shipped_config
    from odeflow.workflow.crate import write_crate

    snakefile = shipped_config().parent / "Snakefile"
    written = write_crate(arguments.results, arguments.folder, snakefile)
    print(f"written: {arguments.folder}, {len(written)} files")


def _reproduce(arguments: argparse.Namespace) -> None:
    from odeflow.trust.reproduce import reproduce

    found = reproduce(arguments.ensemble, arguments.study)
    print(found.report())
    if arguments.write is not None:
        print("written: " + ", ".join(map(str, found.write(arguments.write))))
    if arguments.check:
        print(found.check(arguments.number, arguments.seed, arguments.run_stored_source))


if __name__ == "__main__":
    main()
