"""Small commands beside the workflow: `python -m odeflow schema`, `python -m odeflow antimony`."""

import argparse
import json
from pathlib import Path

from odeflow.config.root import Config


def main() -> None:
    """Runs the command that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m odeflow")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("schema", help="print the JSON schema of the config, for editors")
    antimony = commands.add_parser("antimony", help="print the SBML of an Antimony model")
    antimony.add_argument("file", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "antimony":
        print(antimony_as_sbml(arguments.file), end="")
    else:
        print(config_schema(), end="")


def antimony_as_sbml(file: Path) -> str:
    """The SBML of an Antimony file; raises ConfigError with Antimony's message and line."""
    from odeflow.sbml.antimony_text import sbml_of_antimony
    from odeflow.sbml.refusal import Source

    return sbml_of_antimony(Source("antimony", file.name, file.read_text(encoding="utf-8"), False))


def config_schema() -> str:
    """The JSON schema of a whole config; each group is one of its `$defs`."""
    return json.dumps(Config.model_json_schema(), indent=1) + "\n"


if __name__ == "__main__":
    main()
